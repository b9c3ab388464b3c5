"""A reader's standing in virtual time, and how soon libosdp is to try it again."""

from device_drivers.osdp_reader.pairing import REST_CAP_S, SILENT_S, UNPAIRED_S, Pairing, Rest, Standing


def test_nothing_is_said_of_a_reader_before_it_had_its_time():
    pairing = Pairing(0.0)
    assert pairing.standing(UNPAIRED_S, is_paired=False) is None
    assert pairing.standing(UNPAIRED_S, is_paired=True) is Standing.PAIRED


def test_a_reader_that_answers_without_a_channel_is_unpaired_and_not_silent():
    pairing = Pairing(0.0)
    for now_s in range(1, 60):
        pairing.heard(float(now_s))
        standing = pairing.standing(float(now_s), is_paired=False)
        assert standing is (Standing.UNPAIRED if now_s > UNPAIRED_S else None)


def test_a_silent_reader_is_silent_whatever_the_library_still_believes():
    pairing = Pairing(0.0)
    assert pairing.standing(SILENT_S + 0.1, is_paired=True) is Standing.SILENT


def test_a_reader_that_comes_back_has_its_time_again_before_it_counts_as_unpaired():
    pairing = Pairing(0.0)
    assert pairing.standing(30.0, is_paired=False) is Standing.SILENT
    pairing.heard(31.0)
    assert pairing.standing(31.0, is_paired=False) is None
    pairing.heard(33.5)
    assert pairing.standing(33.5, is_paired=False) is Standing.UNPAIRED
    assert pairing.standing(34.0, is_paired=True) is Standing.PAIRED


def test_a_failed_reader_rests_ever_longer_up_to_the_cap_and_soon_again_once_online():
    rest, now_s, waits = Rest(), 0.0, []

    def fail():
        nonlocal now_s
        rest.failed(now_s)
        began_s = now_s
        while not rest.is_over(now_s):
            now_s += 0.25
        rest.is_resetting = False
        return now_s - began_s

    waits = [fail() for _ in range(5)]
    assert waits == [0.5, 1.0, 2.0, REST_CAP_S, REST_CAP_S]
    rest.online()
    assert fail() == 0.5


def test_being_reset_is_no_new_failure():
    rest = Rest()
    rest.failed(0.0)
    assert rest.is_over(1.0)
    rest.failed(1.0)
    assert not rest.is_over(100.0)


def test_the_rest_is_shorter_than_what_counts_as_silence():
    assert REST_CAP_S < SILENT_S
