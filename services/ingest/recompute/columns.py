"""Plain loans held to their ledger rows as columns: which of them a refold need not fold one by one.

Nothing is written here, and of the tables nothing is believed: a loan whose rows are not to the cent and
the day what its ledger gives is left to the general fold, which tells the difference and puts it right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from ingest.directory import PostgresDirectory
from ingest.numbering import ordinals
from ingest.opening_columns import Entry, Opening, OpeningReader, UnusualError, openings_of
from ingest.rebuilding import Rebuilt, rebuilt
from ingest.records import Book, LoanRef
from ingest.transaction import PostgresUnit
from loanbook.domain.loan import FOLD_VERSION
from loanbook.domain.plain import Flags, Ints, PlainLoans, Received
from loanbook.domain.plain_figures import PlainFigures, plain_figures
from loanbook.domain.plain_history import pay_all, payments_of
from loanbook.domain.plain_opening import opened, packed_plans
from loanbook.domain.plainness import takes_oldest_first
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.sent_arrays import sent_row

Row = Mapping[str, Any]  # of select_plain_loans.sql
Keys = tuple[int, int, int, int]

NUMBERS = (
    "currency_key", "branch_key", "product_key", "officer_key", "unapplied_minor", "last_effective_on",
    "last_business_on", "last_sequence", "is_plain", "unapplied", "status", "bucket", "estimated",
    "first_payment_default", "disbursed_minor", "scheduled_minor", "principal_outstanding_minor",
    "total_outstanding_minor", "overdue_minor", "overdue_principal_minor", "due_to_date_minor",
    "paid_minor", "overpaid_minor", "written_off_minor", "recovered_minor", "next_due_minor",
    "last_payment_minor", "cohort_on", "first_due_on", "past_due_on", "next_due_on", "next_boundary_on",
    "last_payment_on", "closed_on", "charged_off_on", "restructured_on", "missed_12m", "on_time_streak",
    "decided", "days_late_sum", "max_dpd", "returned_payments", "last_recorded_at",
)  # fmt: skip
"""What the array in select_plain_loans.sql holds, in its order, and the time behind it."""
_PLAN = (
    "schedule_version", "due_on", "kind", "principal_due", "interest_due", "fee_due", "penalty_due", "waived",
)  # fmt: skip
_FACTS = ("borrower_id", "disbursed_on", "annual_rate_bps", "term_days", "packed")
_LISTS = ("recent_days_late", "days_late", "named_ids")
_ROW = sent_row((NUMBERS[:-1], ">i8"), behind=NUMBERS[-1])
_NONE: list[Any] = []  # an array that holds nothing but zeros is stored empty


class Proven(NamedTuple):
    """The row of a loan that is stored as its ledger rows tell."""

    version: int
    is_outdated: bool  # other code has folded it


class _Loan(NamedTuple):
    """A loan as the tables hold it, and as its ledger rows make it."""

    row: Row
    made: Rebuilt
    keys: Keys  # of its currency, branch, product and officer
    rules: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuild:
    """Plain loans as their ledger rows make them, each at the day its row stands at."""

    held: Sequence[_Loan]
    loans: PlainLoans
    received: tuple[Ints, Ints, Received]  # of each payment the place of its loan, the day, what came of it

    @property
    def refs(self) -> list[LoanRef]:
        """Which loans they are, in the order of all columns."""
        return [LoanRef(row["slice"], row["loan_key"]) for row, *_ in self.held]


async def rebuild(unit: PostgresUnit, book: Book, refs: Sequence[LoanRef]) -> Rebuild | None:
    """Those of these loans of a slice that are plain by tables and by ledger rows; None for none."""
    if not refs:
        return None
    number, keys = refs[0].slice, [ref.loan_key for ref in refs]
    rows = await _fetch(unit, "select_plain_loans", number, keys, book.business_on)
    entries: dict[int, list[Entry]] = defaultdict(list)
    for entry in await _fetch(unit, "select_ledgers", number, [row["loan_key"] for row in rows]):
        if unit.directory.counts_key(book.book_key, entry["type_key"], entry["source_key"]):
            entries[entry["loan_key"]].append(entry)
    reader, products, held = OpeningReader(), _Products(book, unit.directory), []
    for row in rows:
        with suppress(UnusualError):
            made = rebuilt(entries[row["loan_key"]], row["as_of"], reader)
            held.append(_Loan(row, made, *_named(book, made, products, unit.directory)))
    return _played(held) if held else None


async def proven(unit: PostgresUnit, book: Book, refs: Sequence[LoanRef]) -> dict[LoanRef, Proven]:
    """Those of these loans of a slice that are stored as their ledger rows tell, in the unit's snapshot."""
    found = await rebuild(unit, book, refs)
    if found is None:
        return {}
    return {
        ref: Proven(row["version"], row["fold_version"] != FOLD_VERSION)
        for ref, (row, *_), same in zip(found.refs, found.held, _are_same(found).tolist(), strict=True)
        if same
    }


async def _fetch(unit: PostgresUnit, name: str, *values: object) -> Sequence[Row]:
    rows: Sequence[Row] = await unit.connection.fetch(load_sql("ingest", name), *values)
    return rows


class _Products(dict[str | None, tuple[int, tuple[int, ...]]]):
    """Key and rules of each product whose payments go to the oldest installment."""

    def __init__(self, book: Book, directory: PostgresDirectory) -> None:
        super().__init__()
        self._book, self._directory = book, directory

    def __missing__(self, name: str | None) -> tuple[int, tuple[int, ...]]:
        if not takes_oldest_first(self._directory.settings(self._book.book_key, name)):
            raise UnusualError("payments do not go to the oldest installment")
        key = self._directory.product_key(self._book.book_key, name)
        self[name] = product = key, self._directory.rules(key)
        return product


def _named(
    book: Book, made: Rebuilt, products: _Products, directory: PostgresDirectory
) -> tuple[Keys, tuple[int, ...]]:
    """Keys of the loan's currency, branch, product and officer, and its product's rules."""
    who, moved, key = made.opening.who, made.moved, book.book_key
    try:
        currency = directory.currency_key(made.opening.currency)
        branch = directory.branch_key(key, moved.get("branch", who.branch))
        product, rules = products[who.product]
        officer = directory.officer_key(key, moved.get("officer", who.officer))
    except KeyError as error:
        raise UnusualError("a name that is new here") from error
    return (currency, branch, product, officer), rules


def _played(held: Sequence[_Loan]) -> Rebuild:
    made = [loan.made for loan in held]
    rules = np.array([loan.rules for loan in held], np.int64)
    loans = opened(openings_of([one.opening for one in made], rules))
    received = pay_all(loans, payments_of([one.opening.paid for one in made], [one.payments for one in made]))
    return Rebuild(held=held, loans=loans, received=received)


def _are_same(found: Rebuild) -> Flags:
    """Which loans the tables hold as their ledger rows give them."""
    rows, made, loans = [loan.row for loan in found.held], [loan.made for loan in found.held], found.loans
    figures = plain_figures(loans, np.array([row["as_of"].toordinal() for row in rows], np.int64))
    stored = np.frombuffer(b"".join([row["numbers"] for row in rows]), _ROW)
    same = np.ones(len(rows), np.bool_)
    for name, values in _numbers(loans, figures, found.held).items():
        same &= stored[name] == values
    parts = zip(rows, made, _lists(loans, figures), packed_plans(loans.plans), strict=True)
    for place, (row, one, lists, packed) in enumerate(parts):
        same[place] &= (
            _values(row, _LISTS) == (*lists, one.named or None)
            and _values(row, _FACTS) == (*_facts(one.opening), packed)
            and _values(row, _PLAN) == _plan(one.opening)
        )
    return same


def _numbers(loans: PlainLoans, figures: PlainFigures, held: Sequence[_Loan]) -> dict[str, Any]:
    """What the numbers of core.loan_state must be."""
    nothing = np.zeros(len(held), np.int64)
    keys = np.array([loan.keys for loan in held], np.int64).T
    effective, business, sequence, recorded = ordinals(*zip(*(loan.made.last for loan in held), strict=True))
    return dict(
        zip(
            NUMBERS,
            (
                *keys, nothing, effective, business, sequence, nothing + 1, nothing,
                figures.status, figures.bucket, loans.estimated, figures.first_payment_default,
                loans.disbursed, loans.scheduled, figures.principal_outstanding, figures.total_outstanding,
                figures.overdue, figures.overdue_principal, figures.due_to_date, loans.paid, loans.overpaid,
                nothing, nothing, figures.next_due, loans.last_payment, loans.disbursed_day,
                _first_due(loans), figures.past_due_on, figures.next_due_on, figures.next_boundary_on,
                loans.last_payment_day, loans.closed_day, nothing, nothing, figures.missed_12m,
                figures.on_time_streak, figures.decided, figures.days_late_sum, figures.max_dpd,
                np.array([loan.made.returned for loan in held]), recorded,
            ),
            strict=True,
        )
    )  # fmt: skip


def _first_due(loans: PlainLoans) -> Ints:
    """The day of the first installment that a customer pays, 0 for none."""
    plans = loans.plans
    place = np.arange(len(plans.due)), plans.countable.argmax(axis=1)
    days: Ints = plans.due_day[place] * plans.countable[place]
    return days


def _lists(loans: PlainLoans, figures: PlainFigures) -> list[tuple[list[int], list[int]]]:
    """How late the last installments were, oldest first, and how late each that is met."""
    late = (loans.met_day - loans.plans.due_day).tolist()
    met = (loans.met_day > 0).sum(axis=1).tolist()
    recent = figures.recent_days_late[:, ::-1].tolist()
    return [
        ([days for days in last if days >= 0], all_late[:count])
        for last, all_late, count in zip(recent, late, met, strict=True)
    ]


def _facts(opening: Opening) -> tuple[str | None, date | None, int | None, int | None]:
    """Columns _FACTS of core.loan but for the packed plan."""
    who = opening.who
    return (who.borrower_id, opening.disbursed_on, who.annual_rate_bps, who.term_days)


def _plan(opening: Opening) -> tuple[Any, ...]:
    """Columns _PLAN of core.loan_plan."""
    dues = [values if any(values) else _NONE for values in opening.dues]
    kinds = ["regular"] * len(opening.due_on)
    return (opening.schedule_version, opening.due_on, kinds, *dues, _NONE)


def _values(row: Row, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple([row[name] for name in names])
