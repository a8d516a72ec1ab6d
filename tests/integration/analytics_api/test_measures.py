"""Measures through the API against the domain's functions on the same generated book."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import httpx
import pytest

from analytics_api.refresh import RefreshPlan, refresh_once
from analytics_api.store import PostgresMartStore
from loanbook.domain.events import LoanChargedOff, LoanCreated, LoanEvent, LoanWrittenOff
from loanbook.domain.loan import Loan, fold
from loanbook.domain.settings import ProductSettings
from tests.builders import DAY_0, Story, on_day
from tests.feeding import encoded, opened_feed
from tests.integration.analytics_api.conftest import api_on, ask, copied
from tests.measures import PLACES, check_roll_rates
from tests.parts import Database

pytestmark = pytest.mark.integration
DAYS = 140  # closed one by one: 1 January to 19 May 2024


@dataclass(frozen=True)
class Told:
    """A generated book: the API on it, and its events."""

    client: httpx.AsyncClient
    events: list[LoanEvent]

    def at(self, day: date) -> list[Loan]:
        """Every loan folded from nothing at a close, as known now."""
        by_loan: dict[str, list[LoanEvent]] = {}
        for event in self.events:
            by_loan.setdefault(event.loan_id, []).append(event)
        loans = [fold("demo", name, told, ProductSettings(), day) for name, told in by_loan.items()]
        return [loan for loan in loans if loan.disbursed_on is not None]


def some_stories(chance: random.Random) -> list[Story]:
    """Loans that pay well, badly, late, early and not at all."""
    told = []
    for number in range(14):
        story = Story(loan_id=f"L-{number}")
        story.tell(
            LoanCreated, 0, branch=f"B{number % 3}", product=f"P{number % 2}", borrower_id=f"b-{number % 9}"
        )
        story.lent(tuple(chance.randint(80, 400) * 10 for _ in range(4)), every_days=chance.choice([20, 30]))
        for _ in range(number % 5):
            payment = story.paid(chance.randint(5, 120), chance.randint(500, 4000))
            if chance.random() < 0.2:
                story.reversed(payment, 125)
        if number in (4, 9):
            story.paid(60, 20_000)
        if number in (5, 10):
            story.tell(LoanChargedOff, 100)
        if number in (0, 10):
            story.tell(LoanWrittenOff, 110)
        told.append(story)
    return told


async def fill(dsn: str, events: list[LoanEvent]) -> None:
    """Send each event on its day or some days late, and close the days one by one."""
    async with opened_feed(dsn, DAY_0) as feed:
        arrivals: dict[int, list[tuple[str, bytes]]] = {}
        for place, event in enumerate(events):
            late = (0, 0, 0, 6)[place % 4] if event.fact.TYPE == "payment.posted.v1" else 0
            day = min((event.fact.business_on - DAY_0).days + late, DAYS - 1)
            message = encoded(
                event.loan_id,
                event.fact,
                event_id=event.event_id,
                recorded_at=event.recorded_at,
            )
            arrivals.setdefault(day, []).append(message)
        for day in range(DAYS):
            await feed.send(arrivals.get(day, []))
            await feed.close_day(on_day(day))
        await feed.restate()


async def refresh(dsn: str, at: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)) -> None:
    """Make the tables of reporting."""
    marts = await PostgresMartStore.open(dsn)
    try:
        await refresh_once(marts, RefreshPlan(), lambda: at)
    finally:
        await marts.close()


@pytest.fixture(scope="module")
async def told(postgres: Database, database_template: str) -> AsyncIterator[Told]:
    stories = some_stories(random.Random(5))
    events = [event for story in stories for event in story.events]
    async for dsn in copied(postgres, database_template):
        await fill(dsn, events)
        await refresh(dsn)
        async with api_on(dsn) as client:
            yield Told(client, events)


async def test_roll_rates_are_those_of_the_domain_month_by_month(told: Told) -> None:
    answer = await ask(told.client, "/v1/measures/roll-rates", **{"from": "2024-01", "to": "2024-05"})
    assert [month["month"] for month in answer["months"]] == ["2024-02", "2024-03", "2024-04", "2024-05"]
    check_roll_rates(answer, told.at)


async def test_the_generated_book_reaches_every_place(told: Told) -> None:
    answer = await ask(told.client, "/v1/measures/roll-rates")
    reached = {
        move["place"]
        for month in answer["months"]
        for row in month["buckets"]
        for move in row["to"]
        if move["loans"]
    }
    assert reached == set(PLACES)


async def test_the_running_month_is_to_date_and_others_end_at_their_last_close(told: Told) -> None:
    answer = await ask(told.client, "/v1/measures/roll-rates", **{"from": "2024-04"})
    assert [(month["opening_on"], month["closing_on"], month["to_date"]) for month in answer["months"]] == [
        ("2024-03-31", "2024-04-30", False),
        ("2024-04-30", str(on_day(DAYS - 1)), True),
    ]
    assert answer["as_of"] == str(on_day(DAYS - 1))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"to": "2024-09"}, "to"),
        ({"from": "2024-04", "to": "2024-03"}, "from"),
        ({"from": "2020-01"}, "from"),
        ({"from": "2024-13"}, "from"),
    ],
)
async def test_months_that_cannot_be_told_are_named(told: Told, query: dict[str, str], field: str) -> None:
    answer = await told.client.get("/v1/measures/roll-rates", params=query)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
