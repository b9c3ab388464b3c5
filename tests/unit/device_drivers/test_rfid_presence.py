"""Which tags are there: what counts as a miss, whose tag it is, what is unknown."""

import random

import pytest

from device_drivers.driver import Fault, Observation
from device_drivers.rfid.presence import Presence, TagOptions, epcs
from device_drivers.rfid.round import Round

A, B, GLUED = "E2800001", "E2800002", "E280FFFF"
NEAR, FAR = -40, -70


def presence(*antennas: int, tells_antenna: bool = True, **options: object) -> Presence:
    return Presence((A, B), antennas or (1,), TagOptions(**options), tells_antenna=tells_antenna)


def told(observations: list[Observation], epc: str = A) -> str:
    """What a round says of a tag: present, gone, unknown, or nothing."""
    for seen in observations:
        if seen.channel == f"tag:{epc}":
            return "unknown" if seen.fault is Fault.DEVICE_ERROR else "present" if seen.active else "gone"
    return "nothing"


def rounds(of: Presence, count: int, *, antenna: int = 1, is_whole: bool = True) -> list[str]:
    """What so many rounds say that do not hear the tag."""
    return [told(of.hear(antenna, {}, is_whole=is_whole)) for _ in range(count)]


def test_a_tag_is_there_when_it_is_heard_and_gone_after_three_misses() -> None:
    tags = presence()
    assert told(tags.hear(1, {A: NEAR}, is_whole=True)) == "present"
    assert rounds(tags, 4) == ["present", "present", "gone", "gone"]
    assert told(tags.hear(1, {A: NEAR}, is_whole=True)) == "present"


def test_a_tag_heard_in_between_starts_the_count_anew() -> None:
    tags = presence()
    tags.hear(1, {A: NEAR}, is_whole=True)
    assert rounds(tags, 2) == ["present", "present"]
    tags.hear(1, {A: NEAR}, is_whole=True)
    assert rounds(tags, 3) == ["present", "present", "gone"]


def test_the_installer_says_how_many_misses_it_takes() -> None:
    tags = presence(misses=5)
    tags.hear(1, {A: NEAR}, is_whole=True)
    assert rounds(tags, 5)[-2:] == ["present", "gone"]


def test_nothing_is_said_after_a_start_until_it_is_known() -> None:
    assert rounds(presence(), 3) == ["nothing", "nothing", "gone"]


def test_a_damaged_round_is_no_miss_but_many_of_them_are_ignorance() -> None:
    tags = presence()
    tags.hear(1, {A: NEAR}, is_whole=True)
    assert rounds(tags, 6, is_whole=False) == ["present"] * 5 + ["unknown"]
    assert rounds(tags, 3) == ["unknown", "unknown", "gone"]


def test_a_tag_heard_in_a_damaged_round_is_there() -> None:
    assert told(presence().hear(1, {A: NEAR}, is_whole=False)) == "present"


def test_an_antenna_that_is_off_makes_its_tags_unknown_never_gone() -> None:
    tags = presence()
    tags.hear(1, {A: NEAR}, is_whole=True)
    for _ in range(5):
        lost = tags.lose(1)
        assert told(lost) == "unknown"
        assert Observation("antenna:1", active=True) in lost
    back = tags.hear(1, {}, is_whole=True)
    assert told(back) == "nothing", "it is not taken for there before it is heard"
    assert Observation("antenna:1", active=False) in back
    assert rounds(tags, 2) == ["nothing", "gone"]


def test_a_reader_that_was_silent_does_not_vouch_for_what_it_heard_before() -> None:
    tags = presence()
    tags.hear(1, {A: NEAR}, is_whole=True)
    tags.forget(1)
    assert rounds(tags, 3) == ["nothing", "nothing", "gone"]


def test_silence_now_and_then_does_not_hide_a_removal_for_ever() -> None:
    tags = presence()
    tags.hear(1, {A: NEAR}, is_whole=True)
    said = []
    for _ in range(3):
        said += rounds(tags, 1)
        tags.forget(1)
    assert said[-1] == "gone"


def test_a_tag_that_two_antennas_hear_belongs_to_the_nearer() -> None:
    tags = presence(1, 2)
    assert told(tags.hear(1, {A: FAR}, is_whole=True)) == "present"
    assert told(tags.hear(2, {A: NEAR}, is_whole=True)) == "present"
    assert told(tags.hear(1, {A: FAR}, is_whole=True)) == "nothing", "the other antenna tells of it"


def test_a_tag_is_not_gone_while_another_antenna_still_hears_it() -> None:
    tags = presence(1, 2)
    tags.hear(1, {A: NEAR}, is_whole=True)
    tags.hear(2, {A: FAR}, is_whole=True)
    assert rounds(tags, 4) == ["present", "present", "nothing", "nothing"]
    assert told(tags.hear(2, {A: FAR}, is_whole=True)) == "present"
    assert rounds(tags, 3, antenna=2) == ["present", "present", "gone"]


def test_an_antenna_that_is_off_may_still_have_what_the_other_does_not_hear() -> None:
    tags = presence(1, 2)
    tags.hear(1, {A: NEAR, B: NEAR}, is_whole=True)
    tags.hear(2, {B: FAR}, is_whole=True)
    tags.lose(1)
    second = tags.hear(2, {B: FAR}, is_whole=True)
    assert (told(second, A), told(second, B)) == ("unknown", "present")
    assert set(rounds(tags, 5, antenna=2)) == {"unknown"}


def test_an_antenna_is_off_when_it_misses_its_reference_tags() -> None:
    tags = presence(reference_tags=(GLUED,), tells_antenna=False)
    assert tags.channels(1) == (f"tag:{A}", f"tag:{B}", "antenna:1")
    tags.hear(1, {A: NEAR, GLUED: NEAR}, is_whole=True)
    assert rounds(tags, 4) == ["present", "present", "unknown", "unknown"]
    assert told(tags.hear(1, {A: NEAR, GLUED: NEAR}, is_whole=True)) == "present"


def test_an_antenna_that_was_off_is_on_again_only_when_it_hears_its_reference() -> None:
    tags = presence(reference_tags=(GLUED,))
    tags.lose(1)
    assert Observation("antenna:1", active=True) in tags.hear(1, {A: NEAR}, is_whole=True)
    assert Observation("antenna:1", active=False) in tags.hear(1, {GLUED: NEAR}, is_whole=True)


def test_of_several_times_that_a_tag_was_heard_the_best_counts() -> None:
    tags = presence(1, 2)
    tags.hear(2, {A: -50}, is_whole=True)
    round_ = Round(tags, 1)
    round_.begin()
    for rssi in (NEAR, FAR):
        round_.note(bytes.fromhex(A), rssi)
    assert told(round_.end() or []) == "present"


def test_a_reader_that_cannot_tell_an_antenna_has_no_channel_for_it() -> None:
    assert presence(tells_antenna=False).channels(1) == (f"tag:{A}", f"tag:{B}")


def test_strangers_are_ignored() -> None:
    observations = presence().hear(1, {f"E2{n:06X}": FAR for n in range(200)}, is_whole=True)
    assert [seen.channel for seen in observations] == ["antenna:1"]


@pytest.mark.parametrize("seed", range(3))
def test_a_flicker_of_a_fifth_makes_no_event_in_ten_thousand_rounds(seed: int) -> None:
    dice = random.Random(seed)
    round_ = Round(tags := presence(), 1)
    tags.hear(1, {A: NEAR, B: NEAR}, is_whole=True)
    for _ in range(10_000):
        round_.begin()
        observations = None
        while observations is None:
            for epc in (A, B):
                if dice.random() >= 0.2:
                    round_.note(bytes.fromhex(epc), NEAR)
            observations = round_.end()
        assert {told(observations, A), told(observations, B)} == {"present"}


def test_a_round_listens_again_only_while_something_is_missing() -> None:
    round_ = Round(tags := presence(), 1)
    tags.hear(1, {A: NEAR}, is_whole=True)
    round_.begin()
    assert round_.end() is None
    round_.note(bytes.fromhex(A), FAR)
    assert told(round_.end() or []) == "present"
    round_.begin()
    assert [round_.end() is None for _ in range(3)] == [True, True, False]


def test_only_tags_in_capitals_and_whole_words_are_channels() -> None:
    channels = ("tag:E2800001", "tag:e2800002", "tag:E28", "antenna:1", "tag:")
    assert epcs(channels) == ("E2800001",)
