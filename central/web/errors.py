"""Every refusal that a client can meet. It leaves as `{"code", "message", …}` with the status.

    Problem                       (given)
    ├── NotSignedIn               session.required          401
    ├── Forbidden                 access.denied             403  the role's table of rights says no
    ├── ForeignOrigin             request.origin            403  a page of another site asks
    ├── NotFound                  request.not_found         404
    └── Invalid                   request.invalid           422  `path` names the field

A domain's own errors become a Problem in its routes, under their own codes.
"""


class Problem(Exception):
    """An answer that is not the one hoped for. `extra` goes into the JSON beside code and message."""

    def __init__(self, status: int, code: str, message: str, **extra: object) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.extra = extra


class NotSignedIn(Problem):
    def __init__(self) -> None:
        super().__init__(401, "session.required", "sign in first")


class Forbidden(Problem):
    def __init__(self, needed: str) -> None:
        super().__init__(403, "access.denied", f"your role may not do this: {needed}")


class ForeignOrigin(Problem):
    def __init__(self) -> None:
        super().__init__(403, "request.origin", "the Origin header must name this server")


class NotFound(Problem):
    def __init__(self) -> None:
        super().__init__(404, "request.not_found", "there is nothing here")


class Invalid(Problem):
    def __init__(self, message: str, path: str) -> None:
        super().__init__(422, "request.invalid", message, path=path)
