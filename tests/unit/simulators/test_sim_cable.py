"""A cable with its devices, driven from the driver's end: over a pty, over TCP, and over a line in memory."""

import asyncio
import contextlib
import os
import termios
import tty

import pytest

from device_drivers.lock_8a import codec as lock_8a
from simulators.cable import Cable
from simulators.errors import BadValue
from simulators.faults import Fault, FaultKind, FaultLayer
from simulators.input_module import InputModule
from simulators.locks.board import TELL_CHANGES, LockBoard
from simulators.locks.lock_8a import Line8a
from simulators.modbus_units import ModbusRtuUnits, ModbusTcpUnits
from simulators.module_map import MODULE_MAPS
from simulators.plant import Plant
from simulators.pty_line import PtyLine
from simulators.sealing import SEALINGS
from simulators.tcp_end import TcpEnd

DOOR = "a.r1.door"
LOCKS = ["a.cab1.s01.lock", "a.cab1.s02.lock"]
READ_RTU = bytes.fromhex("010200000010 79c6")
READ_TCP = bytes.fromhex("000100000006010200000010")
LEVELS_TCP = bytes.fromhex("0001000000050102020000")


class MemoryEnd:
    """A line without a machine behind it. `got`: what a driver received, in pieces."""

    is_network = False
    address = "memory"

    def __init__(self, driver_baud=0):
        self.driver_baud = driver_baud
        self.got = []
        self.arrived = asyncio.Event()

    async def open(self, heard):
        self.heard = heard

    async def close(self):
        pass

    def send(self, data):
        self.got.append(data)
        self.arrived.set()

    def drop(self):
        pass

    def say(self, frame):
        assert self.heard(frame, self.send) == len(frame)

    async def next(self):
        await asyncio.wait_for(self.arrived.wait(), 5)
        self.arrived.clear()
        return self.got[-1]


def moxa(units=(1,)):
    plant = Plant([f"a.r{unit}.door" for unit in units])
    return plant, {
        unit: InputModule(MODULE_MAPS["moxa-r1210"], {0: f"a.r{unit}.door"}, plant) for unit in units
    }


def layer(speaks):
    return FaultLayer(1, SEALINGS[speaks], is_network=speaks == "modbus-tcp")


async def rtu_cable(end, baud=0):
    plant, modules = moxa()
    cable = Cable(end, ModbusRtuUnits(modules), layer("modbus-rtu"), baud)
    await cable.start()
    return cable, plant


def texts(cable):
    return [(">" if frame.from_host else "<", frame.unit, frame.text) for frame in cable.frames(0)]


async def test_a_request_and_its_reply_are_kept_in_words_with_what_struck_them():
    end = MemoryEnd()
    cable, _ = await rtu_cable(end)
    await cable.inject(Fault(FaultKind.CHECK, count=1))
    end.say(READ_RTU)
    end.say(READ_RTU)
    frames = cable.frames(0)
    assert [(frame.n, frame.from_host, frame.faults) for frame in frames] == [
        (1, True, []),
        (2, False, ["check"]),
        (3, True, []),
        (4, False, []),
    ]
    assert frames[0].hex == READ_RTU.hex(" ")
    assert [frame.n for frame in cable.frames(2)] == [3, 4]
    assert texts(cable)[1] != texts(cable)[3]


async def test_a_lost_reply_is_kept_as_nothing_with_its_fault():
    end = MemoryEnd()
    cable, _ = await rtu_cable(end)
    await cable.inject(Fault(FaultKind.LOST))
    end.say(READ_RTU)
    assert end.got == []
    assert texts(cable)[1] == ("<", 1, "nothing")
    assert cable.frames(0)[1].faults == ["lost"]


async def test_frames_are_kept_to_a_bound():
    end = MemoryEnd()
    cable, _ = await rtu_cable(end)
    for _ in range(300):
        end.say(READ_RTU)
    kept = cable.frames(0)
    assert (len(kept), kept[-1].n) == (200, 600)


async def test_what_no_device_answers_is_kept_and_echoed():
    end = MemoryEnd()
    plant = Plant(LOCKS)
    boards = {1: LockBoard(LOCKS, plant, lambda _: None)}
    cable = Cable(end, Line8a(boards), layer("lock-8a"))
    await cable.start()
    await cable.inject(Fault(FaultKind.ECHO))
    nobody = lock_8a.encode_read(7)
    end.say(nobody)
    assert end.got == [nobody]
    assert [frame.from_host for frame in cable.frames(0)] == [True, False]


async def test_a_notice_before_a_reply_does_not_make_the_request_come_twice():
    end = MemoryEnd()
    plant = Plant(LOCKS)
    boards = {1: LockBoard(LOCKS, plant, lambda _: None)}
    cable = Cable(end, Line8a(boards), layer("lock-8a"))
    await cable.start()
    await cable.act(1, TELL_CHANGES)
    plant.change(LOCKS[1], "open", 0, 0)
    await cable.inject(Fault(FaultKind.ECHO))
    end.say(lock_8a.encode_read(1))
    notice, answer = lock_8a.encode_one(1, 2, is_short=False, head=lock_8a.NOTICE_HEAD), end.got[-1]
    assert b"".join(end.got) == lock_8a.encode_read(1) + notice + answer
    assert [frame.from_host for frame in cable.frames(0)].count(True) == 1


async def test_an_unasked_frame_is_no_request_of_nothing():
    end = MemoryEnd()
    plant = Plant([DOOR])
    module = InputModule(MODULE_MAPS["konnad-c2000-sdd8020"], {0: DOOR}, plant)
    cable = Cable(end, ModbusTcpUnits({255: module}), layer("modbus-tcp"))
    await cable.start()
    await cable.act(255, "auto-upload")
    end.say(bytes.fromhex("00010000 0006 ff 02 00c8 0008"))
    assert [frame.from_host for frame in cable.frames(0)] == [False, True, False]
    assert all(frame.hex for frame in cable.frames(0))


async def test_at_another_speed_than_the_devices_only_garbage_comes_back():
    end = MemoryEnd(driver_baud=19_200)
    cable, plant = await rtu_cable(end, baud=9_600)
    end.say(READ_RTU)
    garbage = await end.next()
    end.driver_baud = 9_600
    end.say(READ_RTU)
    assert garbage != await end.next()
    assert end.got[-1][:3] == bytes([1, 2, 2])
    assert [frame.faults for frame in cable.frames(0) if not frame.from_host] == [["garbage"], []]
    assert plant.value(DOOR) == "closed"


async def test_an_emulated_speed_takes_the_time_of_the_wire():
    end = MemoryEnd(driver_baud=1_200)
    await rtu_cable(end, baud=1_200)
    loop = asyncio.get_running_loop()
    asked_mono = loop.time()
    end.say(READ_RTU)
    reply = await end.next()
    assert loop.time() - asked_mono >= (len(READ_RTU) + len(reply)) * 11 / 1_200


async def test_a_stuck_bus_carries_its_level_and_no_reply_until_it_is_healed():
    end = MemoryEnd()
    cable, _ = await rtu_cable(end)
    await cable.inject(Fault(FaultKind.STUCK_LOW))
    end.say(READ_RTU)
    await end.next()
    await end.next()
    assert set(b"".join(end.got)) == {0}
    await cable.heal()
    end.got.clear()
    end.say(READ_RTU)
    assert end.got[-1][:3] == bytes([1, 2, 2])


async def test_a_babbling_unit_talks_without_being_asked():
    end = MemoryEnd()
    cable, _ = await rtu_cable(end)
    await cable.inject(Fault(FaultKind.BABBLE))
    assert len({await end.next() for _ in range(3)}) > 1
    await cable.stop()


async def test_a_fault_that_the_cable_cannot_have_is_refused():
    cable, _ = await rtu_cable(MemoryEnd())
    for fault in (Fault(FaultKind.LOST, unit=9), Fault(FaultKind.DROPPED), Fault(FaultKind.HALF_OPEN)):
        with pytest.raises(BadValue):
            await cable.inject(fault)
    assert cable.faults.active == {}
    assert FaultKind.HALF_OPEN not in cable.fitting_faults()


async def test_a_device_that_is_away_hears_nothing_and_counts_nothing():
    end = MemoryEnd()
    cable, _ = await rtu_cable(end)
    await cable.set_online(online=False)
    end.say(READ_RTU)
    assert (end.got, cable.frames(0)) == ([], [])


async def test_a_pty_that_was_unplugged_comes_back_as_a_new_node_under_its_path(tmp_path):
    path = tmp_path / "line"
    cable, _ = await rtu_cable(PtyLine(path))
    node = path.readlink()
    line = os.open(path, os.O_RDWR | os.O_NOCTTY)
    number = await cable.inject(Fault(FaultKind.UNPLUGGED))
    assert not path.is_symlink()
    await cable.set_online(online=True)
    assert not path.is_symlink()
    os.close(line)
    await cable.heal(number)
    assert path.readlink() != node
    await cable.stop()
    assert not path.is_symlink()


async def test_the_speed_that_a_driver_chose_is_read_from_the_pty(tmp_path):
    path = tmp_path / "line"
    line = PtyLine(path)
    await line.open(lambda data, _: len(data))
    driver = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(driver)
        settings = termios.tcgetattr(driver)
        settings[4] = settings[5] = termios.B19200
        termios.tcsetattr(driver, termios.TCSANOW, settings)
        assert line.driver_baud == 19_200
    finally:
        os.close(driver)
        await line.close()


class Tcp:
    """A cable that ends in a TCP port, and a connection to it."""

    async def __aenter__(self):
        self.plant, modules = moxa()
        self.cable = Cable(TcpEnd("127.0.0.1", 0), ModbusTcpUnits(modules), layer("modbus-tcp"))
        await self.cable.start()
        self.writer = None
        await self.connect()
        return self

    async def __aexit__(self, *_):
        await self.hang_up()
        await self.cable.stop()

    async def hang_up(self):
        if self.writer is not None:
            self.writer.close()
            with contextlib.suppress(ConnectionError):
                await self.writer.wait_closed()
            self.writer = None

    async def connect(self):
        await self.hang_up()
        host, _, port = self.cable.address.rpartition(":")
        self.reader, self.writer = await asyncio.open_connection(host, int(port))

    async def ask(self):
        self.writer.write(READ_TCP)
        return await asyncio.wait_for(self.reader.read(64), 5)


async def test_a_dropped_connection_is_cut_once_and_the_port_stays():
    async with Tcp() as tcp:
        assert await tcp.ask() == LEVELS_TCP
        await tcp.cable.inject(Fault(FaultKind.DROPPED))
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(tcp.reader.read(64), 5) == b""
        await tcp.connect()
        assert await tcp.ask() == LEVELS_TCP
        assert tcp.cable.faults.active == {}


async def test_a_half_open_port_accepts_and_never_answers():
    async with Tcp() as tcp:
        await tcp.cable.inject(Fault(FaultKind.HALF_OPEN))
        await tcp.connect()
        tcp.writer.write(READ_TCP)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(tcp.reader.read(64), 0.2)
        await tcp.cable.heal()
        assert await tcp.ask() == LEVELS_TCP


async def test_a_module_without_power_has_no_socket():
    async with Tcp() as tcp:
        await tcp.cable.set_online(online=False)
        with pytest.raises(ConnectionRefusedError):
            await tcp.connect()
        await tcp.cable.set_online(online=True)
        await tcp.connect()
        assert await tcp.ask() == LEVELS_TCP
