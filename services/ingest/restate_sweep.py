"""The sweeper behind backdated events: tells past days anew in small transactions beside the stream."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ingest import metrics
from ingest.folding import Subject, refold
from ingest.records import Book, LoanRef, RollupCell, RollupMeasures, StoredLoan
from ingest.restating import (
    DayFigures,
    Restatement,
    add_up,
    as_known,
    book_differences,
    days_between,
    loan_day_row,
    retell,
)
from ingest.retelling import retell_plain
from ingest.rollups import Keys, measures_of, rollup_status
from ingest.store import PostgresLoanStore
from ingest.transaction import PostgresUnit
from loanbook.domain.events import LoanEvent
from loanbook.domain.loan import Loan
from loanbook.postgres.load_sql import load_sql

_LOANS_MAX = 200  # in a transaction: their rows are locked meanwhile
_PAUSE_S = 0.5
_CLEAN = StoredLoan(
    version=0, as_of=date.min, quarantined=False, cell=RollupCell(*[0] * 6), measures=RollupMeasures()
)


async def run_restate_sweep(store: PostgresLoanStore) -> None:
    """Tell days anew whenever there are some."""
    while True:
        while await restate_some(store):
            pass
        await asyncio.sleep(_PAUSE_S)


async def restate_some(store: PostgresLoanStore) -> int:
    """Tell the past of some loans anew; returns how many."""
    async with store.transaction() as unit:
        await unit.lock_books()
        rows = await unit.connection.fetch(load_sql("ingest", "take_restates"), _LOANS_MAX)
        if not rows:
            return 0
        work = await _claim(unit, rows)
        history = await _stored_days(unit, work)
        refs = [item.ref for item in work]
        told = retell_plain(work, await unit.lock(refs), await unit.entries(refs), unit.directory)
        others = [item for item in work if item.ref not in told]
        events = await unit.histories(item.ref for item in others)
        told |= {item.ref: _retold(unit, item, events[item.ref]) for item in others}
        await _write(unit, work, history, told)
        metrics.LOANS_RESTATED.inc(len(work))
        return len(work)


async def _claim(unit: PostgresUnit, rows: Sequence[Any]) -> list[Restatement]:
    names = {(row["slice"], row["loan_key"]): (row["loan_id"], row["book_key"]) for row in rows}
    taken = await unit.connection.fetch(
        load_sql("ingest", "delete_restates"),
        [row["slice"] for row in rows],
        [row["loan_key"] for row in rows],
        [row["known_on"] for row in rows],
    )
    return [
        Restatement(
            ref=LoanRef(row["slice"], row["loan_key"]),
            loan_id=names[row["slice"], row["loan_key"]][0],
            book_key=names[row["slice"], row["loan_key"]][1],
            known_on=row["known_on"],
            from_on=row["from_on"],
        )
        for row in sorted(taken, key=lambda row: (row["slice"], row["loan_key"]))
    ]


async def _stored_days(
    unit: PostgresUnit, work: Sequence[Restatement]
) -> dict[LoanRef, list[tuple[date, DayFigures]]]:
    found: dict[LoanRef, list[tuple[date, DayFigures]]] = defaultdict(list)
    slices, keys = [item.ref.slice for item in work], [item.ref.loan_key for item in work]
    for row in await unit.connection.fetch(load_sql("ingest", "select_loan_days"), slices, keys):
        cell = RollupCell(*(row[name] for name in RollupCell._fields))
        measures = RollupMeasures(*(row[name] for name in RollupMeasures._fields))
        figures = DayFigures(row["on_date"], row["past_due_on"], cell, measures)
        found[LoanRef(row["slice"], row["loan_key"])].append((row["known_on"], figures))
    return found


def _retold(unit: PostgresUnit, item: Restatement, events: Sequence[LoanEvent]) -> list[DayFigures]:
    """The loan's past as a fold tells it from what was known by then."""
    book = next(book for book in unit.books.values() if book.book_key == item.book_key)
    known = [e for e in events if e.known_on is None or e.known_on <= item.known_on]
    subject = Subject(ref=item.ref, loan_id=item.loan_id, stored=_CLEAN, events=known)

    def fold_at(day: date) -> Loan:
        at_close = Book(book_key=book.book_key, book=book.book, business_on=day)
        return refold(subject, at_close, known, unit.directory)[0]

    return retell(item, fold_at, lambda loan: figures_of(loan, item.book_key, unit))


def figures_of(loan: Loan, book_key: int, unit: PostgresUnit) -> DayFigures:
    """Figures of a folded loan as the history keeps them."""
    directory = unit.directory
    keys = Keys(
        directory.currency_key(loan.currency),
        directory.branch_key(book_key, loan.branch),
        directory.product_key(book_key, loan.product),
    )
    status = rollup_status(int(loan.status), charged_off=loan.charged_off_on is not None)
    cell = RollupCell(book_key, *keys, int(loan.bucket), status)
    return DayFigures(loan.as_of, loan.past_due_on, cell, measures_of(loan))


async def _write(
    unit: PostgresUnit,
    work: Sequence[Restatement],
    history: Mapping[LoanRef, list[tuple[date, DayFigures]]],
    told: Mapping[LoanRef, list[DayFigures]],
) -> None:
    differences = add_up(
        book_differences(item, as_known(history.get(item.ref, []), item.known_on), told[item.ref])
        for item in work
    )
    await unit.connection.execute(
        load_sql("ingest", "forget_loan_days"),
        [item.ref.slice for item in work],
        [item.ref.loan_key for item in work],
        [item.known_on for item in work],
        [item.from_on for item in work],
    )
    days = [(item.ref, item.known_on, entry) for item in work for entry in told[item.ref]]
    await unit.insert_many("insert_loan_days", [loan_day_row(*day) for day in days])
    rows = [(k.business_on, k.known_on, *k.cell, *measures) for k, measures in differences.items()]
    await unit.insert_many("add_book_days", rows)
    await unit.insert_many("mark_restated", _restated_days(work))


def _restated_days(work: Sequence[Restatement]) -> list[tuple[int, date, date, int]]:
    counts = Counter(
        (item.book_key, day, item.known_on)
        for item in work
        for day in days_between(item.from_on, item.known_on)
    )
    return [(*key, loans) for key, loans in sorted(counts.items())]
