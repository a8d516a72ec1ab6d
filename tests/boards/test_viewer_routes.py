"""What the viewer answers over HTTP: who may look, what may be asked, what is said when it cannot."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from analytics_api.board_viewer.board_files import parse_board
from analytics_api.board_viewer.macros import BoardQueryError
from analytics_api.board_viewer.queries import with_interval
from analytics_api.board_viewer.routes import router
from analytics_api.board_viewer.session import COOKIE, Sessions
from analytics_api.board_viewer.static_files import load_static_files
from analytics_api.board_viewer.store import BoardsAwayError, Frame
from analytics_api.board_viewer.time_range import parse_range
from analytics_api.board_viewer.viewer import BoardViewer

NOON = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
KEY = "a-key-that-somebody-holds"
DIGEST = hashlib.sha256(KEY.encode()).hexdigest()
POSTGRES = {"type": "grafana-postgresql-datasource", "uid": "lp-postgres"}
BOARD: dict[str, Any] = {
    "uid": "lp-today",
    "title": "Small",
    "templating": {"list": [{"name": "book", "type": "query", "query": "SELECT book"}]},
    "panels": [
        {
            "id": 1,
            "type": "stat",
            "title": "Good",
            "targets": [{"refId": "A", "rawSql": "SELECT ${book:sqlstring}", "format": "table"}],
        },
        {
            "id": 2,
            "type": "stat",
            "title": "Bad",
            "targets": [{"refId": "A", "rawSql": "SELECT broken", "format": "table"}],
        },
        {
            "id": 3,
            "type": "timeseries",
            "title": "No time",
            "targets": [{"refId": "A", "rawSql": "SELECT 1", "format": "time_series"}],
        },
    ],
}


class FakeSource:
    """Answers by the query's text and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False

    async def fetch_frame(self, sql: str) -> Frame:
        self.asked.append(sql)
        if self.away:
            raise BoardsAwayError
        if "broken" in sql:
            msg = "42703: no such column"
            raise BoardQueryError(msg)
        return Frame(columns=(("book", "string"),), rows=(("riverside",),))


@asynccontextmanager
async def visitor(source: FakeSource, *keys: str, clock: datetime = NOON) -> AsyncIterator[httpx.AsyncClient]:
    board = parse_board(BOARD)
    app = FastAPI()
    app.include_router(router)
    app.state.board_viewer = BoardViewer(
        boards={board.uid: board},
        source=source,
        sessions=Sessions(key_digests=frozenset(keys), secret=b"secret", lifetime=timedelta(hours=12)),
        files=load_static_files(),
        clock=lambda: clock,
    )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://loanpulse") as client:
        yield client


def question(**more: object) -> dict[str, object]:
    return {"panels": [1, 2, 3], "from": "now-1h", "to": "now", **more}


async def test_one_bad_query_spoils_its_own_panel_only() -> None:
    async with visitor(FakeSource()) as client:
        answer = (await client.post("/boards/api/boards/lp-today/query", json=question())).json()
    assert answer["panels"]["1"]["frames"][0]["rows"] == [["riverside"]]
    assert answer["panels"]["2"] == {"error": "42703: no such column"}
    assert "starts with a column" in answer["panels"]["3"]["error"]
    assert answer["variables"] == [{"name": "book", "options": ["riverside"], "chosen": ["riverside"]}]
    assert answer["to"] - answer["from"] == 3_600_000


async def test_sql_from_the_browser_is_not_even_read() -> None:
    source = FakeSource()
    async with visitor(source) as client:
        refused = await client.post("/boards/api/boards/lp-today/query", json=question(rawSql="SELECT 1"))
    assert refused.status_code == 422
    assert source.asked == []


@pytest.mark.parametrize(
    "times", [("now", "now"), ("now", "now-1h"), ("yesterday", "now"), ("now-99999d", "now")]
)
async def test_a_range_that_is_none_is_refused(times: tuple[str, str]) -> None:
    body = {"panels": [1], "from": times[0], "to": times[1]}
    async with visitor(FakeSource()) as client:
        assert (await client.post("/boards/api/boards/lp-today/query", json=body)).status_code == 400


async def test_a_database_that_is_away_is_said_so() -> None:
    source = FakeSource()
    source.away = True
    async with visitor(source) as client:
        answer = await client.post("/boards/api/boards/lp-today/query", json=question())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


@pytest.mark.parametrize(
    "path",
    [
        "/boards/lp-none",
        "/boards/api/boards/lp-none",
        "/boards/static/../routes.py",
        "/boards/static/none.js",
    ],
)
async def test_what_is_not_there_is_not_found(path: str) -> None:
    async with visitor(FakeSource()) as client:
        assert (await client.get(path)).status_code == 404


async def test_without_keys_everybody_may_look() -> None:
    async with visitor(FakeSource()) as client:
        page = await client.get("/boards")
        listed = (await client.get("/boards/api/boards")).json()
    assert page.status_code == 200
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert listed["boards"] == [{"uid": "lp-today", "title": "Small", "tags": []}]
    assert listed["sign_out"] is False


async def test_with_keys_a_stranger_sees_the_form_and_no_figures() -> None:
    source = FakeSource()
    async with visitor(source, DIGEST) as client:
        page = await client.get("/boards/lp-today")
        assert (page.status_code, page.headers["location"]) == (303, "/boards/sign-in")
        assert (await client.get("/boards/sign-in")).status_code == 200
        assert (await client.get("/boards/api/boards/lp-today")).status_code == 401
        assert (await client.post("/boards/api/boards/lp-today/query", json=question())).status_code == 401
    assert source.asked == []


async def test_a_good_key_opens_the_boards_and_signing_out_closes_them() -> None:
    async with visitor(FakeSource(), DIGEST) as client:
        answer = await client.post("/boards/sign-in", data={"key": KEY})
        assert (answer.status_code, answer.headers["location"]) == (303, "/boards")
        cookie = answer.headers["set-cookie"].lower()
        assert all(word in cookie for word in ("httponly", "samesite=lax", "path=/boards"))
        assert KEY not in cookie
        assert DIGEST not in cookie
        assert (await client.get("/boards/lp-today")).status_code == 200
        await client.post("/boards/sign-out")
        assert (await client.get("/boards/lp-today")).status_code == 303


@pytest.mark.parametrize("key", ["", "another key", DIGEST, "k" * 1500])
async def test_a_bad_key_is_refused(key: str) -> None:
    async with visitor(FakeSource(), DIGEST) as client:
        answer = await client.post("/boards/sign-in", data={"key": key})
        assert answer.headers["location"] == "/boards/sign-in?refused"
        assert COOKIE not in client.cookies


def test_a_session_ends_with_its_time_its_key_and_its_secret() -> None:
    sessions = Sessions(key_digests=frozenset({DIGEST}), secret=b"one", lifetime=timedelta(hours=12))
    cookie = sessions.sign_in(KEY, NOON)
    assert cookie is not None
    assert sessions.is_valid(cookie, NOON + timedelta(hours=11))
    assert not sessions.is_valid(cookie, NOON + timedelta(hours=13))
    name, until, signature = cookie.split(".")
    assert not sessions.is_valid(f"{name}.{int(until) + 9}.{signature}", NOON)
    assert not sessions.is_valid(None, NOON)
    assert not sessions.is_valid("..", NOON)
    other_key = Sessions(key_digests=frozenset({"0" * 64}), secret=b"one", lifetime=timedelta(hours=12))
    other_secret = Sessions(key_digests=frozenset({DIGEST}), secret=b"two", lifetime=timedelta(hours=12))
    assert not other_key.is_valid(cookie, NOON)
    assert not other_secret.is_valid(cookie, NOON)


def test_a_point_is_as_wide_as_the_range_asks_and_never_narrower_than_the_panel_allows() -> None:
    hour = parse_range("now-1h", "now", NOON)
    assert with_interval(hour, None).interval == timedelta(seconds=10)
    assert with_interval(hour, "1m").interval == timedelta(minutes=1)
    assert with_interval(parse_range("now-30d", "now", NOON), "1m").interval == timedelta(hours=3)


async def test_the_page_is_sent_small_and_only_once() -> None:
    async with visitor(FakeSource()) as client:
        first = await client.get("/boards/static/vendor/echarts.min.js")
        again = await client.get(
            "/boards/static/vendor/echarts.min.js", headers={"If-None-Match": first.headers["etag"]}
        )
    assert first.headers["content-encoding"] == "gzip"
    assert int(first.headers["content-length"]) < 500_000
    assert (again.status_code, again.content) == (304, b"")
