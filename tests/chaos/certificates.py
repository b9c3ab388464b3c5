"""Row 14: certificates that are expired, not yet good, of another county, weak, of the wrong kind; and new
ones put in while all runs.
"""

import shutil
import signal
import socket
import ssl
import time
from contextlib import suppress
from pathlib import Path

import paho.mqtt.client as mqtt

from central.trust.authority import Authority
from tests.chaos.ground import STATION, Ground, Play
from tests.chaos.history import Fact
from tests.chaos.station import Station
from tests.support import minted
from tests.support.mosquitto import await_listener

REFUSED_S = 6.0
YEARS_3 = 3 * 365 * minted.DAY_MS


def shown_to_the_broker(ground: Ground) -> None:
    """Nobody with a bad certificate gets as far as saying something."""
    station = ground.running(20, secure=True)
    county, other = minted.authority_of(station.trust), Authority.new(minted.now_ms())
    now = minted.now_ms()
    server = b"".join(minted.server_pem(county, ["127.0.0.1"]))
    bad = {
        "no certificate": None,
        "an expired one": minted.client_pem(county, STATION, now - YEARS_3),
        "one that is not good yet": minted.client_pem(county, STATION, now + YEARS_3),
        "another county's": minted.client_pem(other, STATION),
        "one signed by itself": minted.self_signed_pem(STATION),
        "a weak one": minted.weak_pem(county, STATION),
        "a server's": server,
    }
    good = minted.client_pem(county, STATION)
    for name, pem in bad.items():
        says = f"the broker refuses {name}"
        station.history.note(Fact("P8", says, not _gets_in(station, pem)))
        ground.tried += 1
    # The same try with a good one, of a name that nobody uses now, shows that the tries can succeed.
    station.list_tap()
    says = "the broker takes a good certificate of the county"
    station.history.note(Fact("P8", says, _gets_in(station, minted.client_pem(county, "chaos-other"))))
    assert good
    _to_the_board(ground, station, bad)
    station.conclude()


def shown_by_the_broker(ground: Ground) -> None:
    """Edge and centre speak to no broker that cannot show who it is; then the right one is back."""
    ground.not_proven("a broker's certificate that was revoked: edges have no list to look into")
    station = ground.running(20, secure=True)
    county, other = minted.authority_of(station.trust), Authority.new(minted.now_ms())
    now = minted.now_ms()
    bad = {
        "an expired certificate": minted.server_pem(county, ["127.0.0.1"], now - YEARS_3),
        "another county's": minted.server_pem(other, ["127.0.0.1"]),
        "another's name": minted.server_pem(county, ["broker.elsewhere.example"]),
    }
    names = list(bad)
    ground.random.shuffle(names)
    for name in names[: ground.trials]:
        with station.silent():
            _show(station, bad[name])
            connects = _connects(station)
            time.sleep(REFUSED_S)
            says = f"neither edge nor centre speaks to a broker with {name}"
            station.history.note(Fact("P8", says, _connects(station) == connects))
            _show(station, None)
            station.await_beat(time.monotonic_ns())
        ground.tried += 1
    station.conclude()


def renewed_while_it_runs(ground: Ground) -> None:
    """The servers' certificates, then the edge's key: nothing is lost over either."""
    ground.not_proven("warnings 30, 7 and 1 days before the end: tested by units, no process lives so long")
    station = ground.running(20, secure=True)
    for _ in range(ground.trials):
        with station.silent():
            station.run("central", "trust", "renew", "--config", "central.toml")
            station.broker.stop()
            station.broker.start()
            await_listener(station.broker_port)
            station.await_beat(time.monotonic_ns())
        before = _key_of(station)
        station.run("edge", "renew", "edge.toml")
        with station.blind(), station.silent():
            station.edge.stop()
            started_ns = time.monotonic_ns()
            station.edge.start()
            station.await_beat(started_ns)
        says = "the edge speaks with another key after its renewal"
        station.history.note(Fact("P8", says, _key_of(station) != before))
        ground.tried += 2
    station.conclude()


def _gets_in(station: Station, pem: bytes | None) -> bool:
    """Whether MQTT is spoken with whoever shows this."""
    try:
        context = minted.client_context(station.trust / "ca.pem", pem, station.folder)
    except ssl.SSLError:
        return False  # our own library will not even show it
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "chaos-intruder", protocol=mqtt.MQTTv5)
    client.tls_set_context(context)
    said: list[bool] = []
    client.on_connect = lambda _c, _d, _f, reason, _p: said.append(not reason.is_failure)
    with suppress(OSError):
        client.connect("127.0.0.1", station.broker_port)
        ends_at = time.monotonic() + 3.0
        while not said and time.monotonic() < ends_at:
            if client.loop(0.1) != mqtt.MQTT_ERR_SUCCESS:
                break
    client.disconnect()
    return bool(said and said[0])


def _to_the_board(ground: Ground, station: Station, bad: dict[str, bytes | None]) -> None:
    """The board asks for no client's certificate: it must not be reached without TLS at all."""
    with socket.create_connection(("127.0.0.1", station.web_port), timeout=5) as plain:
        plain.sendall(b"GET /api/v1/stations HTTP/1.1\r\nHost: x\r\n\r\n")
        with suppress(OSError):
            answer = plain.recv(64)
            says = "the board answers nobody who speaks no TLS"
            station.history.note(Fact("P8", says, not answer.startswith(b"HTTP/1.1 2")))
    ground.tried += 1


def _show(station: Station, bad: tuple[bytes, bytes] | None) -> None:
    """The broker begins anew, with this key and certificate, or its own again."""
    key, certificate = station.trust / "broker.key", station.trust / "broker.pem"
    for file in (key, certificate):
        kept = file.with_suffix(file.suffix + ".own")
        if not kept.exists():
            shutil.copy2(file, kept)
    station.broker.signal(signal.SIGTERM)
    station.broker.wait(10)
    if bad is None:
        for file in (key, certificate):
            shutil.copy2(file.with_suffix(file.suffix + ".own"), file)
    else:
        key.write_bytes(bad[0])
        certificate.write_bytes(bad[1])
    station.broker.start()
    await_listener(station.broker_port)


def _connects(station: Station) -> int:
    """How often edge and centre have said that they are connected."""
    texts = [process.log.read_text(errors="replace") for process in (station.edge, station.central)]
    return sum(text.count("broker_connected") for text in texts)


def _key_of(station: Station) -> bytes:
    return Path(station.folder / "edge" / "identity" / "edge.pem").read_bytes()


PLAYS = (
    Play(14, "client", "bad certificates shown to the broker", shown_to_the_broker, 1, 1, smoke_s=25),
    Play(14, "broker", "bad certificates shown by the broker", shown_by_the_broker, 3, 3, smoke_s=50),
    Play(14, "renewed", "certificates and keys renewed", renewed_while_it_runs, 1, 4, smoke_s=30),
)
