"""Refolding heals states in place while events flow, and settles roll-ups that other code has filled."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import asyncpg
import msgspec
import pytest

import ingest.folding
import ingest.recompute.lane
import ingest.recompute.refold
import ingest.recompute.run
import ingest.rows
from ingest.appending import ROLLUPS
from ingest.commands.refold import main
from ingest.merging import merge_rollups
from ingest.recompute.refold import refold_loans
from ingest.recompute.rollups import book_now_differences, put_right
from ingest.recompute.settle import locked_unit
from ingest.records import Book
from loanbook.domain.loan import FOLD_VERSION, CashDay, Loan, fold
from tests.audit import differences
from tests.builders import DAY_0, on_day
from tests.feeding import Feed, opened_feed
from tests.integration.ingest.test_flow import sent, stories
from tests.integration.ingest.test_verify import told

pytestmark = pytest.mark.integration
LOANS = 24


@pytest.fixture
async def feed(database: str) -> AsyncIterator[Feed]:
    async with opened_feed(database, DAY_0) as feed:
        await feed.close_day(on_day(80))
        yield feed


def all_events() -> list[tuple[str, bytes]]:
    return [sent(event) for story in stories(LOANS) for event in story.events]


async def refold(database: str, *words: str) -> int:
    return await asyncio.to_thread(main, ["--database-url", database, "--chunk", "3", *words])


async def value(database: str, query: str) -> Any:
    connection = await asyncpg.connect(database)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_refolding_heals_what_was_changed_by_hand(feed: Feed, database: str) -> None:
    await feed.send(all_events())
    await feed.close_day(on_day(82))
    await feed.restate()
    await told(
        database,
        "UPDATE core.loan_state SET paid_minor = paid_minor + 1, bucket = 2 WHERE slice < 8",
        "UPDATE core.loan_plan SET met_on[1] = NULL, principal_paid = '{}'",
        "UPDATE core.loan SET borrower_id = 'someone'",
        "UPDATE core.book_now SET principal_minor = principal_minor + 7",
        "UPDATE core.cash_day SET arrears_minor = arrears_minor + 7",
        "UPDATE core.book_day SET loans = loans + 1",
    )
    assert await refold(database, "--check") == 1
    assert await refold(database) == 0
    await feed.restate()
    assert await differences(database) == []
    assert await refold(database, "--check") == 0


async def test_a_check_counts_and_writes_nothing(
    feed: Feed, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await feed.send(all_events())
    versions = await value(database, "SELECT sum(version) FROM core.loan_state")
    assert await refold(database, "--check") == 0
    assert f"{LOANS} loans checked, 0 differ;" in capsys.readouterr().out
    await told(
        database,
        "UPDATE core.loan_state SET overdue_minor = overdue_minor + 1",
        "UPDATE core.cash_day SET due_minor = due_minor + 1",
    )
    assert await refold(database, "--check") == 1
    assert f"{LOANS} loans checked, {LOANS} differ;" in capsys.readouterr().out
    assert await value(database, "SELECT sum(version) FROM core.loan_state") == versions
    assert await differences(database) != []


async def test_a_refold_that_changes_nothing_leaves_every_row_alone(feed: Feed, database: str) -> None:
    await feed.send(all_events())
    versions = await value(database, "SELECT sum(version) FROM core.loan_state")
    assert await refold(database) == 0
    assert await value(database, "SELECT sum(version) FROM core.loan_state") == versions


async def test_a_run_that_was_stopped_goes_on_where_it_was(
    feed: Feed, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await feed.send(all_events())
    await told(database, "UPDATE core.loan_state SET paid_minor = paid_minor + 1")
    left = [3]

    async def stopping(*arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return await refold_loans(*arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(ingest.recompute.lane, "refold_loans", stopping)
        with pytest.raises(KeyboardInterrupt):
            await refold(database)
    healed = await value(database, "SELECT loans FROM core.refold_run WHERE finished_at IS NULL")
    assert 0 < healed < LOANS
    assert await refold(database) == 0
    runs = (
        "SELECT count(*) FROM core.refold_run WHERE loans = 24 AND differing = 24 AND finished_at IS NOT NULL"
    )
    assert await value(database, runs) == 1
    await feed.restate()
    assert await differences(database) == []


async def test_events_flow_while_a_book_is_refolded(feed: Feed, database: str) -> None:
    events = all_events()
    half = len(events) // 2
    await feed.send(events[:half])
    await told(
        database,
        "UPDATE core.loan_state SET principal_outstanding_minor = principal_outstanding_minor + 5",
        "UPDATE core.cash_day SET due_minor = due_minor + 3",
    )

    async def flow() -> None:
        for start in range(half, len(events), 3):
            await feed.send(events[start : start + 3])
        await feed.close_day(on_day(81))

    _, code = await asyncio.gather(flow(), refold(database))
    assert code == 0
    await feed.restate()
    assert await differences(database) == []


async def test_days_closed_while_roll_ups_are_compared_are_put_right_too(feed: Feed, database: str) -> None:
    await feed.send(all_events())
    await told(database, "UPDATE core.book_now SET principal_minor = principal_minor + 7, loans = loans + 1")
    async with feed.store.pool.acquire() as connection:
        key = await connection.fetchval("SELECT book_key FROM core.book")
        book = Book(book_key=key, book="demo", business_on=on_day(81))
        found = await book_now_differences(connection, book)
    await feed.close_day(on_day(82))
    async with locked_unit(feed.store.pool) as unit:
        await put_right(unit, unit.books["demo"], found, seen_on=on_day(81))
    await feed.restate()
    assert await differences(database) == []


async def test_cash_is_settled_after_a_change_of_the_fold(
    feed: Feed, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = all_events()
    with monkeypatch.context() as older:
        older.setattr(ingest.folding, "fold", older_fold(fold))
        older.setattr(ingest.rows, "FOLD_VERSION", 0)
        await feed.send(events[:60])
        await feed.close_day(on_day(81))
    feed.cache.clear()  # a release starts new workers
    assert any(text.startswith("cash_day") for text in await differences(database))
    await feed.send(events[60:80])
    await asyncio.gather(refold(database), feed.send(events[80:]))
    await feed.restate()
    assert await differences(database) == []
    assert await value(database, "SELECT min(fold_version) FROM core.loan_state") == FOLD_VERSION


async def test_history_told_wrongly_is_told_anew(feed: Feed, database: str) -> None:
    await feed.send(all_events())
    await feed.close_day(on_day(95))
    await told(database, "UPDATE core.loan_day SET overdue_minor = overdue_minor + 9, bucket = 4")
    assert await differences(database) != []
    assert await refold(database, "--history") == 0
    await feed.restate()
    assert await refold(database, "--rollups") == 0
    assert await differences(database) == []


async def test_two_runs_keep_out_of_each_others_way(feed: Feed, database: str) -> None:
    await feed.send(all_events())
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(
            "SELECT pg_advisory_lock($1, book_key) FROM core.book", ingest.recompute.run.RUN_LOCK
        )
        with pytest.raises(ingest.recompute.lane.RefoldError, match="another process refolds book 'demo'"):
            await refold(database)
    finally:
        await connection.close()


async def test_roll_ups_are_merged_while_a_book_is_refolded(feed: Feed, database: str) -> None:
    await feed.send(all_events())
    async with AsyncExitStack() as runs:
        for number, rollup in enumerate(ROLLUPS):  # one of which any number of a book may be mistaken for
            await runs.enter_async_context(ingest.recompute.run.alone(feed.store.pool, rollup.name, number))
        await merge_rollups(feed.store.pool)
    for rollup in ROLLUPS:
        assert await value(database, f"SELECT count(*) FROM core.{rollup.name}_unmerged") == 0


async def test_two_processes_refold_a_book_side_by_side(
    feed: Feed, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await feed.send(all_events())
    await told(database, "UPDATE core.loan_state SET paid_minor = paid_minor + 1")
    here: list[Any] = []

    async def watched(unit: Any, book: Any, refs: Any, *arguments: Any, **named: Any) -> Any:
        here.extend(refs)
        return await refold_loans(unit, book, refs, *arguments, **named)

    monkeypatch.setattr(ingest.recompute.lane, "refold_loans", watched)
    monkeypatch.setattr(ingest.recompute.run, "_LOANS_A_PROCESS", LOANS // 2)
    assert await refold(database, "--processes", "2") == 0
    assert 0 < len(here) < LOANS
    assert {ref.slice % 2 for ref in here} == {0}
    assert await value(database, "SELECT differing FROM core.refold_run WHERE loans = 24") == LOANS
    await feed.restate()
    assert await differences(database) == []


async def test_a_run_one_of_whose_processes_ended_goes_on_where_it_was(
    feed: Feed, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await feed.send(all_events())
    await told(database, "UPDATE core.loan_state SET paid_minor = paid_minor + 1")
    with monkeypatch.context() as patched:
        patched.setattr(ingest.recompute.run, "_LOANS_A_PROCESS", LOANS // 2)
        patched.setattr(ingest.recompute.run, "refold_alone", sys.exit)  # which takes no such arguments
        with pytest.raises(ingest.recompute.lane.RefoldError, match="a process of the refold ended with 1"):
            await refold(database, "--processes", "2")
    assert 0 < await value(database, "SELECT loans FROM core.refold_run") < LOANS
    assert await refold(database) == 0
    assert await value(database, "SELECT differing FROM core.refold_run WHERE loans = 24") == LOANS
    assert await differences(database) == []


async def test_a_restart_settles_the_roll_ups_only_of_a_run_that_changed_loans(
    feed: Feed, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await feed.send(all_events())
    assert await refold(database, "--restart") == 0
    assert "roll-ups" not in capsys.readouterr().out
    await told(
        database,
        "UPDATE core.loan_state SET paid_minor = paid_minor + 1",
        "UPDATE core.book_now SET paid_minor = paid_minor + 3",
    )

    async def stopped(*_: Any, **__: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ingest.recompute.run, "settle_rollups", stopped)
        with pytest.raises(KeyboardInterrupt):
            await refold(database)
    assert await refold(database, "--restart") == 0
    said = capsys.readouterr().out
    assert f"{LOANS} loans refolded, 0 differed" in said
    assert "cells of the roll-ups were put right" in said
    await feed.restate()
    assert await differences(database) == []


async def test_why_a_run_failed_is_not_hidden_by_the_connection_it_lost(feed: Feed, database: str) -> None:
    async def fail() -> None:
        async with ingest.recompute.run.alone(feed.store.pool, "demo", 1):
            await value(
                database,
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            raise ingest.recompute.lane.RefoldError("the real reason")

    with pytest.raises(ingest.recompute.lane.RefoldError, match="the real reason"):
        await fail()


def older_fold(of_today: Callable[..., Loan]) -> Callable[..., Loan]:
    """A fold as an earlier release might have had it: it counted arrears as current, and overdue too high."""

    def folded(*arguments: Any, **named: Any) -> Loan:
        loan = of_today(*arguments, **named)
        cash = {day: as_current(contribution) for day, contribution in loan.cash.items()}
        return replace(loan, cash=cash, overdue=loan.overdue * 2)

    return folded


def as_current(cash: CashDay) -> CashDay:
    return msgspec.structs.replace(cash, current=cash.current + cash.arrears, arrears=0)
