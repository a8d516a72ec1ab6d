"""On a real connection, a ready answer is byte for byte what the routes would have sent."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import uvicorn
from pydantic import SecretStr

from analytics_api.app import create_app
from analytics_api.front import FrontProtocol, open_doors
from analytics_api.routes.desk import Asked, Desk, Given
from analytics_api.settings import AnalyticsSettings
from tests.integration.analytics_api.conftest import BOARDS, KEY

pytestmark = pytest.mark.integration
AUTHORIZATION = f"Authorization: Bearer {KEY}"
BY_THE_ROUTES = "Origin: https://desk.example"  # which the desk leaves to them


@asynccontextmanager
async def served(dsn: str, **overrides: Any) -> AsyncIterator[int]:
    """The API on a real port."""
    given: dict[str, Any] = {"api_keys": hashlib.sha256(KEY.encode()).hexdigest(), "boards_dir": BOARDS}
    given |= {"rate_per_second": 0, "cache_for": timedelta(minutes=1)} | overrides
    app = create_app(AnalyticsSettings(database_url=SecretStr(dsn), **given))
    config = uvicorn.Config(
        app, port=0, http=FrontProtocol, log_config=None, server_header=False, date_header=False
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    doors = open_doors(config)
    await server.startup(doors)
    try:
        yield doors[0].getsockname()[1]
    finally:
        await server.shutdown(doors)


async def exchange(port: int, *requests: str) -> bytes:
    """All that comes back on one connection; the last request closes it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("".join(requests).encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


def request(path: str, *headers: str, method: str = "GET") -> str:
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: api", *headers, "", ""))


async def told(port: int, path: str, *headers: str) -> bytes:
    """One answer on a connection that the server may keep."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request(path, *headers).encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    lengths = [line for line in answer.split(b"\r\n") if line.startswith(b"content-length: ")]
    if lengths:
        answer += await reader.readexactly(int(lengths[0].split()[1]))
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """The statuses that the desk has given out; None where it had nothing ready."""
    seen: list[int | None] = []
    serve = Desk.serve

    def noted(self: Desk, asked: Asked) -> Given | None:
        answer = serve(self, asked)
        seen.append(answer[0] if answer else None)
        return answer

    monkeypatch.setattr(Desk, "serve", noted)
    return seen


@pytest.mark.parametrize(
    "path",
    ["/v1/portfolio", "/v1/branches?sort=par_30&order=asc", "/v1/loans?limit=2", "/v1/reconciliation"],
)
async def test_a_ready_answer_is_the_routes_answer(
    shared_book: str, given: list[int | None], path: str
) -> None:
    async with served(shared_book) as port:
        first = await told(port, path, AUTHORIZATION)
        ready = await told(port, path, AUTHORIZATION)
        by_routes = await told(port, path, AUTHORIZATION, BY_THE_ROUTES)
    assert given == [200]
    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert first == ready == by_routes


async def test_who_has_it_hears_so_from_either_in_the_same_words(
    shared_book: str, given: list[int | None]
) -> None:
    async with served(shared_book) as port:
        first = await told(port, "/v1/portfolio", AUTHORIZATION)
        tag = next(line for line in first.decode().split("\r\n") if line.startswith("etag: "))[6:]
        known = f"If-None-Match: {tag}"
        ready = await told(port, "/v1/portfolio", AUTHORIZATION, known)
        by_routes = await told(port, "/v1/portfolio", AUTHORIZATION, known, BY_THE_ROUTES)
    assert given == [304]
    assert ready == by_routes
    assert ready.startswith(b"HTTP/1.1 304 Not Modified\r\n")


async def test_a_ready_answer_needs_a_key_and_keeps_to_its_rate(shared_book: str) -> None:
    async with served(shared_book, rate_per_second=0.001, rate_burst=3) as port:
        statuses = [(await told(port, "/v1/portfolio", AUTHORIZATION))[9:12] for _ in range(5)]
        unknown = await told(port, "/v1/portfolio", "Authorization: Bearer guess")
        none = await told(port, "/v1/portfolio")
    assert statuses == [b"200", b"200", b"200", b"429", b"429"]
    assert (unknown[9:12], none[9:12]) == (b"401", b"401")


async def test_requests_of_one_connection_are_answered_in_their_order(
    shared_book: str, given: list[int | None]
) -> None:
    async with served(shared_book) as port:
        await told(port, "/v1/portfolio", AUTHORIZATION)
        answers = await exchange(
            port,
            request("/v1/portfolio", AUTHORIZATION),
            request("/health"),
            request("/v1/portfolio", AUTHORIZATION),
            request("/nowhere", AUTHORIZATION, "Connection: close"),
        )
    assert given[0] == 200
    places = [answers.index(part) for part in (b'"book":"demo"', b'"checks"', b'"title":"Not Found"')]
    assert places == sorted(places)
    assert answers.count(b'"book":"demo"') == 2
    assert places[1] < answers.rindex(b'"book":"demo"') < places[2]


@pytest.mark.parametrize("method", ["HEAD", "POST", "DELETE"])
async def test_other_methods_are_for_the_routes(
    shared_book: str, given: list[int | None], method: str
) -> None:
    async with served(shared_book) as port:
        await told(port, "/v1/portfolio", AUTHORIZATION)
        answer = await exchange(
            port, request("/v1/portfolio", AUTHORIZATION, "Connection: close", method=method)
        )
    assert given == []
    assert answer.startswith(b"HTTP/1.1 405")


async def test_the_same_bytes_are_answered_without_reading_them_again(
    shared_book: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []
    monkeypatch.setattr(FrontProtocol, "on_url", _noting(FrontProtocol.on_url, read))
    async with served(shared_book) as port:
        answers = [await told(port, "/v1/portfolio", AUTHORIZATION) for _ in range(4)]
        packed = await told(port, "/v1/portfolio", AUTHORIZATION, "Accept-Encoding: gzip")
    assert len(set(answers)) == 1
    assert b"content-encoding: gzip" in packed
    assert len(read) == 3  # the first by the routes, the second by the desk, and the one in other words


async def test_all_who_come_at_once_are_taken_in_and_answered(shared_book: str) -> None:
    async with served(shared_book) as port:
        answers = await asyncio.gather(*(told(port, "/v1/portfolio", AUTHORIZATION) for _ in range(200)))
    assert len(set(answers)) == 1


async def test_two_requests_that_came_together_are_both_answered_each_time(shared_book: str) -> None:
    one = request("/v1/portfolio", AUTHORIZATION)
    async with served(shared_book) as port:
        await told(port, "/v1/portfolio", AUTHORIZATION)
        for _ in range(3):
            answers = await exchange(port, one + one, request("/health", AUTHORIZATION, "Connection: close"))
            assert answers.count(b'"book":"demo"') == 2


async def test_what_is_known_by_its_bytes_is_made_anew_when_it_is_over(shared_book: str) -> None:
    async with served(shared_book, cache_for=timedelta(seconds=0.2)) as port:
        ages = []
        for _ in range(12):
            answer = await told(port, "/v1/freshness", AUTHORIZATION)
            ages.append(answer[answer.index(b'"read_at"') :][:45])
            await asyncio.sleep(0.1)
    assert len(set(ages)) >= 3


async def test_a_key_over_its_rate_is_refused_in_known_bytes_too(shared_book: str) -> None:
    async with served(shared_book, rate_per_second=0.001, rate_burst=5) as port:
        statuses = [(await told(port, "/v1/portfolio", AUTHORIZATION))[9:12] for _ in range(7)]
    assert statuses == [b"200"] * 5 + [b"429"] * 2


def _noting(
    on_url: Callable[[FrontProtocol, bytes], None], read: list[bytes]
) -> Callable[[FrontProtocol, bytes], None]:
    def noted(self: FrontProtocol, url: bytes) -> None:
        read.append(url)
        on_url(self, url)

    return noted
