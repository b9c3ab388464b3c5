"""The envelope of OSDP's frames under noise, cuts and lies; readers' keys."""

import os

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers import registry
from device_drivers.errors import ProfileFault
from device_drivers.osdp_reader import codec, wire
from device_drivers.osdp_reader.codec import Frame, split
from device_drivers.osdp_reader.driver import load_key
from device_drivers.osdp_reader.pairing import Standing
from device_drivers.site import ListenerSite, Site

frames = st.builds(
    Frame,
    address=st.integers(0, 0x7F),
    is_reply=st.booleans(),
    sequence=st.integers(0, 3),
    code=st.integers(0, 0xFF),
    data=st.binary(max_size=64),
    security=st.binary(max_size=16),
)


@given(frames)
def test_every_frame_is_read_as_it_was_written(frame):
    assert split(codec.encode(frame)) == ([frame], b"")


@given(frames, st.binary(max_size=64), st.integers(0, 200))
def test_a_cut_frame_waits_for_its_rest(frame, noise, cut):
    whole = codec.encode(frame)
    cut = cut % (len(whole) - 1) + 1
    _, begun = split(whole[:cut])
    assert frame in split(begun + whole[cut:])[0]


@given(frames, st.binary(max_size=64).filter(lambda noise: codec.START not in noise))
def test_noise_before_a_frame_does_not_hide_it(frame, noise):
    assert split(noise + codec.encode(frame))[0] == [frame]


@given(frames, st.integers(0, 10_000))
def test_a_flipped_bit_is_no_frame(frame, n):
    whole = bytearray(codec.encode(frame))
    at = n % (8 * len(whole))
    whole[at // 8] ^= 1 << at % 8
    assert frame not in split(bytes(whole))[0]


def test_a_broken_frame_does_not_swallow_the_next_one():
    broken = bytes([codec.START, 1]) + (1_000).to_bytes(2, "little") + b"\x04"
    sound = Frame(1, is_reply=True, sequence=1, code=codec.ACK)
    assert split(broken + codec.encode(sound)) == ([sound], b"")


def test_a_frame_with_a_sum_instead_of_a_crc_is_read():
    body = bytes.fromhex("5301070000 60")
    assert split(body + bytes([-sum(body) & 0xFF]))[0] == [Frame(1, False, 0, codec.POLL)]


@given(st.binary(max_size=4096))
def test_garbage_gives_at_most_a_beginning(noise):
    _, begun = split(noise)
    assert len(begun) <= codec.FRAME_MAX_BYTES
    assert noise.endswith(begun)


def key_file(tmp_path, text):
    path = tmp_path / "reader.key"
    path.write_text(text)
    return str(path)


def test_a_key_is_32_hex_digits(tmp_path):
    assert load_key(key_file(tmp_path, "0f" * 16 + "\n")) == b"\x0f" * 16


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("303132333435363738393A3B3C3D3E3F", "SCBK-D"),
        ("0f" * 15, "32 hex digits"),
        ("zz" * 16, "32 hex digits"),
        ("", "32 hex digits"),
    ],
)
def test_a_key_that_is_none_is_refused_and_not_quoted(tmp_path, text, words):
    with pytest.raises(ProfileFault, match=words) as fault:
        load_key(key_file(tmp_path, text))
    assert not text or text not in str(fault.value)


def test_a_key_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ProfileFault, match=r"nothing\.key cannot be read"):
        load_key(os.fspath(tmp_path / "nothing.key"))


def line(tmp_path, **units):
    options = {"key_file": key_file(tmp_path, "0f" * 16)}
    sites = {name: Site("osdp", unit=unit, options=options) for name, unit in units.items()}
    return ListenerSite("/dev/null", 9600, sites)


def test_a_line_of_readers_is_built_by_its_name(tmp_path):
    built = registry.build_listener("osdp_reader", line(tmp_path, front=0, back=126))
    assert built.channels == {"front": ("card", "tamper"), "back": ("card", "tamper")}


def test_a_reader_beyond_the_addresses_and_a_line_beyond_its_readers_are_refused(tmp_path):
    with pytest.raises(ProfileFault, match="unit: 127"):
        registry.build_listener("osdp_reader", line(tmp_path, front=127))
    many = {f"r{n}": n for n in range(17)}
    with pytest.raises(ProfileFault, match="16 of osdp_reader are the most"):
        registry.build_listener("osdp_reader", line(tmp_path, **many))


def test_a_reader_without_a_key_is_refused():
    site = ListenerSite("/dev/null", 9600, {"front": Site("osdp")})
    with pytest.raises(ProfileFault, match="key_file"):
        registry.build_listener("osdp_reader", site)


def test_what_a_panel_says_in_no_known_words_is_told_apart():
    """The driver makes a lost link of a DecodeError."""
    for line in (b"", b"null", b'{"type":"Reader","device":"r","standing":"asleep"}', b"\xff" * 9):
        with pytest.raises(msgspec.DecodeError):
            wire.decode_up(line)
    assert wire.decode_up(wire.encode(wire.Reader("r", Standing.PAIRED))) == wire.Reader("r", Standing.PAIRED)
