"""`/api/openapi.json`: made from the table of endpoints, so it says what is served and nothing else."""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct

from central.accounts.roles import Right
from central.web.access import COOKIE, Anyone
from central.web.endpoints import Endpoint, Nothing

_REF = "#/components/schemas/{name}"
_PART = re.compile(r"\{(\w+)\}")
_PROBLEM = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
}

Json = dict[str, Any]


class Socket(Struct, frozen=True, kw_only=True):
    """A WebSocket beside the endpoints; OpenAPI can only tell of its opening request."""

    path: str
    access: Right
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    summary: str


def document(endpoints: Sequence[Endpoint], sockets: Sequence[Socket], version: str) -> Json:
    """The OpenAPI 3.1 document."""
    kinds = {kind for e in endpoints for kind in (e.body, e.query, e.reply) if kind is not Nothing}
    ordered = sorted(kinds, key=lambda kind: (kind.__name__, kind.__module__))
    refs, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    schemas = dict(zip(ordered, refs, strict=True))
    paths: dict[str, Json] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, schemas, components)
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    for socket in sockets:
        paths.setdefault(socket.path, {})["get"] = _socket(socket)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Casewatch 案管哨", "version": version},
        "paths": paths,
        "components": {
            "schemas": components | {"Problem": _PROBLEM},
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": COOKIE}},
        },
    }


def _operation(endpoint: Endpoint, schemas: dict[type[Struct], Json], components: Json) -> Json:
    operation: Json = {"summary": endpoint.summary, "responses": _responses(endpoint, schemas)}
    if endpoint.access is not Anyone.PUBLIC:
        operation["security"] = [{"session": []}]
    if isinstance(endpoint.access, Right):
        operation["x-right"] = endpoint.access
    if endpoint.body is not Nothing:
        operation["requestBody"] = {"required": True, "content": _json(schemas[endpoint.body])}
    parameters = _path_parts(endpoint.path)
    if endpoint.query is not Nothing:
        schema = components[schemas[endpoint.query]["$ref"].rsplit("/", 1)[-1]]
        parameters += [
            {"name": name, "in": "query", "required": name in schema["required"], "schema": value}
            for name, value in schema["properties"].items()
        ]
    if parameters:
        operation["parameters"] = parameters
    return operation


def _responses(endpoint: Endpoint, schemas: dict[type[Struct], Json]) -> Json:
    statuses = set(endpoint.statuses)
    if endpoint.access is not Anyone.PUBLIC:
        statuses.add(401)
    if isinstance(endpoint.access, Right):
        statuses.add(403)
    if endpoint.body is not Nothing or endpoint.query is not Nothing:
        statuses.add(422)
    done: Json = {"description": "done"}
    if endpoint.reply is not Nothing:
        done["content"] = _json(schemas[endpoint.reply])
    problem = _json({"$ref": _REF.format(name="Problem")})
    refused = {str(status): {"description": "refused", "content": problem} for status in sorted(statuses)}
    return {"200": done, **refused}


def _socket(socket: Socket) -> Json:
    operation: Json = {
        "summary": f"WebSocket: {socket.summary}",
        "security": [{"session": []}],
        "x-right": socket.access,
        "responses": {"101": {"description": "the socket is open"}},
    }
    if parameters := _path_parts(socket.path):
        operation["parameters"] = parameters
    return operation


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _path_parts(path: str) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PART.findall(path)
    ]
