"""PostgreSQL is killed in the middle of a day's roll: between its steps, and under two workers that sweep."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from loanbook.postgres.pool import connect
from tests.audit import differences
from tests.builders import on_day
from tests.dying import DEATHS, Death, dying_at, lose
from tests.faults.conftest import Stream, Workers, a_book_of_events, unique
from tests.integration.ingest.lanes import LANES, Workshop, open_lanes
from tests.integration.ingest.test_day_roll import (
    begin,
    go_on,
    rolled,
    take_over,
    undisturbed,
)
from tests.parts import Database, fresh_database

pytestmark = [pytest.mark.integration, pytest.mark.faults]
# What a statement starts with, which of its repetitions, and whether the server still hears it.
STEPS = {
    "before the mark": ("-- Note the day barriers met", 0, False),
    "after the flip": ("-- Copy the live roll-up as the close", 0, True),
    "before a sweep's note": ("-- Note what was swept", 1, False),
    "after a commit": ("COMMIT", 3, True),
}
FIRST, LAST, KILLED_BEHIND = 100, 140, (103, 114, 125)


@pytest.fixture
async def workshop(postgres: Database, database_template: str) -> AsyncIterator[Workshop]:
    """Workers on a database of their own, whose server may be killed."""
    async with fresh_database(postgres, database_template) as dsn:
        made = Workshop(dsn, await connect(dsn), await open_lanes(dsn, LANES))
        yield made
        await made.admin.close()
        for lane in made.lanes:
            await lane.store.close()


@pytest.mark.parametrize("step", STEPS)
async def test_days_roll_once_though_the_database_is_killed(
    step: str, workshop: Workshop, postgres: Database
) -> None:
    right, spoken = await undisturbed(workshop)
    text, repetition, heard = STEPS[step]
    places = [n for n, said in enumerate(spoken.statements, start=1) if said.startswith(text)]
    await begin(workshop)

    def kill(connection: asyncpg.Connection) -> None:
        postgres.kill()
        lose(connection)

    with dying_at(Death(statement=places[repetition], heard=heard), die=kill) as said, pytest.raises(DEATHS):
        await go_on(workshop, 0)
    assert said.died
    postgres.start()
    workshop.admin = await connect(workshop.dsn)
    await take_over(workshop, 1)
    assert await rolled(workshop) == right
    assert await differences(workshop.dsn) == []


async def test_days_roll_once_though_the_database_and_a_worker_are_killed_under_two_that_sweep(
    stream: Stream, workers: Workers, postgres: Database
) -> None:
    events = a_book_of_events(loans=150)
    first = workers.start()
    await stream.send(events)
    await stream.wait_for(unique(events), workers.log)
    before = await stream.changes()
    second = workers.start()
    await stream.wait_for_owners(2, workers.log)
    await stream.close_day(LAST)
    for day in KILLED_BEHIND:
        await stream.wait_until_behind(day, workers.log)
        postgres.kill()
        if day == KILLED_BEHIND[1]:
            first.kill()  # the other is to take its partitions over while there is no database
            await workers.wait_for_word("take_over")
        postgres.start()
    await stream.wait_for_day(LAST + 1, workers.log)
    assert second.poll() is None
    rolls = await stream.rolls()
    assert [day for day, _ in rolls] == [on_day(number) for number in range(FIRST, LAST + 1)]
    assert sum(loans for _, loans in rolls) == await stream.changes() - before
    await stream.assert_exact(unique(events))
