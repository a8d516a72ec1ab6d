"""Slices of loans, one at a time and many at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loanbook.topics import SLICES, loan_key_of, loan_keys_of, murmur2, slice_of, slices_of


@given(st.lists(st.text(max_size=40)))
def test_many_at_once_lie_where_each_lies_alone(loan_ids: list[str]) -> None:
    encoded = [loan_id.encode() for loan_id in loan_ids]
    assert slices_of(encoded).tolist() == [slice_of(loan_id) for loan_id in loan_ids]
    keys = [loan_key_of(str(place % 3), loan_id) for place, loan_id in enumerate(loan_ids)]
    assert loan_keys_of([str(place % 3) for place in range(len(loan_ids))], encoded).tolist() == keys


def test_ids_of_one_length_spread_over_all_slices() -> None:
    assert set(slices_of([b"L-%06d" % number for number in range(1_000)]).tolist()) == set(range(SLICES))


def test_a_loan_has_the_key_it_always_had() -> None:
    assert loan_key_of("demo", "L-1") == -3908440527365082227


def test_the_hash_is_kafkas_own() -> None:
    # From the tests of Kafka's Java client, as signed 32-bit integers there.
    known = {b"21": -973932308, b"foobar": -790332482, b"abc": 479470107}
    assert {text: murmur2(text) for text in known} == {text: value % 2**32 for text, value in known.items()}
