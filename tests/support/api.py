"""Plain HTTP clients of the centre and of the simulators, as any foreign program would be."""

import http.client
import json
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit


class HttpError(Exception):
    """An answer that is not 2xx: `status` and the decoded `body`."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


class Http:
    """One kept connection that speaks JSON and keeps the session cookie. `tls`: for an https address."""

    def __init__(self, address: str, tls: ssl.SSLContext | None = None) -> None:
        self.address = address
        self.tls = tls
        self.cookie = ""
        self._connection: http.client.HTTPConnection | None = None

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Origin": self.address, "Accept": "application/json"}
        if self.cookie:
            headers["Cookie"] = self.cookie
        raw = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            raw = json.dumps(body).encode()
        for attempt in (1, 2):
            try:
                status, cookie, text = self._exchange(method, path, raw, headers)
                break
            except (http.client.HTTPException, OSError):
                self.close()
                if attempt == 2 or method != "GET":
                    raise
        if cookie:
            self.cookie = cookie.split(";")[0]
        try:
            decoded = json.loads(text) if text else None
        except ValueError:
            decoded = text.decode(errors="replace")
        if not 200 <= status < 300:
            raise HttpError(status, decoded)
        return decoded

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: Any) -> Any:
        return self.call("POST", path, body)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(
        self, method: str, path: str, raw: bytes | None, headers: dict[str, str]
    ) -> tuple[int, str, bytes]:
        if self._connection is None:
            where = urlsplit(self.address)
            assert where.hostname is not None
            if where.scheme == "https":
                self._connection = http.client.HTTPSConnection(
                    where.hostname, where.port, timeout=10, context=self.tls
                )
            else:
                self._connection = http.client.HTTPConnection(where.hostname, where.port, timeout=10)
        self._connection.request(method, path, raw, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.getheader("Set-Cookie") or "", answer.read()


def all_pages(client: Http, path: str, key: str, after: int | None = None) -> Iterator[dict[str, Any]]:
    """Every item of a paged list, in order; of those behind `after` where that is told."""
    joint = "&" if "?" in path else "?"
    address = f"{path}{joint}limit=500"
    page = client.get(address if after is None else f"{address}&after={after}")
    yield from page[key]
    while page["next"] is not None and page[key]:
        page = client.get(f"{address}&after={page['next']}")
        yield from page[key]
