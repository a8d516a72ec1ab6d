"""Sums, shares and ratios from roll-up cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics_api.flow.figures import (
    CHARGED_OFF,
    Cell,
    at_risk,
    defaulted_share,
    figures_of,
    ratio,
    standing_of,
)
from analytics_api.schemas.parts import money
from loanbook.domain.loan import DelinquencyBucket, LoanStatus

AMOUNTS = st.integers(min_value=0, max_value=10**12)
CELLS = st.lists(
    st.builds(
        Cell,
        bucket=st.sampled_from([int(bucket) for bucket in DelinquencyBucket]),
        status=st.sampled_from([*map(int, LoanStatus), CHARGED_OFF]),
        loans=st.integers(min_value=0, max_value=1000),
        disbursed_minor=AMOUNTS,
        paid_minor=AMOUNTS,
        principal_minor=AMOUNTS,
        overdue_minor=AMOUNTS,
    ),
    max_size=30,
)


def active(bucket: int, loans: int = 1, principal: int = 100, **amounts: int) -> Cell:
    return Cell(bucket=bucket, status=LoanStatus.ACTIVE, loans=loans, principal_minor=principal, **amounts)


@given(CELLS)
def test_standings_share_out_every_disbursed_loan(cells: list[Cell]) -> None:
    figures = figures_of(cells, "EUR")
    assert sum(item["loans"] for item in figures["standings"]) == figures["totals"]["disbursed_loans"]


@given(CELLS)
def test_buckets_sum_to_the_active_loans(cells: list[Cell]) -> None:
    figures = figures_of(cells, "EUR")
    assert sum(item["loans"] for item in figures["buckets"]) == figures["totals"]["active_loans"]


@given(CELLS)
def test_portfolio_at_risk_never_rises_with_the_threshold(cells: list[Cell]) -> None:
    ratios = [item["ratio"] for item in figures_of(cells, "EUR")["portfolio_at_risk"]]
    known = [value for value in ratios if value is not None]
    assert known == sorted(known, reverse=True)
    assert len(known) in {0, 4}


@given(CELLS)
def test_loans_never_disbursed_are_in_no_figure(cells: list[Cell]) -> None:
    pending = [Cell(bucket=0, status=status, loans=9, disbursed_minor=9) for status in (0, 5)]
    assert figures_of([*cells, *pending], "EUR") == figures_of(cells, "EUR")


@pytest.mark.parametrize(
    ("bucket", "over"),
    [(0, []), (1, [0]), (2, [0, 30]), (3, [0, 30, 60]), (4, [0, 30, 60, 90])],
)
def test_a_bucket_counts_past_every_threshold_below_it(bucket: int, over: list[int]) -> None:
    figures = figures_of([active(bucket)], "EUR")
    assert [item["over_days"] for item in figures["portfolio_at_risk"] if item["loans"]] == over


def test_a_charged_off_loan_is_a_standing_of_its_own_and_no_risk() -> None:
    lost = Cell(bucket=4, status=CHARGED_OFF, loans=1, disbursed_minor=500, principal_minor=400)
    figures = figures_of([active(0), lost], "EUR")
    assert at_risk(figures, 90)["ratio"] == 0
    assert figures["totals"]["principal_outstanding"]["amount"] == "1.00"
    assert [item["loans"] for item in figures["standings"] if item["standing"] == "charged_off"] == [1]


def test_charged_off_loans_do_not_perform_and_are_in_both_sides_of_that_ratio() -> None:
    lost = Cell(bucket=4, status=CHARGED_OFF, loans=1, principal_minor=100)
    gone = Cell(bucket=0, status=LoanStatus.WRITTEN_OFF, loans=1)
    found = figures_of([active(0, principal=500), active(3), active(4), lost, gone], "EUR")["non_performing"]
    assert (found["numerator"]["amount"], found["denominator"]["amount"]) == ("2.00", "8.00")
    assert found["ratio"] == 0.25


def test_defaulted_is_more_than_ninety_days_past_due() -> None:
    assert defaulted_share(figures_of([active(3, loans=3), active(4)], "EUR")) == 0.25


def test_a_book_of_nothing_has_no_ratios() -> None:
    figures = figures_of([], "JPY")
    assert figures["totals"]["disbursed"]["amount"] == "0"
    assert [item["ratio"] for item in figures["portfolio_at_risk"]] == [None] * 4
    assert [item["share_of_loans"] for item in figures["standings"]] == [None] * 6


def test_principal_that_is_pro_rata_marks_the_figures_estimated() -> None:
    assert figures_of([active(0, estimated_loans=2)], "EUR")["estimated"] is True
    assert figures_of([active(0)], "EUR")["estimated"] is False


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (1, 3, 0.333333),
        (2, 3, 0.666667),
        (0, 5, 0),
        (5, 0, None),
        (0, 0, None),
        (10**17, 3 * 10**17, 0.333333),
    ],
)
def test_ratios_have_six_decimals(part: int, whole: int, expected: float | None) -> None:
    assert ratio(part, whole) == expected


@given(CELLS)
def test_what_a_comparison_names_is_what_all_figures_say(cells: list[Cell]) -> None:
    figures, standing = figures_of(cells, "EUR"), standing_of(cells)
    assert money(standing.principal_minor, "EUR") == figures["totals"]["principal_outstanding"]
    assert standing.par_30 == at_risk(figures, 30)["ratio"]
    assert standing.defaulted_share == defaulted_share(figures)
