"""Locked loans: the numbers of a state travel as one value a loan, read as columns or one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from loanbook.domain.plain import Days
from loanbook.postgres.sent_arrays import ARRAY_HEAD

Ints: TypeAlias = NDArray[np.int64]

NUMBERS = (
    "slice", "loan_key", "version", "terms_version", "as_of", "quarantined", "is_plain", "fold_version",
    "book_key", "currency_key", "branch_key", "product_key", "bucket", "status", "charged_off", "estimated",
    "disbursed_minor", "scheduled_minor", "paid_minor", "principal_outstanding_minor",
    "total_outstanding_minor", "overdue_minor", "overdue_principal_minor", "overpaid_minor",
    "last_payment_minor", "past_due_on", "disbursed_on", "last_payment_on", "closed_on",
    "met", "last_effective_on", "last_business_on", "last_sequence",
)  # fmt: skip
"""What the array in lock_loans.sql holds, in its order; days are ordinals, 0 for none."""

PLACES = {name: place for place, name in enumerate((*NUMBERS, "last_recorded_at"))}
_LATE = np.dtype(">i2")
_EMPTY_ARRAY, _ELEMENT, _VALUE = 12, 6, 4  # bytes of an array of nothing, of an element, before its value


class Terms(msgspec.Struct, frozen=True, gc=False):
    """What payments do not change of a loan."""

    loan_id: str
    term_days: int = -1  # not given
    packed: bytes = b""  # plan of a plain loan


NO_TERMS = Terms("")


class Locked(msgspec.Struct, frozen=True, gc=False):
    """A loan whose row is locked."""

    terms: Terms
    numbers: bytes  # integers of 64 bits, as PLACES has them
    days_late: bytes = b""  # of the installments met of a plain loan, of _LATE
    named_ids: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedColumns:
    """Many locked loans, a column at a time."""

    terms: Sequence[Terms]
    numbers: Ints  # matrix: a row is a number, as PLACES has them, a column a loan
    late: NDArray[Any]  # of _LATE, a row a loan: of the installments met, then zeros
    named_ids: Sequence[Sequence[str] | None]

    @classmethod
    def of(cls, rows: Sequence[Locked]) -> LockedColumns:
        """Put locked loans side by side."""
        numbers = np.frombuffer(b"".join([row.numbers for row in rows]), np.int64)
        length = max((len(row.days_late) for row in rows), default=0)
        late = b"".join([row.days_late.ljust(length, b"\0") for row in rows])
        return cls(
            terms=[row.terms for row in rows],
            numbers=np.ascontiguousarray(numbers.reshape(-1, len(PLACES)).T),
            late=np.frombuffer(late, _LATE).reshape(len(rows), length // _LATE.itemsize),
            named_ids=[row.named_ids for row in rows],
        )

    def merged(self, others: LockedColumns) -> LockedColumns:
        """These loans and others, in key order."""
        width = max(self.late.shape[1], others.late.shape[1])
        late = [_widened(self.late, width), _widened(others.late, width)]
        both = LockedColumns(
            terms=[*self.terms, *others.terms],
            numbers=np.concatenate([self.numbers, others.numbers], axis=1),
            late=np.concatenate(late, dtype=_LATE),  # else in the machine's own order of bytes
            named_ids=[*self.named_ids, *others.named_ids],
        )
        return both.take(np.lexsort((both["loan_key"], both["slice"])))

    def __len__(self) -> int:
        return len(self.terms)

    def __getitem__(self, name: str) -> Ints:
        """One number of every loan; to be copied by whoever changes it."""
        column: Ints = self.numbers[PLACES[name]]
        return column

    def refs(self) -> list[tuple[int, int]]:
        """Slice and key of every loan."""
        return list(zip(self["slice"].tolist(), self["loan_key"].tolist(), strict=True))

    def row(self, place: int) -> Locked:
        """One of the loans."""
        numbers, late = self.numbers[:, place].tobytes(), self.late[place].tobytes()
        return Locked(self.terms[place], numbers, late, self.named_ids[place])

    def take(self, places: Ints) -> LockedColumns:
        """The loans at these places."""
        chosen = places.tolist()
        return LockedColumns(
            terms=[self.terms[place] for place in chosen],
            numbers=self.numbers[:, places],
            late=self.late[places],
            named_ids=[self.named_ids[place] for place in chosen],
        )

    @property
    def term_days(self) -> Ints:
        """Of every loan, -1 where it is not given."""
        return np.array([terms.term_days for terms in self.terms], np.int64)

    def days_late(self, width: int) -> Days:
        """Matrix of how late each installment was met, 0 where it was not; `width` installments."""
        return _widened(self.late[:, :width], width).astype(np.int32)


def late_of(sent: bytes, met: Ints) -> NDArray[Any]:
    """Rows of _LATE from arrays as the server sends them, one after another, with so many elements each."""
    sizes = np.where(met > 0, ARRAY_HEAD + met * _ELEMENT, _EMPTY_ARRAY)
    loan = np.repeat(np.arange(len(met)), met)
    turn = np.arange(len(loan)) - np.repeat(np.cumsum(met) - met, met)
    places = (np.cumsum(sizes) - sizes)[loan] + ARRAY_HEAD + turn * _ELEMENT + _VALUE
    late = np.zeros((len(met), met.max(initial=0)), _LATE)
    pairs = np.frombuffer(sent, np.uint8)[places[:, None] + np.arange(_LATE.itemsize)]
    late[loan, turn] = pairs.view(_LATE)[:, 0]
    return late


def named_ids_of(parts: Iterable[Mapping[str, Any]]) -> dict[tuple[int, int], list[str]]:
    """Ids that facts of a loan undo, by slice and key, from rows of lock_loans.sql."""
    return {
        (part["slice"], loan_key): ids
        for part in parts
        if part["named_ids"]
        for loan_key, ids in msgspec.json.decode(part["named_ids"], type=dict[int, list[str]]).items()
    }


def _widened(matrix: NDArray[Any], width: int) -> NDArray[Any]:
    return np.pad(matrix, ((0, 0), (0, width - matrix.shape[1])))


def row_of(locked: Locked) -> dict[str, Any]:
    """One loan's numbers by their names; its days as dates."""
    row: dict[str, Any] = dict(zip(PLACES, np.frombuffer(locked.numbers, np.int64).tolist(), strict=True))
    return row | {"as_of": date.fromordinal(row["as_of"]), "past_due_on": _day_of(row["past_due_on"])}


def _day_of(ordinal: int) -> date | None:
    return date.fromordinal(ordinal) if ordinal else None
