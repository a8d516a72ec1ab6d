"""Locked loans: what the server sends of them, read as columns."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.locked import PLACES, Locked, LockedColumns, Terms, late_of, named_ids_of

LOANS = st.lists(st.lists(st.integers(-(2**15), 2**15 - 1), max_size=5), max_size=5)


def sent(values: list[int]) -> bytes:
    """A smallint array as the server sends it."""
    head = struct.pack(">iii", bool(values), 0, 21)
    return (
        head
        + (struct.pack(">ii", len(values), 1) if values else b"")
        + b"".join(struct.pack(">ih", 2, value) for value in values)
    )


@given(LOANS)
def test_days_late_of_many_loans_are_read_as_one_value(loans: list[list[int]]) -> None:
    met = np.array([len(values) for values in loans], np.int64)
    late = late_of(b"".join(map(sent, loans)), met)
    assert [row[:count].tolist() for row, count in zip(late, met.tolist(), strict=True)] == loans
    assert not any(row[count:].any() for row, count in zip(late, met.tolist(), strict=True))


def locked(loan_key: int, days_late: list[int]) -> Locked:
    """A loan of which nothing else matters."""
    numbers = dict.fromkeys(PLACES, 0) | {"loan_key": loan_key, "met": len(days_late)}
    return Locked(
        Terms(f"L-{loan_key}"),
        np.array([*numbers.values()], np.int64).tobytes(),
        struct.pack(f">{len(days_late)}h", *days_late),
    )


@given(LOANS, st.integers(0, 5))
def test_loans_that_were_put_together_are_read_one_by_one_as_before(loans: list[list[int]], at: int) -> None:
    rows = [locked(number, values) for number, values in enumerate(loans)]
    merged = LockedColumns.of(rows[at:]).merged(LockedColumns.of(rows[:at]))
    assert LockedColumns.of([merged.row(place) for place in range(len(rows))]).late.tolist() == (
        LockedColumns.of(rows).late.tolist()
    )
    assert [merged.row(place).terms.loan_id for place in range(len(rows))] == [
        f"L-{n}" for n in range(len(rows))
    ]


def test_ids_undone_are_told_by_slice_and_loan() -> None:
    parts: list[dict[str, Any]] = [
        {"slice": 1, "named_ids": None},
        {"slice": 2, "named_ids": '{"-7": ["a", "b"]}'},
    ]
    assert named_ids_of(parts) == {(2, -7): ["a", "b"]}
