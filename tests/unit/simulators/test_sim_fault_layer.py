"""The fault layer: what each fault makes of a reply, and that none of the fault list is missing."""

import re

import pytest
from pymodbus.framer import FramerRTU

import simulators.faults as fault_layer
from simulators.control.fault_words import FAULT_WORDS
from simulators.faults import Fault, FaultKind, FaultLayer, why_not
from simulators.locks.board import BOARD_ACTS, LOCK_ACTS
from simulators.osdp_device import ACTS as OSDP_ACTS
from simulators.plant import VALUES
from simulators.rfid_readers import ACTS as RFID_ACTS
from simulators.scenario import How
from simulators.sealing import SEALINGS
from simulators.supervised_wire import HANDS
from simulators.wire import Reply

REQUEST = bytes.fromhex("050400100002702a")
FRAME = bytes.fromhex("0504040000000b")
FRAME += FramerRTU.compute_CRC(FRAME).to_bytes(2)
REPLY = Reply(5, REQUEST, FRAME)

# The rows of the fault list (section 7 of the reference), as the table in faults.py names them.
ROWS = [
    "check error, single or a burst",
    "no reply, once, thrice, for ever",
    "late reply",
    "another unit, function, count",
    "echo, whole or split",
    "noise",
    "partial frame, frame in bytes",
    "address clash",
    "baud mismatch",
    "stuck bus, babbling unit",
    "module restart",
    "counter wrap",
    "exceptions",
    "contact bounce, chatter, pulses",
    "contact held open",
    "wire cut, shorted",
    "wire bridged, drifting, humming",
    "magnet",
    "lock without reply, cooling, stuck busy",
    "lock opened by key, jammed, failed",
    "RFID flicker, duplicate, burst, antenna off",
    "OSDP restart, wrong key, busy",
    "port unplugged, new node, TCP dropped, half open",
    "MQTT",
]
ACTS = {"restart", "preset", *BOARD_ACTS, *LOCK_ACTS, *HANDS, *RFID_ACTS, *OSDP_ACTS}


def layer(*faults, speaks="modbus-rtu", seed=1):
    made = FaultLayer(seed, SEALINGS.get(speaks))
    for fault in faults:
        made.inject(fault)
    return made


def sent(made, reply=REPLY):
    return [(emission.delay_s, emission.data) for emission in made.transmit(reply)[0]]


def only(kind, **fields):
    """The one thing that is sent of the reply, at once."""
    ((delay_s, data),) = sent(layer(Fault(kind, **fields)))
    assert delay_s == 0
    return data


def is_sealed(frame):
    return FramerRTU.compute_CRC(frame[:-2]).to_bytes(2) == frame[-2:]


def table():
    return dict(re.findall(r"^\| (.+?) \| (.+) \|$", fault_layer.__doc__, re.MULTILINE)[1:])


def test_every_row_of_the_fault_list_has_its_injection():
    rows = table()
    rows.pop("---", None)
    assert sorted(rows) == sorted(ROWS)
    assert all("`" in injection for row, injection in rows.items() if row != "MQTT")


def test_everything_the_table_names_exists_and_every_kind_is_named():
    known = {
        "moves": set(How.__args__),
        "act": ACTS,
        "acts": ACTS,
        "value": {value for values in VALUES.values() for value in values},
        "values": {value for values in VALUES.values() for value in values},
    }
    kinds = set()
    for injection in table().values():
        for part in injection.split(";"):
            words = set(re.findall(r"`(.+?)`", part)) - {"count", "ms", "code"}
            what = part.split("`")[0].strip()
            if what in known:
                assert words <= known[what], part
            else:
                kinds |= words
    assert kinds == {kind.value for kind in FaultKind}


def test_every_kind_has_a_name_in_both_languages():
    assert set(FAULT_WORDS) == set(FaultKind)
    assert all(zh and en for zh, en in FAULT_WORDS.values())


def test_without_faults_a_reply_goes_as_it_is():
    assert layer().transmit(REPLY)[1] == []
    assert sent(layer()) == [(0.0, FRAME)]


def test_a_check_error_is_one_bit_of_the_check():
    spoilt = only(FaultKind.CHECK)
    assert spoilt[:-1] == FRAME[:-1]
    assert (spoilt[-1] ^ FRAME[-1]).bit_count() == 1


@pytest.mark.parametrize(
    ("kind", "place"), [(FaultKind.WRONG_UNIT, 0), (FaultKind.WRONG_FUNCTION, 1), (FaultKind.SHORT, 2)]
)
def test_a_reply_of_another_unit_function_or_count_is_sealed_anew(kind, place):
    spoilt = only(kind)
    assert spoilt[place] != FRAME[place]
    assert is_sealed(spoilt)
    assert spoilt[2] == len(spoilt) - 5


@pytest.mark.parametrize("code", [1, 2, 3, 4, 6, 10, 11])
def test_an_exception_takes_the_place_of_the_reply(code):
    refusal = only(FaultKind.EXCEPTION, code=code)
    assert refusal[:-2] == bytes([5, 0x84, code])
    assert is_sealed(refusal)


def test_an_exception_over_tcp_keeps_the_number_of_its_request():
    frame = bytes.fromhex("00070000000701040400000000")
    made = layer(Fault(FaultKind.EXCEPTION, code=6), speaks="modbus-tcp")
    assert sent(made, Reply(1, b"", frame)) == [(0.0, bytes.fromhex("000700000003018406"))]


def test_an_echo_comes_before_the_reply_whole_or_in_two_pieces():
    assert sent(layer(Fault(FaultKind.ECHO))) == [(0.0, REQUEST), (0.0, FRAME)]
    pieces = sent(layer(Fault(FaultKind.ECHO_SPLIT)))
    assert b"".join(data for _, data in pieces) == REQUEST + FRAME
    assert [delay_s for delay_s, _ in pieces] == sorted(delay_s for delay_s, _ in pieces)
    assert len(pieces) == 3


@pytest.mark.parametrize("order", [1, -1])
def test_of_a_lost_reply_the_adapters_echo_is_still_heard(order):
    faults = [Fault(FaultKind.ECHO), Fault(FaultKind.LOST)][::order]
    assert sent(layer(*faults)) == [(0.0, REQUEST)]


def test_a_unit_that_is_silent_is_echoed_too():
    silent = Reply(9, REQUEST, b"")
    assert sent(layer(Fault(FaultKind.ECHO)), silent) == [(0.0, REQUEST)]
    assert sent(layer(Fault(FaultKind.NOISE_BEFORE)), silent) == []


def test_noise_is_one_to_three_strays_on_its_side_of_the_reply():
    before, after = only(FaultKind.NOISE_BEFORE), only(FaultKind.NOISE_AFTER)
    assert before.endswith(FRAME)
    assert after.startswith(FRAME)
    for noise in (before.removesuffix(FRAME), after.removeprefix(FRAME)):
        assert 1 <= len(noise) <= 3
        assert set(noise) <= {0x00, 0xFF}


def test_a_partial_reply_is_its_beginning_and_a_split_one_all_its_bytes():
    part = only(FaultKind.PARTIAL)
    assert FRAME.startswith(part)
    assert 0 < len(part) < len(FRAME)
    pieces = sent(layer(Fault(FaultKind.SPLIT)))
    assert [data for _, data in pieces] == [bytes([byte]) for byte in FRAME]
    assert pieces[-1][0] == pytest.approx(0.005 * (len(FRAME) - 1))


def test_a_late_reply_is_whole_and_its_echo_is_not_late():
    late = layer(Fault(FaultKind.LATE, ms=550), Fault(FaultKind.ECHO))
    assert sent(late) == [(0.0, REQUEST), (0.55, FRAME)]


def test_two_units_on_one_address_only_agree_on_what_both_say():
    clash = only(FaultKind.CLASH)
    assert clash != FRAME
    assert len(clash) == len(FRAME)
    assert all(a & ~b == 0 for a, b in zip(clash, FRAME, strict=True))


def test_garbage_is_no_longer_than_three_frames():
    made = layer(Fault(FaultKind.GARBAGE))
    lengths = {len(data) for _ in range(200) for _, data in sent(made)}
    assert max(lengths) <= 3 * len(FRAME)
    assert len(lengths) > 5


def test_every_third_reply_is_struck_until_so_many_were():
    made = layer(Fault(FaultKind.LOST, every=3, count=2))
    lost = [n for n in range(1, 13) if not sent(made)]
    assert lost == [3, 6]
    assert made.active == {}


def test_a_chance_is_the_same_for_the_same_seed_and_about_what_was_asked():
    def losses(seed):
        made = layer(Fault(FaultKind.LOST, p=0.1), seed=seed)
        return [not sent(made) for _ in range(2000)]

    assert losses(3) == losses(3)
    assert losses(3) != losses(4)
    assert 120 < sum(losses(3)) < 280


def test_a_fault_of_one_unit_leaves_the_others_alone_and_is_not_used_up_by_them():
    made = layer(Fault(FaultKind.LOST, unit=5, count=1))
    assert sent(made, Reply(6, REQUEST, FRAME)) == [(0.0, FRAME)]
    assert sent(made) == []
    assert sent(made) == [(0.0, FRAME)]


def test_faults_are_healed_one_by_one_or_all():
    made = layer(Fault(FaultKind.LOST), Fault(FaultKind.ECHO))
    made.heal(1)
    assert sent(made) == [(0.0, REQUEST), (0.0, FRAME)]
    made.heal()
    assert sent(made) == [(0.0, FRAME)]


def test_a_fault_says_why_a_cable_cannot_have_it():
    rtu, locks, tags = SEALINGS["modbus-rtu"], SEALINGS["lock-8a"], SEALINGS["rfid-m100"]
    assert why_not(Fault(FaultKind.EXCEPTION), rtu, is_network=False) == ""
    assert "exceptions" in why_not(Fault(FaultKind.EXCEPTION), locks, is_network=False)
    assert "connection" in why_not(Fault(FaultKind.HALF_OPEN), rtu, is_network=False)
    assert why_not(Fault(FaultKind.HALF_OPEN), rtu, is_network=True) == ""
    assert "unit" in why_not(Fault(FaultKind.WRONG_UNIT), tags, is_network=False)


SOUND = [
    ("lock-8a", "8001000fff3342"),
    ("lock-krcu", "020035ffff01000339"),
    ("lock-wkly", "574b4c590900820587"),
    ("rfid-m100", "bb00220000227e"),
    ("rfid-uhf18", "040001db4b"),
]


@pytest.mark.parametrize(("speaks", "frame"), SOUND, ids=[speaks for speaks, _ in SOUND])
def test_a_published_frame_is_sealed_as_it_was(speaks, frame):
    assert SEALINGS[speaks].sealed(bytes.fromhex(frame)).hex() == frame


@pytest.mark.parametrize(
    ("speaks", "frame", "shorter"),
    [
        ("lock-8a", "8001000fff3342", "8001000fff71"),
        ("rfid-m100", "bb0222000230e0367e", "bb0222000130557e"),
        ("lock-winnsen", "900792010305 03".replace(" ", ""), "9006920103" + "03"),
    ],
)
def test_a_byte_of_data_less_agrees_with_the_length_fields(speaks, frame, shorter):
    assert SEALINGS[speaks].short_count(bytes.fromhex(frame)).hex() == shorter
