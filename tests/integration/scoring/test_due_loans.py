"""The sweep asks for what is behind and for nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from loanbook.postgres.load_sql import load_sql
from scoring.alerts import RULE
from scoring.backlog import Backlog
from scoring.scorecard import MODEL
from scoring.store import PostgresScoreStore
from scoring.sweep import Sweep
from tests.integration.scoring.conftest import ScoreAll
from tests.integration.scoring.desk import TODAY, Desk, LoanRow

pytestmark = pytest.mark.integration


async def due(desk: Desk, *, model: str = MODEL, grace: timedelta = timedelta(0)) -> set[int]:
    found = set()
    for slice_ in range(16):
        rows = await desk.connection.fetch(
            load_sql("scoring", "select_due_loans"), slice_, model, RULE, -(2**63), 100, grace
        )
        found |= {row["loan_key"] for row in rows}
    return found


async def test_a_young_change_is_left_to_its_notice(desk: Desk) -> None:
    loan = LoanRow(loan_id="L1", late=3)
    await desk.put(loan)
    assert await due(desk, grace=timedelta(hours=1)) == set()
    assert await due(desk) == {loan.key}


async def test_a_newer_state_and_a_newer_model_make_a_score_due(desk: Desk, score: ScoreAll) -> None:
    loan = LoanRow(loan_id="L1")
    await desk.put(loan)
    await score(loan)
    assert await due(desk) == set()
    assert await due(desk, model="rules-002") == {loan.key}
    await desk.put(replace(loan, version=2))
    assert await due(desk) == {loan.key}


async def test_a_new_day_makes_late_loans_due_and_a_month_s_end_all(desk: Desk, score: ScoreAll) -> None:
    current, late = LoanRow(loan_id="L1"), LoanRow(loan_id="L2", late=3)
    await desk.put(current, late)
    await score(current)
    await score(late)
    assert await due(desk) == set()
    await desk.close_days(15)  # to 30 May
    assert await due(desk) == {late.key}
    await desk.close_days(1)
    assert await due(desk) == {current.key, late.key}


async def test_an_open_episode_makes_its_loan_due_each_day(desk: Desk, score: ScoreAll) -> None:
    loan = LoanRow(loan_id="L1", late=31)
    await desk.put(loan)
    await score(loan)
    cured = replace(loan, late=0, was_late=31, met_late_on=TODAY, version=2)
    await desk.put(cured)
    await score(cured)
    assert await due(desk) == set()
    await desk.close_days(1)
    assert await due(desk) == {loan.key}


async def test_a_loan_that_ended_is_due_until_its_score_and_its_episode_are_gone(
    desk: Desk, score: ScoreAll
) -> None:
    loan = LoanRow(loan_id="L1", late=31)
    await desk.put(loan)
    await score(loan)
    ended = replace(loan, status=3, late=0, was_late=31, met_late_on=TODAY, version=2)
    await desk.put(ended)
    assert await due(desk) == {loan.key}
    await score(ended)
    assert await due(desk) == set()


async def test_a_loan_whose_roll_waits_is_left_until_it_is_rolled(desk: Desk, score: ScoreAll) -> None:
    loan = LoanRow(loan_id="L1", late=3, boundary_in=1)
    await desk.put(loan)
    await score(loan)
    await desk.close_days(2)
    assert await due(desk) == set()


def a_sweep(pool: asyncpg.Pool, backlog: Backlog) -> Sweep:
    return Sweep(
        pool=pool,
        backlog=backlog,
        model=MODEL,
        endpoints=(),
        interval=timedelta(seconds=1),
        grace=timedelta(0),
        backlog_max=100_000,
    )


async def test_silence_ends_when_nothing_is_behind_though_loans_keep_coming(
    desk: Desk, pool: asyncpg.Pool, store: PostgresScoreStore, score: ScoreAll
) -> None:
    loan = LoanRow(loan_id="L1", late=31)
    await desk.put(loan)
    backlog = Backlog()
    sweep = a_sweep(pool, backlog)
    await sweep.round(await sweep.watch())
    await score(loan)
    backlog.add(loan.slice, [loan.key])  # as another notice would
    books = await sweep.watch()
    assert [book.silent for book in books] == [True]
    async with store.transaction({loan.key: loan.slice}):
        ending = asyncio.create_task(sweep.round(books))
        done, _ = await asyncio.wait([ending], timeout=0.5)
        assert not done  # what is being scored in silence is waited for
    assert await ending == 0
    assert [book.silent for book in await sweep.watch()] == [False]


async def test_a_day_has_turned_for_the_sweep_once_all_loans_have_been_brought_to_it(
    desk: Desk, pool: asyncpg.Pool
) -> None:
    sweep = a_sweep(pool, Backlog())
    today = await desk.close_days()
    await desk.connection.execute("UPDATE core.day_roll SET swept_at = NULL WHERE slice = 7")
    assert [book.business_on for book in await sweep.watch()] == [today - timedelta(days=1)]
    await desk.connection.execute("UPDATE core.day_roll SET swept_at = now()")
    assert [book.business_on for book in await sweep.watch()] == [today]


async def test_a_slice_far_behind_is_not_searched_again(desk: Desk, pool: asyncpg.Pool) -> None:
    loan = LoanRow(loan_id="L1")
    await desk.put(loan)
    backlog = Backlog()
    sweep = a_sweep(pool, backlog)
    backlog.add(loan.slice, range(2_000))
    assert await sweep.find(loan.slice) == 2_000
    work = await backlog.take(2_000)
    assert loan.key not in work.loans
    backlog.done(work)
    assert await sweep.find(loan.slice) == 1
    assert loan.key in (await backlog.take(2_000)).loans
