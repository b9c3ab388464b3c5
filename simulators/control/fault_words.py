"""What a technician calls each fault, in both languages."""

from simulators.faults import FaultKind

FAULT_WORDS: dict[FaultKind, tuple[str, str]] = {
    FaultKind.CHECK: ("校验错误", "check error"),
    FaultKind.LOST: ("无应答", "no reply"),
    FaultKind.LATE: ("应答迟到", "late reply"),
    FaultKind.WRONG_UNIT: ("地址错误的应答", "reply of another unit"),
    FaultKind.WRONG_FUNCTION: ("功能码错误", "reply to another function"),
    FaultKind.SHORT: ("应答缺字节", "reply with a byte too few"),
    FaultKind.ECHO: ("请求回显", "echo of the request"),
    FaultKind.ECHO_SPLIT: ("分段回显", "echo in two pieces"),
    FaultKind.NOISE_BEFORE: ("应答前杂波", "noise before the reply"),
    FaultKind.NOISE_AFTER: ("应答后杂波", "noise after the reply"),
    FaultKind.PARTIAL: ("半截应答", "half a reply"),
    FaultKind.SPLIT: ("逐字节应答", "reply byte by byte"),
    FaultKind.CLASH: ("地址冲突", "two units on one address"),
    FaultKind.GARBAGE: ("乱码（波特率不符）", "garbage (wrong baud)"),
    FaultKind.EXCEPTION: ("异常应答", "exception reply"),
    FaultKind.STUCK_LOW: ("总线恒为 0", "bus stuck at 00"),
    FaultKind.STUCK_HIGH: ("总线恒为 1", "bus stuck at FF"),
    FaultKind.BABBLE: ("设备乱发", "a unit babbles"),
    FaultKind.UNPLUGGED: ("线缆拔出", "cable unplugged"),
    FaultKind.DROPPED: ("TCP 断开一次", "TCP connection dropped once"),
    FaultKind.HALF_OPEN: ("TCP 半开", "TCP half open"),
}
