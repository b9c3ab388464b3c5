"""`casewatch central trust`: init · renew · acl · crl · list; and `central enrol`, `central revoke`."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import typer
from sqlalchemy import Connection

from central.app import wall_ms
from central.console import (
    CONSOLE,
    DEFAULT_CONFIG,
    EXIT_REFUSED,
    Config,
    edge_of_a_station,
    end,
    settings_of,
    with_store,
)
from central.settings import CentralSettings
from central.store.database import Store, Transaction
from central.trust import broker_files, enrolment, folder, keys
from central.trust.errors import TrustError
from central.trust.keyring import FOLDER, Keyring
from contract.errors import ContractError

app = typer.Typer(
    help="The county's authority and the edges' keys.", no_args_is_help=True, add_completion=False
)
T = TypeVar("T")

Hosts = Annotated[
    list[str],
    typer.Option(
        "--host", help="A name or address of this machine, as edges and browsers write it; repeat it."
    ),
]
NO_HOSTS: list[str] = []
EdgeId = Annotated[str, typer.Argument(help="The edge's id, as in stations.toml.")]
ANYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - not bound, compared with


@app.command()
def init(hosts: Hosts = NO_HOSTS, config: Config = DEFAULT_CONFIG) -> None:
    """Make the county's authority and the centre's keys in `data_dir`/trust. Never writes over one."""
    settings = settings_of(config)
    place = settings.data_dir / FOLDER
    acl = broker_files.access_list(_edges(settings))
    names = _hosts(settings, hosts)
    _or_end(lambda: folder.make(place, names, acl, wall_ms()))
    sys.stdout.write(f"{place}: the county's authority; servers are known as {', '.join(names)}\n")
    sys.stdout.write("copy ca.key to a place under lock: who has it can be every edge and the centre\n")


@app.command()
def renew(hosts: Hosts = NO_HOSTS, config: Config = DEFAULT_CONFIG) -> None:
    """New certificates for the centre's own keys, for two years; the keys stay. Restart the broker then."""
    settings = settings_of(config)
    keyring = _keyring(settings)
    names = _hosts(settings, hosts)
    _or_end(lambda: folder.issue_own(keyring.folder, keyring.authority(), names, wall_ms()))
    sys.stdout.write(f"{keyring.folder}: central.pem, server.pem, broker.pem are new ({', '.join(names)})\n")


@app.command()
def acl(config: Config = DEFAULT_CONFIG) -> None:
    """Write the broker's access list from the stations' file: after a station was added or removed."""
    settings = settings_of(config)
    keyring = _keyring(settings)
    _read(settings, lambda conn: broker_files.write_acl(keyring.folder, conn, _edges(settings)))
    sys.stdout.write(f"{keyring.folder / broker_files.ACL}\n")


@app.command()
def crl(config: Config = DEFAULT_CONFIG) -> None:
    """Write the broker's list of revoked certificates."""
    settings = settings_of(config)
    keyring = _keyring(settings)
    authority = _or_end(keyring.authority)
    _read(settings, lambda conn: broker_files.write_crl(keyring.folder, conn, authority, wall_ms()))
    sys.stdout.write(f"{keyring.folder / broker_files.REVOCATION_LIST}\n")


@app.command(name="list")
def list_keys(config: Config = DEFAULT_CONFIG) -> None:
    """Every key that ever spoke for an edge: edge, key, until when, how it stands."""
    settings = settings_of(config)
    known = _read(settings, keys.all_keys)
    for edge in sorted(_edges(settings) - {key.edge for key in known}):
        sys.stdout.write(f"{edge:<32}  {'-':<16}  {'-':<10}  not enrolled\n")
    now_ms = wall_ms()
    for key in known:
        until = datetime.fromtimestamp(key.expires_ms / 1_000, UTC).date().isoformat()
        is_over = key.is_good and key.expires_ms <= now_ms
        state = "expired" if is_over else key.state
        sys.stdout.write(
            f"{key.edge:<32}  {key.public[:16]}  {until}  {state}  {key.reason}\n".rstrip() + "\n"
        )


def enrol(edge: EdgeId, config: Config = DEFAULT_CONFIG) -> None:
    """Make a one-time code with which one edge enrols, good for 24 h. The code is the last line printed."""
    settings = settings_of(config)
    edge = edge_of_a_station(settings, edge)
    authority = _or_end(_keyring(settings).authority)
    code = _write(settings, lambda tx: enrolment.make_code(tx, authority, edge, CONSOLE, wall_ms()))
    sys.stdout.write(f"{code}\n")


def revoke(
    edge: EdgeId,
    reason: Annotated[str, typer.Option(help="Why, for the audit.", prompt=True)],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Believe nothing more that this edge signs: a lost or stolen box. It may be enrolled again."""
    settings = settings_of(config)
    keyring = _keyring(settings)
    authority = _or_end(keyring.authority)

    def act(tx: Transaction) -> list[str]:
        ended = enrolment.revoke(tx, edge, reason, CONSOLE, wall_ms())
        broker_files.write_both(keyring.folder, tx.conn, authority, _edges(settings), wall_ms())
        return ended

    ended = _write(settings, act)
    said = ", ".join(key[:16] for key in ended) or "no key was good"
    sys.stdout.write(f"{edge}: revoked ({said}); the broker refuses it once it has read its lists again\n")


def _hosts(settings: CentralSettings, hosts: list[str]) -> list[str]:
    own = [host for host in (settings.web.host, settings.broker.host) if host not in ANYWHERE]
    return list(dict.fromkeys([*hosts, *own, *folder.LOCAL_HOSTS]))


def _edges(settings: CentralSettings) -> set[str]:
    return {station.edge for station in settings.stations}


def _keyring(settings: CentralSettings) -> Keyring:
    return _or_end(lambda: Keyring.load(settings.data_dir))


def _read(settings: CentralSettings, query: Callable[[Connection], T]) -> T:
    async def act(store: Store) -> T:
        return await store.read(query)

    return with_store(settings, act)


def _write(settings: CentralSettings, work: Callable[[Transaction], T]) -> T:
    async def act(store: Store) -> T:
        return await store.write(work)

    return with_store(settings, act)


def _or_end(work: Callable[[], T]) -> T:
    try:
        return work()
    except (TrustError, ContractError) as error:
        end(f"{error.code}: {error}", EXIT_REFUSED)
    except OSError as error:
        end(str(error), EXIT_REFUSED)
