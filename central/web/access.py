"""Who may reach which route: a table filled where routes are added. What is not in it is refused."""

from enum import Enum

from aiohttp import web

from central.accounts.roles import Right, User

COOKIE = "casewatch_session"


class Anyone(Enum):
    """Access that needs no right."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"


Access = Right | Anyone
AccessTable = dict[tuple[str, str], Access]
"""(method, route as written, such as `/api/v1/alerts/{id}/claim`) to what it needs."""

ACCESS = web.AppKey("access", AccessTable)
USER = web.RequestKey("user", User)
"""Set by the middleware for every route but the public ones."""


def access_of(request: web.Request) -> Access | None:
    """What the matched route needs; None: nobody said, so nobody may."""
    resource = request.match_info.route.resource
    if resource is None:
        return None
    return request.app[ACCESS].get((request.method, resource.canonical))
