"""Makes `<data_dir>/trust/`: the authority, the centre's key, the servers' keys. Never writes over one.

ca.pem ca.key            the county's authority; ca.key may lie elsewhere than on the centre's machine
while nobody is enrolled
central.pem central.key  the centre's: signs receipts and commands, is its client certificate
server.pem server.key    the board's
broker.pem broker.key crl.pem acl   the broker's
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from central.trust.authority import Authority, new_server_key, pem_of, server_key_from_pem, server_key_pem
from central.trust.errors import TrustExists
from central.trust.files import read_secret_bytes, replace, write_new
from contract.keys import Signer

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
SERVERS = ("server", "broker")


def make(folder: Path, hosts: Sequence[str], acl: str, now_ms: int) -> Authority:
    """All of it or nothing: made beside its place and moved there whole. Raises TrustExists, OSError."""
    if folder.exists():
        raise TrustExists(f"{folder} is there already: it is never written over")
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700, parents=True)
    authority, signer = Authority.new(now_ms), Signer.new()
    write_new(fresh / "ca.key", authority.key_pem(), is_secret=True)
    write_new(fresh / "ca.pem", pem_of(authority.certificate), is_secret=False)
    write_new(fresh / "central.key", signer.pem(), is_secret=True)
    for name in SERVERS:
        write_new(fresh / f"{name}.key", server_key_pem(new_server_key()), is_secret=True)
    write_new(fresh / "crl.pem", authority.revocation_list([], now_ms), is_secret=False)
    write_new(fresh / "acl", acl.encode(), is_secret=False)
    issue_own(fresh, authority, hosts, now_ms)
    fresh.rename(folder)
    return authority


def issue_own(folder: Path, authority: Authority, hosts: Sequence[str], now_ms: int) -> None:
    """Certificates for the keys that lie here: at the beginning, and before the old ones end."""
    names = list(dict.fromkeys([*hosts, *LOCAL_HOSTS]))
    signer = Signer.from_pem(read_secret_bytes(folder / "central.key"))
    replace(folder / "central.pem", pem_of(authority.issue_central(signer.key.public_key(), now_ms)))
    for name in SERVERS:
        key = server_key_from_pem(read_secret_bytes(folder / f"{name}.key"))
        replace(folder / f"{name}.pem", pem_of(authority.issue_server(key.public_key(), names, now_ms)))
