"""The OpenAPI document, `/healthz` and the pages."""

import msgspec

from central.store.database import Store
from central.web import pages
from central.web.access import ACCESS, Anyone


async def document(centre) -> dict:
    client = await centre.visitor()
    async with client.get("/api/openapi.json") as response:
        return await response.json()


async def test_the_document_tells_of_every_route_but_the_pages_and_of_no_other(centre) -> None:
    told = {
        (method.upper(), path)
        for path, operations in (await document(centre))["paths"].items()
        for method in operations
    }
    served = {(route.method, route.resource.canonical) for route in centre.app.router.routes()}
    assert told == {(method, path) for method, path in served if path not in PAGES}


PAGES = {*pages.PAGES, "/assets/{name}"}


async def test_the_document_says_what_each_route_needs_as_the_table_of_access_does(centre) -> None:
    paths = (await document(centre))["paths"]
    for (method, path), access in centre.app[ACCESS].items():
        if path in PAGES:
            continue
        operation = paths[path][method.lower()]
        assert operation.get("x-right") == (None if isinstance(access, Anyone) else access)
        assert ("security" in operation) is (access is not Anyone.PUBLIC)


async def test_every_reference_in_the_document_leads_somewhere(centre) -> None:
    whole = await document(centre)
    names = set(whole["components"]["schemas"])
    text = msgspec.json.encode(whole).decode()
    referred = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert referred
    assert referred <= names


async def test_the_body_of_a_review_is_told_with_its_bounds(centre) -> None:
    whole = await document(centre)
    body = whole["paths"]["/api/v1/alerts/{id}/review"]["post"]["requestBody"]["content"]["application/json"]
    schema = whole["components"]["schemas"][body["schema"]["$ref"].rsplit("/", 1)[-1]]
    assert {"action_id", "rev", "result", "checklist", "notes"} <= set(schema["required"])
    assert schema["properties"]["notes"]["maxLength"] == 2_000


async def test_health_tells_of_store_and_broker(centre, monkeypatch) -> None:
    client = await centre.visitor()
    async with client.get("/healthz") as response:
        assert (response.status, await response.json()) == (
            200,
            {"status": "ok", "store": "ok", "broker": "connected"},
        )
    centre.has_broker = False
    async with client.get("/healthz") as response:
        assert (response.status, (await response.json())["status"]) == (200, "degraded")

    async def stuck(self: Store, query: object) -> object:
        raise TimeoutError

    monkeypatch.setattr(Store, "read", stuck)
    async with client.get("/healthz") as response:
        assert (response.status, (await response.json())["store"]) == (503, "failed")
