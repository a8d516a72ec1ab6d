"""The roll of the day counts once, at whatever statement a worker dies and however many work side by side."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ingest.day_markers import is_over, spread_marker
from ingest.day_roll import DayRoll
from ingest.inbox import Inbox
from ingest.numbering import Numbered
from ingest.segments import Segment
from loanbook.kafka.batches import Partition
from loanbook.topics import LOAN_EVENTS, SLICES
from tests.audit import differences
from tests.builders import on_day
from tests.dying import DEATHS, Death, Spoken, dying_at
from tests.feeding import day_closed
from tests.integration.ingest.lanes import BOOK, Workshop, roll
from tests.integration.ingest.test_flow import sent, stories

pytestmark = pytest.mark.integration
LOANS, OPENS_ON, DAYS = 8, 59, 4  # over the second due day: boundaries on three of the days
_DUE = (
    "SELECT count(*) FROM core.loan_state s JOIN core.book b USING (book_key)"
    " WHERE s.as_of < b.business_on AND s.next_boundary_on <= b.business_on"
)
Rolled = dict[str, list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def many_small_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep takes a few loans a transaction, so that a day has several."""
    monkeypatch.setattr("ingest.day_roll._LOANS_MAX", 3)


async def begin(workshop: Workshop) -> None:
    """A book of loans that stands before its next due day, and the markers of some days in every log."""
    await workshop.open_book(on_day(OPENS_ON), {})
    workshop.append(sent(event) for story in stories(LOANS) for event in story.events)
    await workshop.take(workshop.lanes[0])
    await workshop.restate(workshop.lanes[0])
    mark(workshop, OPENS_ON + DAYS - 1)


def mark(workshop: Workshop, day: int) -> None:
    for number in range(SLICES):
        workshop.log[number].append((None, day_closed(on_day(day), BOOK)))


async def go_on(workshop: Workshop, lane: int) -> None:
    """Read what is there, roll what is ready."""
    await workshop.take(workshop.lanes[lane])
    await roll(workshop.lanes[lane])


async def take_over(workshop: Workshop, lane: int) -> None:
    """Do what another worker left, to the end."""
    workshop.business_on = on_day(OPENS_ON + DAYS)
    await workshop.take(workshop.lanes[lane])
    await workshop.roll_to_the_end(workshop.lanes[lane])


async def rolled(workshop: Workshop) -> Rolled:
    """The tables, each loan's number of changes, and which days were closed and swept with how many loans."""
    workshop.business_on = await workshop.admin.fetchval("SELECT business_on FROM core.book")
    rolls = "SELECT business_on, slice, loans, swept_at IS NOT NULL AS done FROM core.day_roll ORDER BY 1, 2"
    versions = "SELECT loan_key, version, as_of FROM core.loan_state ORDER BY loan_key"
    own = {"rolls": rolls, "versions": versions}
    return await workshop.tables() | {
        name: [dict(row) for row in await workshop.admin.fetch(query)] for name, query in own.items()
    }


async def undisturbed(workshop: Workshop) -> tuple[Rolled, Spoken]:
    """How it ends when nobody dies, and what is said to the database on the way."""
    await begin(workshop)
    with dying_at(None) as spoken:
        await go_on(workshop, 0)
    return await rolled(workshop), spoken


def deadly(statements: list[str]) -> list[int]:
    """Numbers of the statements to die at: the last of each kind, or all where histories are asked for."""
    numbered = list(enumerate(statements, start=1))
    every = [number for number, _ in numbered]
    return every if "HISTORIES" in os.environ else sorted({text: n for n, text in numbered}.values())


async def test_a_worker_that_dies_at_any_statement_of_a_roll_leaves_the_rest_to_the_other(
    workshop: Workshop,
) -> None:
    right, spoken = await undisturbed(workshop)
    assert sum(row["loans"] for row in right["rolls"]) > LOANS
    for number in deadly(spoken.statements):
        for heard in (False, True):
            await begin(workshop)
            with dying_at(Death(statement=number, heard=heard)) as said, pytest.raises(DEATHS):
                await go_on(workshop, 0)
            assert said.died
            await take_over(workshop, 1)
            assert await rolled(workshop) == right, (number, heard, spoken.statements[number - 1][:80])
    assert await differences(workshop.dsn) == []


@pytest.mark.parametrize("statement", [10, 25, 40, 55, 70])
async def test_two_workers_side_by_side_roll_each_loan_once_though_one_dies(
    workshop: Workshop, statement: int
) -> None:
    right, _ = await undisturbed(workshop)
    await begin(workshop)
    await workshop.take(workshop.lanes[0])
    with dying_at(Death(statement=statement, heard=True)) as said:
        ends = await asyncio.gather(*(roll(lane) for lane in workshop.lanes), return_exceptions=True)
    assert said.died
    assert sum(isinstance(end, DEATHS) for end in ends) <= 1
    await take_over(workshop, 1)
    assert await rolled(workshop) == right


async def test_a_sweep_takes_few_loans_at_a_time_while_events_come(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.day_roll._LOANS_FEW", 1)
    await begin(workshop)
    lane, inbox = workshop.lanes[0], Inbox(100)
    await workshop.take(lane)
    day_roll = DayRoll(lane.store, lane.cache, inbox)
    while (due := await workshop.admin.fetchval(_DUE)) < 3:
        await day_roll.step(_release)
    came = Segment(partition=Partition(LOAN_EVENTS, 1), from_offset=0, next_offset=0, records=Numbered.of([]))
    await inbox.put([came])
    await day_roll.step(_release)
    assert await workshop.admin.fetchval(_DUE) == due - 1


async def _release(partitions: list[Partition]) -> None:
    assert not partitions


async def test_missed_days_are_closed_one_by_one(workshop: Workshop) -> None:
    right, _ = await undisturbed(workshop)
    await workshop.open_book(on_day(OPENS_ON), {})
    workshop.append(sent(event) for story in stories(LOANS) for event in story.events)
    await go_on(workshop, 0)
    await workshop.restate(workshop.lanes[0])
    for day in range(OPENS_ON, OPENS_ON + DAYS):
        mark(workshop, day)
        await go_on(workshop, day % 2)
    assert await rolled(workshop) == right
    assert [row["business_on"] for row in right["rolls"]][::SLICES] == [
        on_day(day) for day in range(OPENS_ON, OPENS_ON + DAYS)
    ]


async def test_a_day_that_one_log_has_not_reached_is_not_closed(workshop: Workshop) -> None:
    await begin(workshop)
    kept_back = workshop.log[5].pop()
    await go_on(workshop, 0)
    assert (await rolled(workshop))["rolls"] == []
    workshop.log[5].append(kept_back)
    await go_on(workshop, 1)
    assert await workshop.admin.fetchval("SELECT business_on FROM core.book") == on_day(OPENS_ON + DAYS)


async def test_a_day_closed_twice_or_before_an_earlier_one_is_closed_once(workshop: Workshop) -> None:
    right, _ = await undisturbed(workshop)
    for day in (OPENS_ON + DAYS - 1, OPENS_ON, OPENS_ON - 30):
        mark(workshop, day)
        await go_on(workshop, 1)
    assert await rolled(workshop) == right


async def test_a_future_day_closes_all_days_up_to_it_and_one_too_far_ahead_none(workshop: Workshop) -> None:
    await workshop.open_book(on_day(OPENS_ON), {})
    mark(workshop, OPENS_ON + 401)
    await go_on(workshop, 0)
    assert await workshop.admin.fetchval("SELECT business_on FROM core.book") == on_day(OPENS_ON)
    assert await workshop.admin.fetchval("SELECT count(*) FROM core.dead_letter") == SLICES
    mark(workshop, OPENS_ON + 3)
    await go_on(workshop, 0)
    assert await workshop.admin.fetchval("SELECT business_on FROM core.book") == on_day(OPENS_ON + 4)


@pytest.mark.parametrize(
    ("timezone", "over_at"),
    [
        ("Pacific/Auckland", datetime(2024, 3, 1, 11, tzinfo=UTC)),  # a day that the world has not left yet
        ("America/Los_Angeles", datetime(2024, 3, 2, 8, tzinfo=UTC)),
    ],
)
async def test_a_book_in_another_time_zone_ends_its_own_day(
    workshop: Workshop, timezone: str, over_at: datetime
) -> None:
    today = date(2024, 3, 1)
    await workshop.open_book(today, {})
    workshop.append(sent(event) for story in stories(3) for event in story.events)
    await go_on(workshop, 0)
    await workshop.admin.execute("UPDATE core.book SET timezone = $1, closes_by_clock = true", timezone)
    book = await workshop.admin.fetchrow("SELECT * FROM core.book")
    assert not is_over(today, book["timezone"], book["closes_at"], over_at - timedelta(seconds=1))
    assert is_over(today, book["timezone"], book["closes_at"], over_at)
    await spread_marker(workshop.lanes[0].store, BOOK, today, over_at)
    for row in await workshop.admin.fetch("SELECT partition, payload FROM core.outbox WHERE key IS NULL"):
        if b"day.closed" in row["payload"]:
            workshop.log[row["partition"]].append((None, row["payload"]))
    await go_on(workshop, 1)
    await workshop.restate(workshop.lanes[1])
    assert await workshop.admin.fetchval("SELECT business_on FROM core.book") == today + timedelta(days=1)
    assert await differences(workshop.dsn) == []
