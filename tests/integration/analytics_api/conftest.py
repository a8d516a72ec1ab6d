"""A small book with figures worked out by hand, filled through the real ingest flow, and the API on it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from analytics_api.app import create_app
from analytics_api.settings import AnalyticsSettings
from loanbook.domain.events import LoanCreated, PaymentPosted
from loanbook.domain.money import Minor
from tests.builders import DAY_0, Story, on_day
from tests.feeding import encoded, opened_feed
from tests.parts import Database

KEY = "a-key-for-tests"
DIGEST = hashlib.sha256(KEY.encode()).hexdigest()
BOARDS = Path(__file__).parents[3] / "grafana" / "dashboards"
CLOSED, TODAY = 39, 70  # business days after DAY_0: one past close, and the running day


def told(loan_id: str, branch: str, product: str, amounts: tuple[int, ...], **plan: int) -> Story:
    """A loan of installments 30 days apart."""
    story = Story(loan_id=loan_id)
    story.tell(
        LoanCreated, 0, branch=branch, product=product, borrower_id=f"b-{loan_id}", event_id=f"{loan_id}-c"
    )
    return story.lent(amounts, **plan)


def stories() -> tuple[list[Story], list[Story]]:
    """What has happened by the past close, and all of it by today."""
    punctual = told("L-1", "B0", "P1", (10_000, 10_000, 10_000))
    punctual.paid(30, 10_000, entity_id="p-1")
    never = told("L-2", "B0", "P1", (10_000, 10_000, 10_000))
    slipping = told("L-3", "B1", "P1", (10_000, 10_000, 10_000))
    slipping.paid(30, 10_000)
    done = told("L-4", "B1", "P2", (10_000, 10_000))
    done.paid(29, 10_000)
    short = told("L-5", "B1", "P2", (5_000,), first_day=5)
    early = [punctual, never, slipping, done, short]
    counts = {story.loan_id: len(story.events) for story in early}
    punctual.paid(60, 10_000, entity_id="p-2")
    done.paid(50, 10_000)
    never.paid(65, 10_000, entity_id="p-9")
    never.reversed("p-9", 70)
    late = []
    for story in early:
        rest = Story(loan_id=story.loan_id)
        rest.events = story.events[counts[story.loan_id] :]
        story.events = story.events[: counts[story.loan_id]]
        late.append(rest)
    return early, late


def wired(stories: list[Story]) -> list[tuple[str, bytes]]:
    """The events of stories as they travel."""
    return [
        encoded(
            event.loan_id,
            event.fact,
            event_id=f"{event.loan_id}-{event.event_id}",
            recorded_at=event.recorded_at,
        )
        for story in stories
        for event in story.events
    ]


async def fill(dsn: str) -> None:
    """Let the ingest flow build the book up to its running day."""
    async with opened_feed(dsn, DAY_0) as feed:
        early, late = stories()
        await feed.send(wired(early))
        await feed.close_day(on_day(CLOSED))
        await feed.close_day(on_day(TODAY - 1))
        orphan = PaymentPosted(
            effective_on=on_day(68), business_on=on_day(69), currency="EUR", amount_minor=Minor(2_500)
        )
        await feed.send([*wired(late), encoded("L-7", orphan, event_id="L-7-p")])
        await feed.send_raw({3: [(b"x", b"no json")]})


MORE = (Path(__file__).parent / "more.sql").read_text(encoding="utf-8")


async def execute(dsn: str, sql: str, *arguments: object) -> None:
    """Run SQL as the owner."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql, *arguments)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
async def filled_template(postgres: Database, database_template: str) -> AsyncIterator[str]:
    name = f"analytics_template_{uuid.uuid4().hex[:12]}"
    await execute(postgres.dsn(), f"CREATE DATABASE {name} TEMPLATE {database_template}")
    await fill(postgres.dsn(name))
    await execute(postgres.dsn(name), MORE)
    yield name
    await execute(postgres.dsn(), f"DROP DATABASE {name} WITH (FORCE)")


async def copied(postgres: Database, template: str) -> AsyncIterator[str]:
    name = f"analytics_{uuid.uuid4().hex[:12]}"
    await execute(postgres.dsn(), f"CREATE DATABASE {name} TEMPLATE {template}")
    yield postgres.dsn(name)
    await execute(postgres.dsn(), f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def book(postgres: Database, filled_template: str) -> AsyncIterator[str]:
    """The DSN of a copy of the filled book, for tests that change it."""
    async for dsn in copied(postgres, filled_template):
        yield dsn


@pytest.fixture(scope="session")
async def shared_book(postgres: Database, filled_template: str) -> AsyncIterator[str]:
    """The DSN of a copy that nobody changes."""
    async for dsn in copied(postgres, filled_template):
        yield dsn


@asynccontextmanager
async def api_on(dsn: str, **overrides: Any) -> AsyncIterator[httpx.AsyncClient]:
    """The API on a database, and a client that brings the key."""
    given: dict[str, Any] = {"api_keys": DIGEST, "boards_dir": BOARDS, "cache_for": 0, "rate_per_second": 0}
    given |= overrides
    app = create_app(AnalyticsSettings(database_url=SecretStr(dsn), **given))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {KEY}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers) as client:
            yield client


@pytest.fixture(scope="session")
async def api(shared_book: str) -> AsyncIterator[httpx.AsyncClient]:
    """The API on the book that nobody changes."""
    async with api_on(shared_book) as client:
        yield client


Getter = Callable[..., Awaitable[Any]]


async def ask(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    """The answer to a question that must be good."""
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def get(api: httpx.AsyncClient) -> Getter:
    """Ask the API for a path."""
    return partial(ask, api)
