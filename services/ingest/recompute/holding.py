"""Loans as the tables hold them beside what their ledger rows make of them: what verify and refold read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from ingest.directory import PostgresDirectory
from ingest.folding import Subject, refold
from ingest.records import Book, ChangedLoan, LoanRef, StoredLoan
from ingest.rows import PLAN_COLUMNS, STATE_COLUMNS, loan_facts, plan_row, state_row, stored_loan
from ingest.transaction import PostgresUnit
from loanbook.domain.events import LoanEvent
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Connection

FIRST_KEY = -(2**63)  # no loan key is lower
_FACTS = ("borrower_id", "disbursed_on", "annual_rate_bps", "term_days", "packed")
_OF_THE_RUN = frozenset({"slice", "loan_key", "as_of", "version", "fold_version"})  # say when, not what


class Difference(NamedTuple):
    """One value that the tables hold otherwise than it comes out of the ledger."""

    table: str
    key: str
    column: str
    stored: Any
    recomputed: Any

    def __str__(self) -> str:
        """One line for a person."""
        where = f"{self.table} {self.key}.{self.column}"
        return f"{where}: stored {self.stored}, recomputed {self.recomputed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLoan:
    """A loan as the tables hold it, with all its events."""

    ref: LoanRef
    loan_id: str
    book: Book
    row: Mapping[str, Any]
    unapplied: Mapping[str, tuple[str, int]]
    events: list[LoanEvent]

    @property
    def stored(self) -> StoredLoan:
        """What the roll-ups hold of it."""
        return stored_loan(self.row)


@asynccontextmanager
async def snapshot(
    connection: Connection, directory: PostgresDirectory | None = None
) -> AsyncIterator[PostgresUnit]:
    """One moment of the whole book, read without a lock; a directory that is given is read at need."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        rows = await connection.fetch(load_sql("ingest", "select_books"))
        books = {row["book"]: Book(**dict(row)) for row in rows}
        if directory is None or directory.is_behind(books.values()) or not directory.book_keys:
            directory = directory or PostgresDirectory()
            await directory.load(connection)
        unit = PostgresUnit(connection, directory, "")
        unit.books = books
        yield unit


async def hold(unit: PostgresUnit, book: Book, refs: Sequence[LoanRef]) -> list[HeldLoan]:
    """Read loans with their plans, their events and what does not count, in key order."""
    if not refs:
        return []
    slices, keys = [ref.slice for ref in refs], [ref.loan_key for ref in refs]
    rows = await unit.connection.fetch(load_sql("ingest", "select_states"), slices, keys)
    unapplied: dict[LoanRef, dict[str, tuple[str, int]]] = defaultdict(dict)
    for row in await unit.connection.fetch(load_sql("ingest", "select_unapplied"), slices, keys):
        ref = LoanRef(row["slice"], row["loan_key"])
        unapplied[ref][row["event_id"]] = (row["reason"], row["amount_minor"])
    events = await unit.histories(refs)
    held = []
    for row in rows:
        ref = LoanRef(row["slice"], row["loan_key"])
        loan = HeldLoan(
            ref=ref,
            loan_id=row["loan_id"],
            book=book,
            row=row,
            unapplied=unapplied[ref],
            events=events.get(ref, []),
        )
        held.append(loan)
    return held


def recompute(held: HeldLoan, on: date, directory: PostgresDirectory) -> ChangedLoan:
    """The loan as its ledger rows make it at the close of a day, all of it to be written."""
    subject = Subject(ref=held.ref, loan_id=held.loan_id, stored=held.stored, events=held.events)
    at_close = replace(held.book, business_on=on)
    after, quarantine = refold(subject, at_close, held.events, directory)
    return ChangedLoan(
        ref=held.ref,
        book_key=held.book.book_key,
        stored=subject.stored,
        before=None,
        after=after,
        events=held.events,
        quarantine=quarantine,
        is_whole=True,
    )


def differences_of(held: HeldLoan, recomputed: ChangedLoan, directory: PostgresDirectory) -> list[Difference]:
    """Every column of the loan that the tables hold otherwise; the loan may be folded at a later day."""
    state = dict(zip(STATE_COLUMNS, state_row(recomputed, directory), strict=True))
    plan = dict(zip(PLAN_COLUMNS, plan_row(recomputed), strict=True))
    facts = dict(zip(_FACTS, (*loan_facts(recomputed.after), recomputed.after.plain_plan), strict=True))
    row = {**held.row, "max_dpd": max_days_past_due(held.row, recomputed.after.as_of)}
    found = _unequal("loan_state", held.loan_id, row, state)
    found += _unequal("loan_plan", held.loan_id, row, plan)
    found += _unequal("loan", held.loan_id, row, facts)
    return found + _unapplied_differences(held, recomputed)


def max_days_past_due(row: Mapping[str, Any], on: date) -> int:
    """The most days past due ever, up to a day; it grows by itself while nothing else changes."""
    late: int = row["max_dpd"]
    return late if row["past_due_on"] is None else max(late, (on - row["past_due_on"]).days)


def _unequal(table: str, key: str, row: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[Difference]:
    return [
        Difference(table, key, column, row[column], value)
        for column, value in wanted.items()
        if column not in _OF_THE_RUN and plain(row[column]) != plain(value)
    ]


def _unapplied_differences(held: HeldLoan, recomputed: ChangedLoan) -> list[Difference]:
    wanted: dict[str, tuple[str, int]] = {}
    for event in recomputed.after.unapplied:
        wanted.setdefault(event.event_id, (event.reason, event.amount))
    return [
        Difference("unapplied", held.loan_id, event_id, held.unapplied.get(event_id), wanted.get(event_id))
        for event_id in sorted(held.unapplied.keys() | wanted.keys())
        if held.unapplied.get(event_id) != wanted.get(event_id)
    ]


def plain(value: object) -> object:
    """A value as it is compared: lists of the database and tuples of the fold are alike."""
    return tuple(value) if isinstance(value, list) else value
