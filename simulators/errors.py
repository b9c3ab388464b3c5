"""Everything a simulator refuses.

SimulatorError             sim
├── ScenarioFault          sim.scenario        a scenario that cannot be played; lists every fault
├── UnknownPoint           sim.unknown_point   no such point in this scenario
├── UnknownDevice          sim.unknown_device  no such device in this scenario
├── UnknownAct             sim.unknown_act     the device knows no such act
├── OnvifFault             sim.onvif_fault     a simulated camera's no to its client
├── BadValue               sim.bad_value       the point cannot have that value
└── PortBusy               sim.port_busy       an address or path somebody else holds   retryable

`retryable`: the same may work a little later.
"""


class SimulatorError(Exception):
    """What was asked of the simulators cannot be done."""

    code = "sim"
    retryable = False


class ScenarioFault(SimulatorError):
    code = "sim.scenario"

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class UnknownPoint(SimulatorError):
    code = "sim.unknown_point"


class UnknownDevice(SimulatorError):
    code = "sim.unknown_device"


class UnknownAct(SimulatorError):
    code = "sim.unknown_act"


class OnvifFault(SimulatorError):
    """`word`: the fault's name in ONVIF's error namespace."""

    code = "sim.onvif_fault"

    def __init__(self, word: str, reason: str) -> None:
        super().__init__(reason)
        self.word = word


class BadValue(SimulatorError):
    code = "sim.bad_value"


class PortBusy(SimulatorError):
    code = "sim.port_busy"
    retryable = True
