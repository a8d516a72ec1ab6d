"""Rows and roll-up differences of plain loans that changed, as whole columns."""

from __future__ import annotations

import json
from datetime import date
from typing import NamedTuple

import numpy as np

from ingest.locked import Ints
from ingest.plain import PlainChanges
from ingest.rollups import CASH_FIELDS, MinuteCell
from loanbook.postgres.binary_copy import EPOCH, Column, days, in_turns, integers, smallints

STATE_COLUMNS = (
    "slice", "loan_key", "as_of", "version", "last_effective_on", "last_business_on", "last_sequence",
    "last_recorded_at", "status", "bucket", "first_payment_default", "principal_outstanding_minor",
    "total_outstanding_minor", "overdue_minor", "overdue_principal_minor", "due_to_date_minor", "paid_minor",
    "overpaid_minor", "next_due_minor", "last_payment_minor", "past_due_on", "next_due_on",
    "next_boundary_on", "last_payment_on", "closed_on", "missed_12m", "on_time_streak", "decided",
    "days_late_sum", "max_dpd", "recent_days_late", "days_late",
)  # fmt: skip
"""What a payment or a new day can change of a plain loan."""

PAST_COLUMNS = (
    "slice", "loan_key", "on_date", "known_on", "past_due_on", "book_key", "currency_key", "branch_key",
    "product_key", "bucket", "status", "loans", "disbursed_minor", "paid_minor", "principal_minor",
    "outstanding_minor", "overdue_minor", "overdue_principal_minor", "estimated_loans",
)  # fmt: skip
_STATUSES = 16  # more than there are: a cell's number holds bucket and status beside the dimensions
_BUCKETS = 8


class Head(NamedTuple):
    """What the keys of all roll-ups begin with."""

    book_key: int
    currency_key: int
    branch_key: int
    product_key: int


DAYS = 2**22  # more than there are ordinals


class PlainRows:
    """The changed plain loans of a batch as rows of the tables."""

    def __init__(self, changes: PlainChanges) -> None:
        self._changes = changes
        self._figures, self._loans = changes.figures, changes.loans
        self._stored = changes.before
        self._heads, self._cells = _numbered(np.stack([self._stored[name] for name in Head._fields], axis=1))

    def states(self) -> list[Column]:
        """Columns of the stage that updates core.loan_state."""
        figures, loans = self._figures, self._loans
        numbers = (
            (figures.status, 2), (figures.bucket, 2), (figures.first_payment_default, 1),
            (figures.principal_outstanding, 8), (figures.total_outstanding, 8), (figures.overdue, 8),
            (figures.overdue_principal, 8), (figures.due_to_date, 8), (loans.paid, 8), (loans.overpaid, 8),
            (figures.next_due, 8), (loans.last_payment, 8),
        )  # fmt: skip
        counts = (
            (figures.missed_12m, 2), (figures.on_time_streak, 2), (figures.decided, 2),
            (figures.days_late_sum, 4), (figures.max_dpd, 4),
        )  # fmt: skip
        closed = np.where(figures.total_outstanding == 0, loans.closed_day, 0)
        dates = (
            figures.past_due_on,
            figures.next_due_on,
            figures.next_boundary_on,
            loans.last_payment_day,
            closed,
        )
        return [
            *self._heads_of_states(),
            *(integers(values, width) for values, width in numbers),
            *map(days, dates),
            *(integers(values, width) for values, width in counts),
            self._recent(),
            self._days_late(),
        ]

    def past(self) -> tuple[list[Column], int]:
        """Columns of core.loan_day: figures that loans leave for a later day, and how many do."""
        left = np.flatnonzero(self._stored["as_of"] < self._changes.today)
        left = left[in_turns(self._stored["slice"][left])]
        status = self._stored["status"]
        columns = [
            integers(self._stored["slice"][left], 2), integers(self._stored["loan_key"][left], 8),
            days(self._stored["as_of"][left]), days(self._stored["as_of"][left]),
            days(self._stored["past_due_on"][left]), integers(self._stored["book_key"][left], 2),
            integers(self._stored["currency_key"][left], 2), integers(self._stored["branch_key"][left], 4),
            integers(self._stored["product_key"][left], 4), integers(self._stored["bucket"][left], 2),
            integers(status[left], 2), integers(np.ones_like(status)[left], 2),
            *(integers(values[left], 8) for values in self._measures_before()[1:-1]),
            integers(self._loans.estimated[left], 2),
        ]  # fmt: skip
        return columns, len(left)

    def book_differences(self) -> Ints:
        """What leaves the old cells of core.book_now and enters the new ones."""
        before = self._in_cell(self._stored["bucket"], self._stored["status"])
        after = self._in_cell(self._figures.bucket, self._figures.status)
        stay = -np.stack(self._measures_before(), axis=1)
        come = np.stack(self._measures_after(), axis=1)
        keys, sums = _summed(np.concatenate([before, after]), np.concatenate([stay, come]))
        rest, status = np.divmod(keys, _STATUSES)
        head, bucket = np.divmod(rest, _BUCKETS)
        return np.column_stack([self._heads[head], bucket, status, sums])

    def cash_differences(self) -> Ints:
        """What the payments add to the cash of days: of their own, and of the due days they met in time."""
        keys, values = [], []
        for which, day, received in self._changes.received:
            keys += [self._on_day(which, day), self._on_day(received.due_loan, received.due_day)]
            values += [
                _cash(
                    len(which), current=received.current, arrears=received.arrears, advance=received.advance
                ),
                _cash(
                    len(received.due_loan),
                    due_collected=received.due_collected,
                    on_time_count=received.on_time,
                ),
            ]
        if not keys:
            return np.zeros((0, 0), np.int64)
        found, sums = _summed(np.concatenate(keys), np.concatenate(values))
        head, day = np.divmod(found, DAYS)
        known_on = np.zeros(len(self._heads), np.int64)
        known_on[self._cells] = self._changes.today
        return np.column_stack([self._heads[head], day - EPOCH, known_on[head] - EPOCH, sums])

    def minute_sums(self) -> Ints:
        """Count and amount of the payments taken in now, by branch."""
        place, amount = self._changes.paid
        names = [Head._fields.index(name) for name in MinuteCell._fields]
        branches, places = _numbered(self._heads[:, names])
        payments = np.stack([np.ones_like(place), amount], axis=1)
        keys, sums = _summed(places[self._cells[place]], payments)
        return np.column_stack([branches[keys], sums])

    def refs(self) -> list[tuple[int, int, int]]:
        """Slice, book key and loan key of each loan."""
        names = ("slice", "book_key", "loan_key")
        return list(zip(*(self._stored[name].tolist() for name in names), strict=True))

    def late_arrivals(self) -> list[tuple[int, int, date, date]]:
        """Loans whose closed days are others now: key, business day, first day changed."""
        which = np.flatnonzero(self._changes.changed_from)
        columns = (
            self._stored["slice"], self._stored["loan_key"], self._changes.today, self._changes.changed_from,
        )  # fmt: skip
        return [
            (number, key, date.fromordinal(today), date.fromordinal(first))
            for number, key, today, first in zip(*(column[which].tolist() for column in columns), strict=True)
        ]

    def named(self) -> list[tuple[int, int, str, int]]:
        """Loans for which the ids undone are others now: key, ids as a JSON array, payments returned."""
        slices, keys = self._stored["slice"].tolist(), self._stored["loan_key"].tolist()
        return [
            (slices[place], keys[place], json.dumps(ids), returned)
            for place, (ids, returned) in self._changes.named.items()
        ]

    def officers(self) -> list[tuple[int, int, int, str]]:
        """Loans that have another officer now: key, book key, name."""
        refs = self.refs()
        return [
            (refs[place][0], refs[place][2], refs[place][1], name)
            for place, name in self._changes.officers.items()
        ]

    def _heads_of_states(self) -> list[Column]:
        effective, business, sequence, recorded = self._changes.last_order
        return [
            integers(self._stored["slice"], 2), integers(self._stored["loan_key"], 8),
            days(self._changes.today), integers(self._stored["version"] + 1, 8),
            days(effective), days(business), integers(sequence, 8), integers(recorded, 8),
        ]  # fmt: skip

    def _recent(self) -> Column:
        latest_first = self._figures.recent_days_late
        counts = (latest_first >= 0).sum(axis=1)
        place = np.maximum(0, counts[:, None] - 1 - np.arange(latest_first.shape[1]))
        return smallints(np.take_along_axis(latest_first, place, axis=1), counts)

    def _days_late(self) -> Column:
        met = self._loans.met_day > 0
        return smallints(np.where(met, self._loans.met_day - self._loans.plans.due_day, 0), met.sum(axis=1))

    def _measures_before(self) -> list[Ints]:
        names = (
            "disbursed_minor", "paid_minor", "principal_outstanding_minor", "total_outstanding_minor",
            "overdue_minor", "overdue_principal_minor",
        )  # fmt: skip
        ones = np.ones(len(self._cells), np.int64)
        return [ones, *(self._stored[name] for name in names), self._loans.estimated.astype(np.int64)]

    def _measures_after(self) -> list[Ints]:
        figures, loans = self._figures, self._loans
        return [
            np.ones(len(self._cells), np.int64), loans.disbursed, loans.paid, figures.principal_outstanding,
            figures.total_outstanding, figures.overdue, figures.overdue_principal,
            loans.estimated.astype(np.int64),
        ]  # fmt: skip

    def _in_cell(self, bucket: Ints, status: Ints) -> Ints:
        return (self._cells * _BUCKETS + bucket) * _STATUSES + status

    def _on_day(self, which: Ints, day: Ints) -> Ints:
        return self._cells[which] * DAYS + day


def _numbered(heads: Ints) -> tuple[Ints, Ints]:
    """The distinct heads of cells, and for each loan the place of its own among them."""
    order = np.lexsort(heads.T)
    ordered = heads[order]
    is_first = np.append(True, (ordered[1:] != ordered[:-1]).any(axis=1))
    cells = np.empty(len(heads), np.int64)
    cells[order] = np.cumsum(is_first) - 1
    return ordered[is_first], cells


def _summed(keys: Ints, values: Ints) -> tuple[Ints, Ints]:
    """Sums of the rows of each key, in key order; those that come out as nothing fall out."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[0] - 1)) if len(ordered) else ordered
    sums = np.add.reduceat(values[order], starts, axis=0) if len(ordered) else values
    kept = sums.any(axis=1)
    return ordered[starts][kept], sums[kept]


def _cash(count: int, **columns: Ints) -> Ints:
    nothing = np.zeros(count, np.int64)
    return np.stack([columns.get(name, nothing) for name in CASH_FIELDS], axis=1)
