from simulators.lock_board import LockBoard, split_requests
from simulators.plant import Plant

LOCKS = [f"liuxu.cab1.s{n:02}.lock" for n in range(1, 13)]
ITEMS = [f"liuxu.cab1.s{n:02}.item" for n in range(1, 13)]


def cabinet():
    plant = Plant(LOCKS + ITEMS)
    locks = LockBoard(LOCKS, plant, "closed", lambda point: plant.change(point, "open", 0, 0))
    items = LockBoard(ITEMS, plant, "present", lambda _: None)
    return plant, locks, items


def ask(board, frame):
    requests, used = split_requests(bytes.fromhex(frame))
    assert used == 5
    return board.answer(requests[0]).hex()


def test_reading_all_shows_a_short_contact_for_each_closed_lock():
    plant, locks, _ = cabinet()
    assert ask(locks, "80010033b2") == "8001000fff3342"
    plant.change(LOCKS[0], "open", 0, 0)
    plant.change(LOCKS[8], "open", 0, 0)
    assert ask(locks, "80010033b2") == "8001000efe3342"


def test_reading_one_lock():
    plant, locks, _ = cabinet()
    assert ask(locks, "80010133b3") == "8001011191"
    plant.change(LOCKS[0], "open", 0, 0)
    assert ask(locks, "80010133b3") == "8001010080"


def test_the_opening_pulse_opens_that_lock_alone():
    plant, locks, _ = cabinet()
    assert ask(locks, "8a0101119b") == "8a0101008a"
    assert [plant.value(lock) for lock in LOCKS[:2]] == ["open", "closed"]


def test_lock_zero_is_all_locks():
    plant, locks, _ = cabinet()
    ask(locks, "8a0100119a")
    assert {plant.value(lock) for lock in LOCKS} == {"open"}


def test_the_item_board_shows_items_and_has_nothing_to_open():
    plant, _, items = cabinet()
    plant.change(ITEMS[2], "absent", 0, 0)
    assert ask(items, "80020033b1") == "8002000ffb3345"
    assert ask(items, "8a02011198") == "8a02011198"
    assert {plant.value(lock) for lock in LOCKS} == {"closed"}


def test_a_lock_that_is_not_there_gets_no_answer():
    _, locks, _ = cabinet()
    assert ask(locks, "80010d33bf") == ""


def test_requests_are_found_behind_noise_and_a_beginning_is_kept():
    requests, used = split_requests(bytes.fromhex("ff00 80010033b2 80010133b3 8001"))
    assert [(request.board, request.lock) for request in requests] == [(1, 0), (1, 1)]
    assert used == 12


def test_a_request_with_a_wrong_check_is_not_answered():
    requests, _ = split_requests(bytes.fromhex("80010033b3"))
    assert requests == []
