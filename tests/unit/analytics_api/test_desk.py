"""What is ready is given out on the routes' own conditions, and everything else is left to them."""

from __future__ import annotations

import hashlib

import pytest

from analytics_api.routes.access import Gate, KeyRing, RateLimiter
from analytics_api.routes.answers import Answer, AnswerCache
from analytics_api.routes.desk import Desk, Given, Headers

TARGET = b"/v1/portfolio?book=demo"
KEY = (b"authorization", b"Bearer good")
HOST = (b"host", b"api")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def desk(clock: Clock, *, per_second: float = 0, burst: int = 1, is_open: bool = False) -> Desk:
    async def make() -> Answer:
        return Answer(body=b'{"ready":1}', etag='W/"tag"', data_age_s=0.25, gzipped=b"packed")

    answers = AnswerCache(ttl_s=1, clock=clock)
    await answers.get("key", make)
    answers.note(TARGET, "key")
    keys = KeyRing(None if is_open else frozenset({hashlib.sha256(b"good").hexdigest()}))
    return Desk(
        answers=answers,
        gate=Gate(keys=keys, limiter=RateLimiter(per_second=per_second, burst=burst, clock=clock)),
    )


def served(opened: Desk, target: bytes, headers: Headers) -> Given | None:
    asked = opened.understand(target, headers, "10.0.0.1")
    return opened.serve(asked) if asked else None


async def test_a_known_key_gets_the_ready_bytes(clock: Clock) -> None:
    given = served(await desk(clock), TARGET, [HOST, KEY])
    assert given is not None
    status, rest = given
    assert status == 200
    assert rest.endswith(b'\r\n\r\n{"ready":1}')
    assert b"x-data-age-seconds: 0.250\r\n" in rest
    assert b"x-content-type-options: nosniff\r\n" in rest
    assert b"cache-control: private, no-cache\r\n" in rest


async def test_who_takes_it_packed_gets_it_packed(clock: Clock) -> None:
    ready = await desk(clock)
    for header, packed in (
        (b"gzip, br", True),
        (b"br;q=1, gzip;q=0", False),
        (b"gzip; q=0.5", True),
        (b"", False),
    ):
        given = served(ready, TARGET, [KEY, (b"accept-encoding", header)])
        assert given is not None
        assert given[1].endswith(b"\r\n\r\npacked" if packed else b'\r\n\r\n{"ready":1}')
        assert (b"content-encoding: gzip\r\n" in given[1]) is packed
        assert b"vary: Accept-Encoding\r\n" in given[1]


async def test_who_has_it_already_gets_no_body(clock: Clock) -> None:
    given = served(await desk(clock), TARGET, [KEY, (b"if-none-match", b'W/"tag"')])
    assert given is not None
    assert given[0] == 304
    assert given[1].endswith(b"\r\n\r\n")
    assert b"content-length" not in given[1]


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"authorization", b"Bearer bad")],
        [(b"authorization", b"Basic Z29vZA==")],
        [(b"authorization", b"Bearer  good")],
        [KEY, KEY],
        [KEY, (b"origin", b"https://desk.example")],
        [KEY, (b"content-length", b"2")],
        [KEY, (b"transfer-encoding", b"chunked")],
        [KEY, (b"upgrade", b"websocket")],
    ],
)
async def test_the_routes_see_to_whoever_is_not_known_and_plain(
    clock: Clock, headers: list[tuple[bytes, bytes]]
) -> None:
    assert served(await desk(clock), TARGET, headers) is None


async def test_an_open_api_needs_no_key(clock: Clock) -> None:
    assert served(await desk(clock, is_open=True), TARGET, [HOST]) is not None


async def test_a_key_over_its_rate_hears_so_from_the_routes(clock: Clock) -> None:
    opened = await desk(clock, per_second=1, burst=2)
    given = [served(opened, TARGET, [KEY]) is not None for _ in range(3)]
    assert given == [True, True, False]


@pytest.mark.parametrize("target", [b"/v1/portfolio", b"/v1/portfolio?book=other", b""])
async def test_what_nobody_has_asked_yet_is_not_ready(clock: Clock, target: bytes) -> None:
    assert served(await desk(clock), target, [KEY]) is None


async def test_an_answer_that_is_over_is_not_given(clock: Clock) -> None:
    opened = await desk(clock)
    clock.now += 1.1
    assert served(opened, TARGET, [KEY]) is None


async def test_a_request_is_recalled_by_its_bytes_and_address(clock: Clock) -> None:
    opened = await desk(clock)
    asked = opened.understand(TARGET, [KEY], "10.0.0.1")
    assert asked is not None
    opened.remember(b"GET ...", "10.0.0.1", asked)
    assert opened.recall(b"GET ...", "10.0.0.1") is asked
    assert opened.recall(b"GET ....", "10.0.0.1") is None
    assert opened.recall(b"GET ...", "10.0.0.2") is None


async def test_no_more_than_some_heads_are_remembered_and_no_long_ones(clock: Clock) -> None:
    opened = await desk(clock)
    asked = opened.understand(TARGET, [KEY], "10.0.0.1")
    assert asked is not None
    opened.remember(b"long" * 2000, "10.0.0.1", asked)
    assert opened.recall(b"long" * 2000, "10.0.0.1") is None
    for number in range(5000):
        opened.remember(b"%d" % number, "10.0.0.1", asked)
    recalled = sum(opened.recall(b"%d" % number, "10.0.0.1") is not None for number in range(5000))
    assert 0 < recalled <= 4096
