"""The broker's two lists, made from the store: who may do what (`acl`), and whom to refuse (`crl.pem`).

They are written by whoever changes something, and the broker is told by its service unit, which watches
them (config/systemd/). They are its part only: the centre itself asks the store at each group of messages.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography import x509
from sqlalchemy import Connection

from central.trust import keys
from central.trust.authority import Authority
from central.trust.files import replace
from central.trust.keys import EdgeKey
from contract.certificates import CENTRAL_NAME
from contract.ids import EdgeId
from contract.topics import central_access, edge_access

ACL = "acl"
REVOCATION_LIST = "crl.pem"


def access_list(edges: Iterable[EdgeId | str]) -> str:
    """The broker's acl_file. A user is the name in a certificate; what is not in the list is refused."""
    lines = ["# Written by `casewatch central trust acl`; what is not here is refused."]
    users = [(CENTRAL_NAME, central_access())]
    users += [(str(edge), edge_access(EdgeId(edge))) for edge in sorted(edges)]
    for user, access in users:
        lines += ["", f"user {user}", *(f"topic {may} {topic}" for may, topic in access)]
    return "\n".join(lines) + "\n"


def write_acl(folder: Path, conn: Connection, edges: Iterable[str]) -> None:
    """Every edge of the stations' file, but those whose keys were all taken back."""
    text = access_list(set(edges) - _outcasts(keys.all_keys(conn)))
    path = folder / ACL
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        replace(path, text.encode())


def write_crl(folder: Path, conn: Connection, authority: Authority, now_ms: int) -> None:
    """Every certificate whose key was revoked, or has a successor that has spoken."""
    revoked = list(_serials(keys.ended(conn)))
    path = folder / REVOCATION_LIST
    if not path.exists() or _listed(path.read_bytes()) != {serial for serial, _ in revoked}:
        replace(path, authority.revocation_list(revoked, now_ms))


def write_both(
    folder: Path, conn: Connection, authority: Authority, edges: Iterable[str], now_ms: int
) -> None:
    write_acl(folder, conn, edges)
    write_crl(folder, conn, authority, now_ms)


def _outcasts(every: Iterable[EdgeKey]) -> set[str]:
    every = list(every)
    return {key.edge for key in every if key.revoked_ms} - {key.edge for key in every if key.is_good}


def _serials(ended: Iterable[EdgeKey]) -> Iterator[tuple[int, int]]:
    """An edge's two certificates stand in one text."""
    for key in ended:
        since_ms = key.revoked_ms or key.superseded_ms or key.from_ms
        for certificate in x509.load_pem_x509_certificates(key.certificate.encode()):
            yield certificate.serial_number, since_ms


def _listed(crl: bytes) -> set[int]:
    return {entry.serial_number for entry in x509.load_pem_x509_crl(crl)}
