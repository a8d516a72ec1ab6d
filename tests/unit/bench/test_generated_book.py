"""The book and the traffic of the benchmarks: the same for a seed, mixed as said, of any size."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from loanbook import wire
from loanbook.topics import slice_of
from tests.bench.book import BASE_LOANS, BookSpec, loans_of, opening_of
from tests.bench.traffic import BACKDATED, DUPLICATES, OTHER, REVERSED, Traffic

EVENTS = 20_000


def traffic(seed: int = 7) -> Traffic:
    return Traffic(list(loans_of(BookSpec(loans=5_000))), seed)


def test_a_seed_gives_the_same_book_and_the_same_traffic() -> None:
    assert list(loans_of(BookSpec(loans=50))) == list(loans_of(BookSpec(loans=50)))
    assert traffic().take(500) == traffic().take(500)
    assert traffic(8).take(500) != traffic().take(500)


def test_the_traffic_is_mixed_as_said() -> None:
    counts = Counter(event.value for event in traffic().take(EVENTS))
    repeated = EVENTS - len(counts)
    assert repeated / EVENTS == pytest.approx(DUPLICATES, abs=0.01)
    made = traffic()
    made.take(EVENTS)
    shares = {name: count / EVENTS for name, count in made.counts.items()}
    assert shares["payment"] == pytest.approx(0.93, abs=0.01)
    assert shares["backdated"] == pytest.approx(BACKDATED, abs=0.003)
    assert shares["reversed"] == pytest.approx(REVERSED, abs=0.003)
    assert shares["other"] == pytest.approx(OTHER, abs=0.003)


def test_every_event_can_be_decoded_and_lies_in_the_partition_of_its_loan() -> None:
    opening = [event for loan in loans_of(BookSpec(loans=100)) for event in opening_of(loan)]
    for event in (*opening, *traffic().take(2_000)):
        assert isinstance(wire.decode(event.value), wire.Received)
        assert event.partition == slice_of(event.key.decode())


def test_each_further_layer_has_one_loan_like_each_of_the_base_in_its_slice() -> None:
    loans = list(loans_of(BookSpec(loans=3 * BASE_LOANS)))
    base = loans[:BASE_LOANS]
    by_layer = defaultdict(list)
    for place, loan in enumerate(loans):
        assert loan.number == place
        assert loan.partition == slice_of(loan.loan_id) == base[loan.like].partition
        assert loan.installment == base[loan.like].installment
        by_layer[loan.layer].append(loan.like)
    assert len({loan.loan_id for loan in loans}) == len(loans)
    assert all(sorted(likes) == list(range(BASE_LOANS)) for likes in by_layer.values())


def test_a_size_that_is_no_multiple_of_the_base_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple"):
        list(loans_of(BookSpec(loans=BASE_LOANS + 1)))
