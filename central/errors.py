"""What can go wrong in store and patrol. Accounts have their own tree, the wire's is in contract/errors.py.

CentralError                  central
├── StoreError                store
│   ├── NewerSchema           store.newer_schema      a later release made this store: start that one
│   ├── OtherSchema           store.other_schema      its tables are not this release's, and may only be read
│   ├── StoreInUse            store.in_use            a centre runs on this store, or another program has it
│   ├── BadCopy               store.bad_copy          a copy that is damaged, or whose chains are not sound
│   ├── NoCopy                store.no_copy           this database is copied and restored by its own tools
│   ├── StoreUnavailable      store.unavailable       disk full, server gone: nothing was committed  retryable
│   │   └── StoreBroken       store.broken            what the disk holds is not known: the centre ends
│   └── BadValue              store.bad_value         the database cannot hold a value: nothing was committed
└── ActError                  alert                   what a person asked for was not done
    ├── NotFound              alert.not_found         no such alert
    │   └── FaultNotFound     fault.not_found         no such fault
    ├── FaultGone             fault.gone              it ended before
    ├── Conflict              alert.conflict          it is not as the person saw it; carries how it is
    └── Refused               (given)                 a rule says no: the code names the rule
"""

from central.board_model import Alert


class CentralError(Exception):
    code = "central"
    retryable = False


class StoreError(CentralError):
    code = "store"


class NewerSchema(StoreError):
    code = "store.newer_schema"


class OtherSchema(StoreError):
    code = "store.other_schema"


class StoreInUse(StoreError):
    code = "store.in_use"
    retryable = True


class BadCopy(StoreError):
    code = "store.bad_copy"


class NoCopy(StoreError):
    code = "store.no_copy"


class StoreUnavailable(StoreError):
    code = "store.unavailable"
    retryable = True


class StoreBroken(StoreUnavailable):
    """After a failed sync the next may succeed without the bytes of the first: only a new start knows."""

    code = "store.broken"
    retryable = False


class BadValue(StoreError):
    code = "store.bad_value"


class ActError(CentralError):
    code = "alert"


class NotFound(ActError):
    code = "alert.not_found"


class FaultNotFound(NotFound):
    code = "fault.not_found"


class FaultGone(ActError):
    code = "fault.gone"


class Conflict(ActError):
    code = "alert.conflict"

    def __init__(self, alert: Alert) -> None:
        holder = alert.owner.name if alert.owner else "nobody"
        super().__init__(f"alert {alert.id} is {alert.state}, held by {holder}")
        self.alert = alert


class Refused(ActError):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
