"""Everything that can go wrong between us and a device.

    DriverError                   driver
    ├── LinkDown                  driver.link_down       port or connection gone          retryable
    │   └── NotOpen               driver.not_open        gone before anything was sent      retryable
    ├── NoReply                   driver.no_reply        nothing, or not enough, in time  retryable
    ├── BadFrame                  driver.bad_frame       check, length or shape is wrong  retryable
    ├── WrongReply                driver.wrong_reply     sound, but not to this request   retryable
    │   ├── WrongUnit             driver.wrong_unit      another unit's answer             retryable
    │   └── UnaskedFrame          driver.unasked         to be skipped: older reply, notice   retryable
    ├── TooLate                   driver.too_late        a command whose time was over before it could go out
    ├── DeviceBusy                driver.busy            the device asks us to come later retryable
    ├── DeviceRefused             driver.refused         the device says no: a configuration fault
    │   └── LoginRefused          driver.login_refused   our user or password: asking on may lock the account
    ├── ProfileFault              driver.profile         a profile or option that cannot be used
    └── CaptureFault              driver.capture         a file of captured frames that cannot be read

`retryable` is for reads only: a lock's pulse is never sent twice.
"""


class DriverError(Exception):
    """A request that brought no observation."""

    code = "driver"
    retryable = False


class LinkDown(DriverError):
    code = "driver.link_down"
    retryable = True


class NotOpen(LinkDown):
    """Nothing of the request has been sent."""

    code = "driver.not_open"


class NoReply(DriverError):
    """`received`: what came of a reply that is not whole."""

    code = "driver.no_reply"
    retryable = True

    def __init__(self, text: str, received: bytes = b"") -> None:
        super().__init__(text)
        self.received = received


class BadFrame(DriverError):
    code = "driver.bad_frame"
    retryable = True


class WrongReply(DriverError):
    code = "driver.wrong_reply"
    retryable = True


class WrongUnit(WrongReply):
    """A sound frame of unit `answered`: its late reply, if it was asked before and did not answer."""

    code = "driver.wrong_unit"

    def __init__(self, answered: int) -> None:
        super().__init__(f"reply from unit {answered}")
        self.answered = answered


class UnaskedFrame(WrongReply):
    code = "driver.unasked"


class TooLate(DriverError):
    """Nothing of the command has been sent."""

    code = "driver.too_late"


class DeviceBusy(DriverError):
    code = "driver.busy"
    retryable = True


class DeviceRefused(DriverError):
    code = "driver.refused"


class LoginRefused(DeviceRefused):
    code = "driver.login_refused"


class ProfileFault(DriverError):
    code = "driver.profile"


class CaptureFault(DriverError):
    code = "driver.capture"
