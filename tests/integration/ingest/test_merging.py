"""The merge behind the roll-ups loses and doubles nothing, whoever writes, reads, flips or dies meanwhile."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from ingest.appending import ROLLUPS
from ingest.merging import RollupMerge, give_room_back, merge_rollups
from tests.audit import differences
from tests.builders import on_day
from tests.dying import DEATHS, Death, dying_at
from tests.integration.ingest.lanes import Workshop, roll
from tests.integration.ingest.test_flow import sent, stories

pytestmark = pytest.mark.integration
LOANS, OPENS_ON = 12, 95
_ONE_PICTURE = """
SELECT (now.loans, now.paid) = (held.loans, held.paid)
FROM (SELECT coalesce(sum(loans), 0), coalesce(sum(paid_minor), 0) FROM core.book_now) now (loans, paid),
     (SELECT count(*), coalesce(sum(paid_minor), 0) FROM core.loan_state WHERE version > 0) held (loans, paid)
"""


async def begin(workshop: Workshop) -> None:
    """A book with loans, and differences that nobody has merged."""
    await workshop.open_book(on_day(OPENS_ON), {})
    workshop.append(sent(event) for story in stories(LOANS) for event in story.events)
    await workshop.take(workshop.lanes[0])


async def unmerged(workshop: Workshop) -> dict[str, int]:
    """How many differences wait in each roll-up."""
    return {
        rollup.name: await workshop.admin.fetchval(f"SELECT count(*) FROM core.{rollup.name}_unmerged")
        for rollup in ROLLUPS
    }


async def test_a_merge_leaves_every_sum_as_it_was(workshop: Workshop) -> None:
    await begin(workshop)
    before = await workshop.tables()
    minutes = "SELECT sum(payments), sum(amount_minor) FROM core.cash_minute"
    taken = await workshop.admin.fetchrow(minutes)
    assert min((await unmerged(workshop)).values()) > 0
    for _ in range(2):
        await merge_rollups(workshop.lanes[0].store.pool)
        assert max((await unmerged(workshop)).values()) == 0
        assert await workshop.tables() == before
        assert await workshop.admin.fetchrow(minutes) == taken
    assert await differences(workshop.dsn) == []


async def test_a_merge_that_dies_at_any_statement_has_happened_or_has_not(workshop: Workshop) -> None:
    await begin(workshop)
    right = await workshop.tables()
    pool = workshop.lanes[1].store.pool
    with dying_at(None) as spoken:
        await merge_rollups(pool)
    for number in range(1, len(spoken.statements) + 1):
        for heard in (False, True):
            await begin(workshop)
            with dying_at(Death(statement=number, heard=heard)) as said, pytest.raises(DEATHS):
                await merge_rollups(pool)
            assert said.died
            assert await workshop.tables() == right, (number, heard, spoken.statements[number - 1][:80])
    await merge_rollups(pool)
    assert await workshop.tables() == right
    assert await differences(workshop.dsn) == []


async def test_batches_merges_and_flips_side_by_side_show_one_picture_to_every_reader(
    workshop: Workshop,
) -> None:
    await workshop.open_book(on_day(OPENS_ON), {})
    events = [sent(event) for story in stories(3 * LOANS) for event in story.events]
    done = asyncio.Event()

    async def feed() -> None:
        for start in range(0, len(events), 11):
            workshop.append(events[start : start + 11])
            await workshop.take(workshop.lanes[0])
            if start % 5 == 0:
                await workshop.close_days(workshop.lanes[0], 1)
        done.set()

    async def merge(lane: int) -> None:
        while not done.is_set():
            await merge_rollups(workshop.lanes[lane].store.pool)

    async def read() -> int:
        reader = await asyncpg.connect(workshop.dsn)
        looks = 0
        while not done.is_set():
            assert await reader.fetchval(_ONE_PICTURE)
            looks += 1
        await reader.close()
        return looks

    *_, looks = await asyncio.gather(feed(), merge(0), merge(1), read())
    assert looks > 0
    assert await workshop.admin.fetchval("SELECT count(*) FROM core.day_roll") > 0
    await roll(workshop.lanes[1])
    await workshop.restate(workshop.lanes[1])
    assert await differences(workshop.dsn) == []


async def test_few_differences_wait_for_their_time_and_many_do_not(workshop: Workshop) -> None:
    await begin(workshop)
    pool = workshop.lanes[0].store.pool
    waiting = await unmerged(workshop)
    pressing = {rollup.name: waiting[rollup.name] // rollup.patience for rollup in ROLLUPS}
    merge = RollupMerge(pool, rows_max=max(pressing.values()), every=timedelta(seconds=10))
    await merge.step(1.0)
    most = max(pressing, key=lambda name: pressing[name])
    assert await unmerged(workshop) == waiting | {most: 0}
    await merge.step(10.0)
    assert max((await unmerged(workshop)).values()) == 0


async def test_merges_use_the_same_room_again_and_give_back_what_a_long_look_made_them_take(
    workshop: Workshop,
) -> None:
    pool = workshop.lanes[0].store.pool
    many = (
        "INSERT INTO core.book_now_unmerged"
        " (slice, book_key, currency_key, branch_key, product_key, bucket, status)"
        " SELECT 16, 1, 1, 0, 0, 0, 0 FROM generate_series(1, 20000)"
    )
    sizes = []
    for _ in range(4):
        await workshop.admin.execute(many)
        await merge_rollups(pool)
        sizes.append(await pages(workshop))
    assert sizes[-1] <= 2 * sizes[0]
    reader = await asyncpg.connect(workshop.dsn)
    async with reader.transaction(isolation="repeatable_read"):
        await reader.fetchval("SELECT count(*) FROM core.book_now")
        for _ in range(4):
            await workshop.admin.execute(many)
            await merge_rollups(pool)
    await reader.close()
    assert await pages(workshop) > 3 * sizes[0]
    await give_room_back(pool)
    assert await pages(workshop) == 0


async def pages(workshop: Workshop) -> int:
    """Pages of what is not merged."""
    size: int = await workshop.admin.fetchval("SELECT pg_relation_size('core.book_now_unmerged') / 8192")
    return size
