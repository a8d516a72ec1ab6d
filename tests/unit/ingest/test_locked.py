"""Locked loans: what the server sends of them, read as columns."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.locked import late_of, named_ids_of

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


def test_ids_undone_are_told_by_slice_and_loan() -> None:
    parts: list[dict[str, Any]] = [
        {"slice": 1, "named_ids": None},
        {"slice": 2, "named_ids": '{"-7": ["a", "b"]}'},
    ]
    assert named_ids_of(parts) == {(2, -7): ["a", "b"]}
