"""What is refused in matters of trust.

CentralError                  central
└── TrustError                trust
    ├── NoTrust               trust.none             no authority here: `trust init` was never run
    ├── TrustExists           trust.exists           there is one already: it is never written over
    ├── KeyExposed            trust.key_exposed      a secret that others on this machine can read
    ├── BadRequest            trust.bad_request      a certificate request that is not signed by its own key
    ├── CodeRefused           trust.code_refused     unknown, used, expired, or made for another edge
    ├── TooManyTries          trust.too_many_tries   wrong codes from one address of late       retryable
    ├── NotRenewable          trust.not_renewable    the key that asks does not speak for this edge
    ├── RenewedTooOften       trust.renewed_too_often   as often as in one day it may           retryable
    └── EpochRefused          trust.epoch_refused    a journal of earlier, which another has replaced
"""

from central.errors import CentralError


class TrustError(CentralError):
    code = "trust"


class NoTrust(TrustError):
    code = "trust.none"


class TrustExists(TrustError):
    code = "trust.exists"


class KeyExposed(TrustError):
    code = "trust.key_exposed"


class BadRequest(TrustError):
    code = "trust.bad_request"


class CodeRefused(TrustError):
    code = "trust.code_refused"


class TooManyTries(TrustError):
    """`wait_s`: earliest that another code is looked at."""

    code = "trust.too_many_tries"
    retryable = True

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many wrong codes, next try in {wait_s} s")
        self.wait_s = wait_s


class NotRenewable(TrustError):
    code = "trust.not_renewable"


class RenewedTooOften(TrustError):
    code = "trust.renewed_too_often"
    retryable = True


class EpochRefused(TrustError):
    code = "trust.epoch_refused"
