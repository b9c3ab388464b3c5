"""What the web side counts of itself for `/metrics`; other parts count in the same registry."""

from http import HTTPStatus

from aiohttp import web
from prometheus_client import Counter, Gauge, Histogram

live_clients = Gauge("casewatch_live_clients", "Boards connected.")
live_snapshots = Counter(
    "casewatch_live_snapshots", "Snapshots sent: to boards that are new, and to those too slow for changes."
)
_requests = Counter("casewatch_http_requests", "Requests answered.", ["method", "route", "status"])
_seconds = Histogram(
    "casewatch_http_request_seconds", "Time to the answer; sockets are not counted.", ["route"]
)

_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE"})


def note_request(request: web.Request, status: int, seconds: float) -> None:
    """Labels are routes as they are written, never paths: their number is bounded."""
    resource = request.match_info.route.resource
    route = resource.canonical if resource else "none"
    method = request.method if request.method in _METHODS else "other"
    _requests.labels(method, route, str(status)).inc()
    if status != HTTPStatus.SWITCHING_PROTOCOLS:
        _seconds.labels(route).observe(seconds)
