"""Writes changed loans: state, plan, what did not count, roll-up differences and the notices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from ingest import rollups
from ingest.appending import BOOK_NOW, CASH_DAY, CASH_MINUTE, append_differences, cash_row
from ingest.directory import PostgresDirectory
from ingest.plain import PlainChanges
from ingest.plain_rows import PAST_COLUMNS, PlainRows
from ingest.plain_rows import STATE_COLUMNS as PLAIN_COLUMNS
from ingest.records import Book, ChangedLoan, LedgerRow, LoanRef
from ingest.restating import DayFigures, first_changed_on, loan_day_row
from ingest.rows import (
    PLAN_COLUMNS,
    STATE_COLUMNS,
    keys_before,
    keys_of,
    loan_facts,
    plan_changed,
    state_row,
    stored_plan_row,
)
from ingest.stages import through_stage
from loanbook.domain.events import LoanEvent
from loanbook.postgres.binary_copy import copy_rows, rows_of
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Connection
from loanbook.topics import LOAN_CHANGED
from loanbook.wire import LoansChanged, encode_notice

_UPDATE_STATES = (
    "UPDATE core.loan_state s SET "  # noqa: S608 - the names are constants of this program
    + ", ".join(f"{column} = t.{column}" for column in STATE_COLUMNS[2:])
    + ", terms_version = t.version, changed_at = now()"
    + " FROM stage_state t WHERE s.slice = t.slice AND s.loan_key = t.loan_key"
)


async def save_changes(  # noqa: PLR0913, PLR0917 - what changed, by either way, and what it is written with
    connection: Connection,
    directory: PostgresDirectory,
    books: Mapping[int, Book],
    changes: Sequence[ChangedLoan],
    fresh: Sequence[LedgerRow] = (),
    plain: Sequence[PlainChanges] = (),
) -> None:
    """Write changed loans, sorted by key; `fresh` are their new ledger rows, `plain` took the short cut."""
    columns = [PlainRows(part) for part in plain]
    await _keep_past(connection, changes)
    await _mark_restates(connection, books, changes, fresh)
    await _save_plain(connection, directory, columns)
    await _save_states(connection, directory, changes)
    await _save_plans(connection, changes)
    await _save_facts(connection, changes)
    await _save_unapplied(connection, changes)
    await _add_rollups(connection, directory, books, changes, columns)
    await _add_minutes(connection, directory, changes, fresh, columns)
    refs = sorted([*_changed_of(changes), *(ref for part in columns for ref in part.refs())])
    came = bool(fresh) or any(part.paid[1].size for part in plain)
    await _notify(connection, books, refs, of_new_day=not came)


async def _save_plain(
    connection: Connection, directory: PostgresDirectory, parts: Sequence[PlainRows]
) -> None:
    past = [rows for rows, left in (columns.past() for columns in parts) if left]
    if past:
        await copy_rows(connection, "loan_day", PAST_COLUMNS, rows_of(*past), schema="core")
    await _execute(connection, "insert_restates", [row for one in parts for row in one.late_arrivals()])
    await _execute(connection, "update_named", [row for one in parts for row in one.named()])
    officers = [
        (*ref, directory.officer_key(book, name)) for one in parts for *ref, book, name in one.officers()
    ]
    await _execute(connection, "update_officers", officers)
    if parts:
        await copy_rows(connection, "stage_plain", PLAIN_COLUMNS, rows_of(*(one.states() for one in parts)))
        # By fetch, which prepares it: `execute` without arguments has it planned anew each time.
        await connection.fetch(load_sql("ingest", "update_plain_states"))


async def _keep_past(connection: Connection, changes: Sequence[ChangedLoan]) -> None:
    """Keep what a loan's figures were at the closes until now, when it leaves them for a later day."""
    rows = []
    for changed in changes:
        stored = changed.stored
        if stored.version and stored.as_of < changed.after.as_of:
            entry = DayFigures(stored.as_of, stored.past_due_on, stored.cell, stored.measures)
            rows.append(loan_day_row(changed.ref, stored.as_of, entry))
    await _execute(connection, "insert_loan_days", rows)


async def _mark_restates(
    connection: Connection,
    books: Mapping[int, Book],
    changes: Sequence[ChangedLoan],
    fresh: Sequence[LedgerRow],
) -> None:
    by_loan: dict[LoanRef, list[LoanEvent]] = defaultdict(list)
    for row in fresh:
        by_loan[row.ref].append(row.event)
    rows = []
    for changed in changes:
        new = by_loan.get(changed.ref)
        business_on = books[changed.book_key].business_on
        first = first_changed_on(new, changed.events, business_on) if new else None
        if first is not None:
            rows.append((*changed.ref, business_on, first))
    await _execute(connection, "insert_restates", rows)


async def _save_states(
    connection: Connection, directory: PostgresDirectory, changes: Sequence[ChangedLoan]
) -> None:
    if not changes:
        return
    rows = [state_row(changed, directory) for changed in changes]
    await through_stage(connection, "stage_state", STATE_COLUMNS, rows, _UPDATE_STATES)


async def _save_plans(connection: Connection, changes: Sequence[ChangedLoan]) -> None:
    rows = [stored_plan_row(changed) for changed in changes if plan_changed(changed)]
    if rows:
        save = load_sql("ingest", "save_plans")
        await through_stage(connection, "stage_plan", PLAN_COLUMNS, rows, save)


async def _save_facts(connection: Connection, changes: Sequence[ChangedLoan]) -> None:
    rows = [
        (*changed.ref, *loan_facts(changed.after), changed.after.plain_plan)
        for changed in changes
        if plan_changed(changed) or loan_facts(changed.before) != loan_facts(changed.after)
    ]
    await _execute(connection, "save_loans", rows)


async def _save_unapplied(connection: Connection, changes: Sequence[ChangedLoan]) -> None:
    stored = [c for c in changes if c.stored.version]
    cleared = [c.ref for c in stored if c.after.unapplied or c.before is None or c.before.unapplied]
    await _execute(connection, "delete_unapplied", cleared)
    rows = [
        (*changed.ref, event.event_id, event.reason, event.amount)
        for changed in changes
        for event in changed.after.unapplied
    ]
    await _execute(connection, "insert_unapplied", rows)


async def _add_rollups(
    connection: Connection,
    directory: PostgresDirectory,
    books: Mapping[int, Book],
    changes: Sequence[ChangedLoan],
    plain: Sequence[PlainRows],
) -> None:
    keyed = [(changed, keys_before(changed), keys_of(changed, directory)) for changed in changes]
    book = rollups.book_differences((changed, keys) for changed, _, keys in keyed)
    rows = [(*cell, *measures) for cell, measures in book.items()]
    await append_differences(connection, BOOK_NOW, rows, *(part.book_differences() for part in plain))
    cash = rollups.cash_differences(part for part in keyed if not part[0].is_whole)
    days = [cash_row(cell, books[cell.book_key].business_on, sums) for cell, sums in cash.items()]
    await append_differences(connection, CASH_DAY, days, *(part.cash_differences() for part in plain))


async def _add_minutes(
    connection: Connection,
    directory: PostgresDirectory,
    changes: Sequence[ChangedLoan],
    fresh: Sequence[LedgerRow],
    plain: Sequence[PlainRows],
) -> None:
    keys = {changed.ref: keys_of(changed, directory) for changed in changes}
    sums = rollups.minute_sums((row, keys[row.ref]) for row in fresh)
    rows = [(*cell, *values) for cell, values in sums.items()]
    await append_differences(connection, CASH_MINUTE, rows, *(part.minute_sums() for part in plain))


async def _notify(
    connection: Connection,
    books: Mapping[int, Book],
    changed: Iterable[tuple[int, int, int]],
    *,
    of_new_day: bool,
) -> None:
    """Name the loans that changed: slice, book key and loan key of each, sorted."""
    committed_at = datetime.now(UTC)
    rows = []
    for (slice_number, book_key), group in groupby(changed, itemgetter(0, 1)):
        notice = LoansChanged(
            book=books[book_key].book,
            slice=slice_number,
            loan_keys=tuple(loan_key for _, _, loan_key in group),
            committed_at=committed_at,
            of_new_day=of_new_day,
        )
        rows.append((slice_number, LOAN_CHANGED, slice_number, None, encode_notice(notice)))
    await _execute(connection, "insert_outbox", rows)


async def _execute(connection: Connection, name: str, rows: Sequence[Iterable[Any]]) -> None:
    if rows:
        await connection.execute(
            load_sql("ingest", name), *(list(column) for column in zip(*rows, strict=True))
        )


def _changed_of(changes: Iterable[ChangedLoan]) -> list[tuple[int, int, int]]:
    return [(changed.ref.slice, changed.book_key, changed.ref.loan_key) for changed in changes]
