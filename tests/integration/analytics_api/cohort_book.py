"""A generated book with owners, cohorts by month and by week, eased, charged-off and written-off loans."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

import asyncpg

from loanbook.domain.events import (
    LoanChargedOff,
    LoanCreated,
    LoanDisbursed,
    LoanRestructured,
    LoanWrittenOff,
    Period,
)
from loanbook.domain.money import Minor
from tests.builders import Story, on_day
from tests.integration.analytics_api.conftest import api_on
from tests.integration.analytics_api.test_measures import DAYS, Told, fill, refresh

CLOSE, TODAY = on_day(DAYS - 1), on_day(DAYS)


def some_stories(chance: random.Random) -> list[Story]:
    """Loans of every fate, paid out over three months."""
    return [_a_story(number, chance) for number in range(32)]


def _a_story(number: int, chance: random.Random) -> Story:
    story = Story(loan_id=f"C-{number}")
    start = chance.randint(0, 85)
    short = number % 4 == 0
    story.tell(
        LoanCreated,
        start,
        branch=f"B{number % 3}",
        product=f"P{number % 2}",
        officer=f"O{number % 5}" if number % 7 else None,
        borrower_id=f"b-{number % 11}",
        term_days=30 if number % 8 == 0 else None,
    )
    every, count = (15, 2) if short else (chance.choice([28, 31]), 5)
    periods = some_plan(start, every, count, chance)
    story.tell(LoanDisbursed, start, amount_minor=Minor(sum(p.principal_minor or 0 for p in periods)))
    story.planned(periods, day=start)
    for _ in range(chance.randint(0, 5) if number % 3 else 0):
        payment = story.paid(chance.randint(start + 1, 135), chance.randint(500, 9_000))
        if chance.random() < 0.2:
            story.reversed(payment, 137)
    if number in {5, 13, 21}:
        eased_on = start + 50
        story.tell(LoanRestructured, eased_on, schedule_version=2)
        story.planned(some_plan(eased_on, 30, 5, chance), day=eased_on, version=2)
    if number in {6, 17}:
        story.tell(LoanChargedOff, 125)
    if number == 18:
        story.tell(LoanWrittenOff, 120)
    return story


def some_plan(start: int, every: int, count: int, chance: random.Random) -> list[Period]:
    """Installments of principal and interest."""
    return [
        Period(
            number=number,
            due_on=on_day(start + number * every),
            principal_minor=Minor(chance.randint(800, 4_000)),
            interest_minor=Minor(chance.randint(50, 300)),
        )
        for number in range(1, count + 1)
    ]


@asynccontextmanager
async def told_on(dsn: str) -> AsyncIterator[Told]:
    """The book in a database, its tables made, and the API on it."""
    stories = some_stories(random.Random(11))
    events = [event for story in stories for event in story.events]
    await fill(dsn, events)
    connection = await asyncpg.connect(dsn)
    await connection.execute("UPDATE core.branch SET region = 'North' WHERE branch IN ('B0', 'B1')")
    await connection.close()
    await refresh(dsn)
    async with api_on(dsn) as client:
        yield Told(client, events)


def ever_over(told: Told, over_days: int) -> dict[str, date]:
    """The first close at which each loan was later than so many days: a fold for every day."""
    passed: dict[str, date] = {}
    for number in range(DAYS):
        for loan in told.at(on_day(number)):
            if loan.days_past_due > over_days:
                passed.setdefault(loan.loan_id, on_day(number))
    return passed
