"""Rows for COPY: in which order they are sent."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loanbook.postgres.binary_copy import in_turns

HELD_BACK = 1_000  # rows that the server collects before it writes them


@given(st.lists(st.integers(0, 15), max_size=300))
def test_turns_take_every_row_once_and_keep_the_order_within_a_slice(slices: list[int]) -> None:
    ordered = np.array(sorted(slices), np.int64)
    places = in_turns(ordered)
    assert sorted(places.tolist()) == list(range(len(slices)))
    for number in set(slices):
        assert (np.diff(places[ordered[places] == number]) > 0).all()


def test_of_what_the_server_holds_back_few_rows_belong_to_one_slice() -> None:
    slices = np.repeat(np.arange(8), 2_000)
    first = slices[in_turns(slices)][:HELD_BACK]
    assert np.bincount(first).max() < HELD_BACK // 6
