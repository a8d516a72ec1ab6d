"""What stands around every route: keys, rates, limits, headers, problems, the description."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from analytics_api.metrics import ANSWERS_SHARED
from analytics_api.routes.description import EXAMPLES
from tests.integration.analytics_api.conftest import Getter, api_on, ask, execute

pytestmark = pytest.mark.integration
ORIGIN = "https://desk.example"


@pytest.fixture(scope="session")
async def strict(shared_book: str) -> AsyncIterator[httpx.AsyncClient]:
    """The API with a small rate, a list of origins and a small body limit."""
    async with api_on(
        shared_book, rate_per_second=0.001, rate_burst=3, cors_origins=ORIGIN, body_bytes_max=1000
    ) as client:
        yield client


@pytest.mark.parametrize(
    "path",
    [
        "/v1/portfolio",
        "/v1/branches",
        "/v1/regions",
        "/v1/products",
        "/v1/segments",
        "/v1/measures/roll-rates",
        "/v1/measures/vintages",
        "/v1/measures/first-payment-default",
        "/v1/measures/concentration",
        "/v1/measures/provisions",
        "/v1/measures/stages",
        "/v1/measures/expected-credit-loss",
        "/v1/loans",
        "/v1/loans/L-1",
        "/v1/alerts",
        "/v1/unapplied",
        "/v1/dead-letters",
        "/v1/freshness",
        "/v1/reconciliation",
        "/metrics",
    ],
)
@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic YTpi", "Bearer "])
async def test_figures_need_a_known_key(api: httpx.AsyncClient, path: str, header: str | None) -> None:
    request = api.build_request("GET", path)
    del request.headers["Authorization"]
    if header is not None:
        request.headers["Authorization"] = header
    answer = await api.send(request)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_acknowledgement_needs_a_key_too(api: httpx.AsyncClient) -> None:
    answer = await api.post(
        "/v1/alerts/1/acknowledge", json={"by": "x"}, headers={"Authorization": "Bearer x"}
    )
    assert answer.status_code == 401


async def test_without_keys_the_api_is_open_by_an_explicit_setting(shared_book: str) -> None:
    async with api_on(shared_book, auth="off", api_keys="") as client:
        client.headers.clear()
        assert (await client.get("/v1/portfolio")).status_code == 200


async def test_a_key_over_its_rate_waits_and_others_do_not(shared_book: str) -> None:
    async with api_on(shared_book, rate_per_second=0.001, rate_burst=3) as client:
        statuses = [(await client.get("/v1/freshness")).status_code for _ in range(4)]
        last = await client.get("/v1/freshness")
        guesses = [
            (await client.get("/v1/freshness", headers={"Authorization": "Bearer guess"})).status_code
            for _ in range(4)
        ]
    assert statuses == [200, 200, 200, 429]
    assert int(last.headers["Retry-After"]) > 100
    assert guesses == [401, 401, 401, 429]


async def test_browsers_of_listed_origins_may_ask_and_no_others(strict: httpx.AsyncClient) -> None:
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "Authorization"}
    good = await strict.options("/v1/portfolio", headers=asked | {"Origin": ORIGIN})
    bad = await strict.options("/v1/portfolio", headers=asked | {"Origin": "https://elsewhere.example"})
    assert (good.status_code, good.headers["Access-Control-Allow-Origin"]) == (200, ORIGIN)
    assert bad.status_code == 400
    assert "Access-Control-Allow-Origin" not in bad.headers


async def test_a_body_over_the_limit_is_refused_whether_it_says_so_or_not(strict: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b" " * 100

    path = "/v1/alerts/1/acknowledge"
    said = await strict.post(path, content=b" " * 1001)
    unsaid = await strict.post(path, content=pieces())
    assert (said.status_code, unsaid.status_code) == (413, 413)
    assert said.headers["content-type"] == unsaid.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/v1/portfolio", "/health", "/docs", "/nowhere", "/v1/loans/nobody"])
async def test_every_answer_keeps_browsers_careful(api: httpx.AsyncClient, path: str) -> None:
    headers = (await api.get(path)).headers
    assert "script-src 'self';" in headers["Content-Security-Policy"]
    assert "unsafe-eval" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "server" not in headers


async def test_borrowers_are_never_kept_by_caches(api: httpx.AsyncClient) -> None:
    assert (await api.get("/v1/loans/L-1")).headers["Cache-Control"] == "no-store"
    assert (await api.get("/v1/portfolio")).headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("DELETE", "/v1/portfolio", 405), ("POST", "/v1/loans", 405)],
)
async def test_unknown_paths_and_methods_are_problems_too(
    api: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await api.request(method, path)
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["instance"]) == (status, status, path)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"by": 5}',
        b"null",
        b'{"by": "a", "note": "\\u0000"}',
        b'{"by": "\\ud800"}',
    ],
)
async def test_a_body_that_is_no_acknowledgement_is_refused(api: httpx.AsyncClient, body: bytes) -> None:
    answer = await api.post(
        "/v1/alerts/1/acknowledge", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE core.loan; --", "%00", "\x00", "a\nb", "\u2028", "../../etc", "a" * 200]
)
async def test_odd_names_are_only_names(api: httpx.AsyncClient, text: str) -> None:
    for query in ({"branch": text}, {"book": text}, {"region": text}):
        answer = await api.get("/v1/portfolio", params=query)
        assert answer.status_code in {200, 404, 422}, answer.text
    story = await api.get(f"/v1/loans/{quote(text, safe='')}")
    assert story.status_code in {404, 422}, story.text


async def test_many_askers_cost_one_query(shared_book: str) -> None:
    async with api_on(shared_book, cache_for=5) as client:
        before = ANSWERS_SHARED._value.get()
        answers = await asyncio.gather(*(client.get("/v1/branches") for _ in range(20)))
        shared = ANSWERS_SHARED._value.get() - before
    assert {answer.status_code for answer in answers} == {200}
    assert shared == 19


async def test_an_answer_is_kept_for_its_short_time_only(book: str) -> None:
    async with api_on(book, cache_for=0.2) as client:
        first = await ask(client, "/v1/portfolio")
        await execute(book, "UPDATE core.book_now SET paid_minor = 0")
        assert await ask(client, "/v1/portfolio") == first
        await asyncio.sleep(0.5)
        assert (await ask(client, "/v1/portfolio"))["figures"]["totals"]["paid"]["amount"] == "0.00"


async def test_the_description_has_an_example_for_every_answer(get: Getter) -> None:
    document = await get("/openapi.json")
    described = {
        (path, method) for path, operations in document["paths"].items() for method in operations
    } - {("/health", "get"), ("/ready", "get")}
    assert described == set(EXAMPLES)
    for path, method in EXAMPLES:
        responses = document["paths"][path][method]["responses"]
        assert responses["200"]["content"]["application/json"]["example"]
        assert "application/problem+json" in responses["422"]["content"]
        assert document["paths"][path][method]["security"] == [{"HTTPBearer": []}]


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_the_pages_of_the_description_ask_nothing_elsewhere(api: httpx.AsyncClient, page: str) -> None:
    text = (await api.get(page)).text
    assets = [part.split('"')[0] for part in text.split("/docs/assets/")[1:]]
    assert assets
    assert "//" not in text.replace("<!doctype html>", "")
    for name in assets:
        asset = await api.get(f"/docs/assets/{name}")
        assert asset.status_code == 200
        assert b"cdn.redoc.ly" not in asset.content
    assert (await api.get("/docs/assets/__init__.py")).status_code == 404


async def test_the_front_door_leads_to_the_boards(api: httpx.AsyncClient) -> None:
    answer: Any = await api.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/boards")
