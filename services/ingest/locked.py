"""Locked loans: the numbers of a state travel as one value a loan, read as columns or one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from loanbook.postgres.sent_arrays import ARRAY_HEAD, sent_row

Ints: TypeAlias = NDArray[np.int64]

NUMBERS = (
    "slice", "loan_key", "version", "as_of", "quarantined", "is_plain", "fold_version", "book_key",
    "currency_key", "branch_key", "product_key", "bucket", "status", "charged_off", "estimated",
    "disbursed_minor", "scheduled_minor", "paid_minor", "principal_outstanding_minor",
    "total_outstanding_minor", "overdue_minor", "overdue_principal_minor", "overpaid_minor",
    "last_payment_minor", "past_due_on", "disbursed_on", "last_payment_on", "closed_on",
    "met", "last_effective_on", "last_business_on", "last_sequence",
)  # fmt: skip
"""What the array in lock_loans.sql holds, in its order; days are ordinals, 0 for none."""

ROW = sent_row((NUMBERS, ">i8"), behind="last_recorded_at")
_LATE = np.dtype([("size", ">i4"), ("value", ">i2")])


class Terms(msgspec.Struct, frozen=True, gc=False):
    """What payments do not change of a loan."""

    loan_id: str
    term_days: int = -1  # not given
    packed: bytes = b""  # plan of a plain loan


class Locked(msgspec.Struct, frozen=True, gc=False):
    """A loan whose row is locked."""

    terms: Terms
    numbers: bytes  # of ROW
    days_late: bytes | None = None  # of a plain loan, as the server sends an array
    named_ids: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class LockedColumns:
    """The numbers of many locked loans, a column at a time."""

    rows: Sequence[Locked]
    numbers: NDArray[Any]  # of ROW

    @classmethod
    def of(cls, rows: Sequence[Locked]) -> LockedColumns:
        """Read the numbers of locked rows."""
        return cls(rows, np.frombuffer(b"".join([row.numbers for row in rows]), ROW))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> Ints:
        """One number of every loan."""
        return self.numbers[name].astype(np.int64)

    def take(self, places: Ints) -> LockedColumns:
        """The loans at these places."""
        return LockedColumns([self.rows[place] for place in places.tolist()], self.numbers[places])

    @property
    def term_days(self) -> Ints:
        """Of every loan, -1 where it is not given."""
        return np.array([row.terms.term_days for row in self.rows], np.int64)

    def days_late(self, width: int) -> Ints:
        """Matrix of how late each installment was met, 0 where it was not; `width` installments."""
        sent = [(row.days_late or b"")[ARRAY_HEAD:].ljust(width * _LATE.itemsize, b"\0") for row in self.rows]
        return np.frombuffer(b"".join(sent), _LATE)["value"].astype(np.int64).reshape(-1, width)


def row_of(locked: Locked) -> dict[str, Any]:
    """One loan's numbers by their names; its days as dates."""
    values = np.frombuffer(locked.numbers, ROW)[0].tolist()
    row: dict[str, Any] = dict(zip(ROW.names or (), values, strict=True))
    return row | {"as_of": date.fromordinal(row["as_of"]), "past_due_on": _day_of(row["past_due_on"])}


def _day_of(ordinal: int) -> date | None:
    return date.fromordinal(ordinal) if ordinal else None
