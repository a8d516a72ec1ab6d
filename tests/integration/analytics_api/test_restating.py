"""The sweeper behind backdated events as the API shows it: a backlog, its end, and the days told anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from ingest import metrics
from loanbook.domain.events import LoanCreated
from tests.builders import DAY_0, Story, on_day
from tests.feeding import Feed, opened_feed
from tests.integration.analytics_api.conftest import api_on, ask
from tests.integration.ingest.test_flow import sent

pytestmark = pytest.mark.integration
DAYS = 40  # closed; what comes then is booked days or weeks back
LATE_BY = (3, 9, 20)


@dataclass(frozen=True)
class Desk:
    """A book whose late events have been applied and whose past days have not been told anew yet."""

    client: httpx.AsyncClient
    feed: Feed

    async def backlog(self, day: int, **query: str) -> tuple[int, int, bool, str | None]:
        """Loans waiting in all, those that concern a day, and whether and when the day was told anew."""
        fresh = await ask(self.client, "/v1/freshness")
        answer = await ask(self.client, "/v1/portfolio", as_of=str(on_day(day)), **query)
        marks = (answer["restating_loans"], answer["restated"], answer["restated_known_on"])
        return (fresh["restating"], *marks)

    async def overdue(self, day: int) -> str:
        """What was overdue at a close, as known now."""
        answer: dict[str, Any] = await ask(self.client, "/v1/portfolio", as_of=str(on_day(day)))
        amount: str = answer["figures"]["totals"]["overdue"]["amount"]
        return amount


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    async with opened_feed(database, DAY_0) as feed:
        stories = []
        for number in range(len(LATE_BY)):
            story = Story(loan_id=f"L-{number}")
            story.tell(LoanCreated, 0, branch="B0", product="P1", event_id=f"c-{number}")
            stories.append(story.lent((10_000,), first_day=10))
        await feed.send([sent(event) for story in stories for event in story.events])
        await feed.close_day(on_day(DAYS - 1))
        for story, late_by in zip(stories, LATE_BY, strict=True):
            story.paid(DAYS - late_by, 10_000)
            await feed.send([sent(story.events[-1])])
        async with api_on(database) as client:
            yield Desk(client, feed)


async def test_the_backlog_is_seen_until_the_sweeper_has_told_every_day_anew(desk: Desk) -> None:
    assert await desk.backlog(DAYS - 21) == (3, 0, False, None)  # no late event counts by then
    assert await desk.backlog(DAYS - 10) == (3, 1, False, None)
    assert await desk.backlog(DAYS - 1) == (3, 3, False, None)
    assert await desk.overdue(DAYS - 1) == "300.00"
    told_before = metrics.LOANS_RESTATED._value.get()
    assert await desk.feed.restate() == 3
    assert metrics.LOANS_RESTATED._value.get() == told_before + 3
    assert await desk.feed.restate() == 0
    assert await desk.backlog(DAYS - 21) == (0, 0, False, None)
    assert await desk.backlog(DAYS - 20) == (0, 0, True, str(on_day(DAYS)))
    assert await desk.backlog(DAYS - 1) == (0, 0, True, str(on_day(DAYS)))
    assert [await desk.overdue(DAYS - days) for days in (21, 20, 10, 9, 1)] == [
        "300.00", "200.00", "200.00", "100.00", "0.00",
    ]  # fmt: skip


async def test_as_known_before_they_came_late_events_are_no_backlog_and_no_mark(desk: Desk) -> None:
    assert await desk.backlog(DAYS - 1, known="then") == (3, 0, False, None)
    await desk.feed.restate()
    assert await desk.backlog(DAYS - 1, known="then") == (0, 0, False, None)
