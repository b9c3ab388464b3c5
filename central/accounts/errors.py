"""Everything that can stop a sign-in.

AccountError                  account
├── WrongCredentials          account.wrong_credentials   name or password, deliberately not said which
├── LockedOut                 account.locked_out          too many failures of late          retryable
├── CodeRefused               account.code_refused        unknown, used or expired invitation
└── NameTaken                 account.name_taken          an account of this name exists
"""

from central.errors import CentralError


class AccountError(CentralError):
    """A sign-in that is refused."""

    code = "account"


class WrongCredentials(AccountError):
    code = "account.wrong_credentials"


class LockedOut(AccountError):
    """`wait_s`: earliest that another try is looked at."""

    code = "account.locked_out"
    retryable = True

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many failed sign-ins, next try in {wait_s} s")
        self.wait_s = wait_s


class CodeRefused(AccountError):
    code = "account.code_refused"


class NameTaken(AccountError):
    code = "account.name_taken"
