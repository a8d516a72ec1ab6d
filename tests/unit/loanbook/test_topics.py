"""Slices of loans, one at a time and many at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loanbook.topics import SLICES, murmur2, slice_of, slices_of


@given(st.lists(st.text(max_size=40)))
def test_many_at_once_lie_where_each_lies_alone(loan_ids: list[str]) -> None:
    assert slices_of(loan_ids) == [slice_of(loan_id) for loan_id in loan_ids]


def test_ids_of_one_length_spread_over_all_slices() -> None:
    assert set(slices_of([f"L-{number:06}" for number in range(1_000)])) == set(range(SLICES))


def test_the_hash_is_kafkas_own() -> None:
    # From the tests of Kafka's Java client, as signed 32-bit integers there.
    known = {b"21": -973932308, b"foobar": -790332482, b"abc": 479470107}
    assert {text: murmur2(text) for text in known} == {text: value % 2**32 for text, value in known.items()}
