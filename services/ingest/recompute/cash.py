"""The cash of a book by cell and day, as its ledger rows make it: plain loans as columns, others folded."""

from __future__ import annotations

from datetime import date

import numpy as np

from ingest.plain_rows import DAYS
from ingest.recompute.columns import Rebuild, rebuild
from ingest.recompute.holding import FIRST_KEY, HeldLoan, hold, recompute
from ingest.recompute.rollups import Cash, add_cash
from ingest.records import Book, LoanRef
from ingest.rollups import CASH_FIELDS, CashCell
from ingest.transaction import PostgresUnit
from loanbook.domain.plain import Ints
from loanbook.postgres.load_sql import load_sql
from loanbook.topics import SLICES

_CHUNK = 500


async def book_cash(unit: PostgresUnit, book: Book) -> Cash:
    """Cash of the book as its batches have added it: of each loan at the day it was folded for."""
    cash: Cash = {}
    sql = load_sql("ingest", "select_loan_chunk")
    for number in range(SLICES):
        last = FIRST_KEY
        while rows := await unit.connection.fetch(sql, book.book_key, number, last, _CHUNK):
            last = rows[-1]["loan_key"]
            await _add_loans(cash, unit, book, [LoanRef(*row) for row in rows])
    return cash


async def _add_loans(cash: Cash, unit: PostgresUnit, book: Book, refs: list[LoanRef]) -> None:
    plain = await rebuild(unit, book, refs)
    if plain is not None:
        _add_plain(cash, book, plain)
    taken = set(plain.refs) if plain is not None else set()
    for held in await hold(unit, book, [ref for ref in refs if ref not in taken]):
        if not held.stored.quarantined:
            add_cash(cash, recompute(held, _folded_on(held), unit.directory), unit.directory)


def _folded_on(held: HeldLoan) -> date:
    return min(held.stored.as_of, held.book.business_on)


def _add_plain(cash: Cash, book: Book, plain: Rebuild) -> None:
    """Add what falls due, what came in and what of it was in time: domain.cash of many loans."""
    places, values = zip(*_contributions(plain), strict=True)
    keys, inverse = np.unique(np.concatenate(places), return_inverse=True)
    sums = np.zeros((len(keys), len(CASH_FIELDS)), np.int64)
    np.add.at(sums, inverse, np.concatenate(values))
    for key, added in zip(keys.tolist(), sums.tolist(), strict=True):
        place, day = divmod(key, DAYS)
        currency, branch, product, _ = plain.held[place].keys
        cell = CashCell(book.book_key, currency, branch, product, date.fromordinal(day))
        before = cash.get(cell)
        cash[cell] = added if before is None else [a + b for a, b in zip(before, added, strict=True)]


def _contributions(plain: Rebuild) -> list[tuple[Ints, Ints]]:
    """Keys of loan and day beside rows of CASH_FIELDS."""
    plans, met_day = plain.loans.plans, plain.loans.met_day
    which, day, received = plain.received
    loan, column = np.nonzero(plans.exists)
    is_on_time = (met_day > 0) & (met_day <= plans.due_day) & plans.countable
    return [
        (
            loan * DAYS + plans.due_day[loan, column],
            _fields(
                due=plans.due[loan, column],
                due_count=np.ones_like(loan),
                on_time_count=is_on_time[loan, column].astype(np.int64),
            ),
        ),
        (
            which * DAYS + day,
            _fields(current=received.current, arrears=received.arrears, advance=received.advance),
        ),
        (
            received.due_loan * DAYS + received.due_day,
            _fields(due_collected=received.due_collected),
        ),
    ]


def _fields(**columns: Ints) -> Ints:
    nothing = np.zeros_like(next(iter(columns.values())))
    return np.stack([columns.get(name, nothing) for name in CASH_FIELDS], axis=1)
