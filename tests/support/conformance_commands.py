"""What a driver that takes commands must hold: a pulse is sent once, whatever comes back."""

import asyncio
from collections.abc import Callable

import pytest

from device_drivers.bus import TURN_MAX_EXCHANGES
from device_drivers.driver import Command, Outcome
from device_drivers.errors import DeviceRefused
from tests.support.driver_cases import DriverCase
from tests.support.played_line import (
    QUARANTINE_S,
    Spoil,
    Turn,
    command_turn,
    line,
    seen,
    silent,
    sound_turns,
)

GARBAGE = b"\x55\xaa\x55\x01\x7f"


async def a_command_is_acknowledged_within_one_turn(case: DriverCase) -> None:
    for command in case.commands:
        turn = await command_turn(case, command)
        assert turn.result is Outcome.ACKNOWLEDGED
        assert {exchange.read.unit for exchange in turn.exchanges} == {case.site.unit}
        assert len(turn.exchanges) <= TURN_MAX_EXCHANGES


async def a_command_is_sent_once_whatever_comes_back(case: DriverCase) -> None:
    """Its outcome is then unknown, and neither it nor a later poll sends it again."""
    expected = await seen(case, is_active=True)
    polled = sum(len(turn.exchanges) for turn in await sound_turns(case))
    for command, nth, spoil in await _mishaps(case):
        async with line(case) as played:
            outcome = await played.execute(command, nth, spoil)
            assert outcome is Outcome.UNKNOWN, f"{outcome!r}, though nothing sound came back"
            assert len(played.heard) == nth + 1, "something was sent after the reply that was not sound"
            played.far.is_reachable = True
            played.answer = case.far_end(case.site.unit, True)
            assert await played.poll() == expected
            assert len(played.heard) == nth + 1 + polled, "the next poll sent more than its own requests"


async def a_second_echo_of_a_command_or_half_a_reply_proves_nothing(case: DriverCase) -> None:
    for command in case.commands:
        turn = await command_turn(case, command)
        reply = turn.exchanges[-1].reply
        for cut in range(len(reply)):
            async with line(case) as played:
                last = len(turn.exchanges) - 1
                outcome = await played.execute(command, last, lambda _, r, cut=cut: [r[:cut]])
                assert outcome is Outcome.UNKNOWN, f"{outcome!r} after {cut} bytes"


async def a_cancelled_command_is_not_sent_again(case: DriverCase) -> None:
    expected = await seen(case, is_active=True)
    polled = sum(len(turn.exchanges) for turn in await sound_turns(case))
    for command in case.commands:
        turn = await command_turn(case, command)
        for nth in range(len(turn.exchanges)):
            async with line(case) as played:
                await played.cut_short(played.execute(command, nth, silent))
                played.answer = case.far_end(case.site.unit, True)
                assert await played.poll() == expected
                assert len(played.heard) == nth + 1 + polled


async def a_late_acknowledgement_is_no_reading(case: DriverCase) -> None:
    """It comes within the quarantine; the poll after it reads the truth, which is rest."""
    at_rest = await seen(case, is_active=False)
    for command in case.commands:
        turn = await command_turn(case, command)
        for nth, exchange in enumerate(turn.exchanges):
            async with line(case) as played:
                assert await played.execute(command, nth, silent) is Outcome.UNKNOWN
                played.answer = case.far_end(case.site.unit, False)
                loop = asyncio.get_running_loop()
                loop.call_later(QUARANTINE_S / 2, played.far.send, exchange.reply)
                assert await played.poll() == at_rest


async def what_the_device_cannot_do_is_refused_unsent(case: DriverCase) -> None:
    command = case.commands[0]
    for wrong in (
        Command("no_such_action", command.channel, command.data),
        Command(command.action, "nosuch:99", command.data),
    ):
        async with line(case) as played:
            with pytest.raises(DeviceRefused):
                await played.execute(wrong)
            assert played.heard == []


async def two_commands_keep_their_distance(case: DriverCase) -> None:
    for command in case.commands:
        turn = await command_turn(case, command)
        async with line(case) as played:
            await played.execute(command)
            await played.execute(command)
            gap_s = played.heard[len(turn.exchanges)].at - played.heard[len(turn.exchanges) - 1].at
            assert gap_s >= played.driver.command_gap_s - 0.001


async def _mishaps(case: DriverCase) -> list[tuple[Command, int, Spoil]]:
    """Every way in which a command's reply can go wrong, at every exchange of its turn."""
    found: list[tuple[Command, int, Spoil]] = []
    for command in case.commands:
        turn = await command_turn(case, command)
        ways: list[Spoil] = [silent, lambda _, __: [GARBAGE]]
        if case.has_check:
            ways.append(lambda _, reply: [_spoiled(reply)])
        if case.is_addressed:
            ways.append(_of_other(case, await sound_turns(case, unit=case.other_unit)))
        found += [(command, nth, way) for nth in range(len(turn.exchanges)) for way in ways]
    return found


def _spoiled(reply: bytes) -> bytes:
    """The reply with its head gone wrong, as long as it was."""
    return bytes([reply[0] ^ 0x15]) + reply[1:]


def _of_other(case: DriverCase, turns: list[Turn]) -> Callable[[bytes, bytes], list[bytes]]:
    del case
    return lambda _, __: [turns[0].exchanges[0].reply]


COMMANDED = (
    a_command_is_acknowledged_within_one_turn,
    a_command_is_sent_once_whatever_comes_back,
    a_second_echo_of_a_command_or_half_a_reply_proves_nothing,
    a_cancelled_command_is_not_sent_again,
    a_late_acknowledgement_is_no_reading,
    what_the_device_cannot_do_is_refused_unsent,
    two_commands_keep_their_distance,
)
