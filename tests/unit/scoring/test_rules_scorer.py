"""Expert points add up to the score exactly, give the assumed priors, and never reward a bad sign."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import scorecard
from scoring.features import FEATURES, features_of
from scoring.flow import Policy, score_rows
from scoring.model import RulesScorer, ScoreBatch
from scoring.reasons import reasons_json
from scoring.records import ScoreRows
from scoring.scorecard import ASSUMED_PRIORS, LONG
from scoring.thresholds import RiskBand
from tests.unit.scoring.loans import TODAY, a_row, states_of

POLICY = Policy(scorer=RulesScorer(), loss_given_default=0.45)


def scores_of(*rows: dict[str, Any]) -> ScoreBatch:
    loans = states_of(*rows).loans
    return RulesScorer().score(loans, features_of(loans))


def rows_of(*rows: dict[str, Any]) -> ScoreRows:
    return score_rows(states_of(*rows), POLICY)


@pytest.mark.parametrize(("days", "prior"), ASSUMED_PRIORS["long"].items())
def test_a_long_loan_without_other_signs_has_its_assumed_prior(days: int, prior: float) -> None:
    assert scores_of(a_row(days)).default_probability[0] == pytest.approx(prior, abs=0.0006)


@pytest.mark.parametrize(("days", "prior"), ASSUMED_PRIORS["short"].items())
def test_a_short_loan_without_other_signs_has_its_assumed_prior(days: int, prior: float) -> None:
    single = a_row(
        days, term_days=30, installments=2, last_due_on=TODAY + timedelta(days=30), scheduled=20_000
    )
    row = single | {"total_outstanding": 20_000, "first_due_on": None}
    assert scores_of(row).default_probability[0] == pytest.approx(prior, abs=0.0006)


@pytest.mark.parametrize(
    ("days", "band"),
    [
        (0, RiskBand.LOW), (3, RiskBand.LOW), (4, RiskBand.WATCH), (15, RiskBand.WATCH), (16, RiskBand.HIGH),
        (45, RiskBand.HIGH), (46, RiskBand.CRITICAL), (60, RiskBand.CRITICAL), (61, RiskBand.CRITICAL),
    ],
)  # fmt: skip
def test_the_bands_follow_the_days_of_a_loan_without_other_signs(days: int, band: RiskBand) -> None:
    assert scores_of(a_row(days)).band[0] == band


@pytest.mark.parametrize(("days", "bad"), [(60, False), (61, True)])
def test_a_long_loan_is_bad_by_rule_past_sixty_days(days: int, *, bad: bool) -> None:
    scores = scores_of(a_row(days))
    assert scores.by_rule[0] == bad
    assert (scores.default_probability[0] == 1.0) == bad


@pytest.mark.parametrize(("days", "bad"), [(15, False), (16, True)])
def test_a_short_loan_is_bad_by_rule_past_fifteen_days(days: int, *, bad: bool) -> None:
    assert scores_of(a_row(days, term_days=90)).by_rule[0] == bad


def test_a_charged_off_loan_is_bad_by_rule_however_late_it_is() -> None:
    rows = rows_of(a_row(0, charged_off=True))
    assert rows.scores.band[0] == RiskBand.CRITICAL
    assert json.loads(rows.reasons[0]) == [{"code": "past_threshold", "points": None, "text": "charged off"}]
    assert rows.basis[0] == "rule"


any_loan = st.builds(
    a_row,
    st.integers(0, 60),
    term_days=st.sampled_from([30, 360, None]),
    on_time_streak=st.integers(0, 20),
    max_dpd=st.integers(0, 200),
    returned_payments=st.integers(0, 4),
    mean_days_late=st.one_of(st.none(), st.floats(0, 60)),
    overdue=st.integers(0, 60_000),
    total_outstanding=st.integers(0, 120_000),
    restructured_on=st.one_of(st.none(), st.just(TODAY - timedelta(days=40))),
)


@given(row=any_loan)
def test_the_points_add_up_to_the_score_and_to_the_probability(row: dict[str, Any]) -> None:
    scores = scores_of(row)
    if scores.by_rule[0]:
        return
    segment = scorecard.SHORT if row["term_days"] == 30 else LONG
    relative = int(scores.points[0].sum()) + segment.reference_points
    odds = segment.book_probability / (1 - segment.book_probability) * 2 ** (relative / 10)
    assert scores.risk_score[0] == max(0, min(100, 50 + relative))
    assert scores.default_probability[0] == pytest.approx(odds / (1 + odds))


WORSE = {
    "max_dpd": 400,
    "returned_payments": 9,
    "mean_days_late": 90.0,
    "on_time_streak": 0,
    "overdue": 110_000,
    "total_outstanding": 120_000,
}


@given(row=any_loan, sign=st.sampled_from(sorted(WORSE)))
def test_a_worse_sign_never_lowers_the_probability(row: dict[str, Any], sign: str) -> None:
    better, worse = scores_of(row, row | {sign: WORSE[sign]}).default_probability
    assert worse >= better


@given(days=st.integers(0, 90), term=st.sampled_from([60, 360]))
def test_a_day_more_past_due_never_lowers_the_score(days: int, term: int) -> None:
    today, tomorrow = scores_of(a_row(days, term_days=term), a_row(days + 1, term_days=term)).risk_score
    assert tomorrow >= today


def test_the_reasons_are_the_four_heaviest_contributions_in_order() -> None:
    row = a_row(
        20,
        returned_payments=2,
        mean_days_late=12.0,
        on_time_streak=3,
        restructured_on=TODAY - timedelta(days=9),
    )
    loans = states_of(row).loans
    features = features_of(loans)
    text = reasons_json(loans, features, RulesScorer().score(loans, features))[0]
    assert [(reason["code"], reason["points"]) for reason in json.loads(text)] == [
        ("days_past_due", 37), ("restructured", 16), ("returned_payments", 14), ("mean_days_late", 12),
    ]  # fmt: skip


def test_a_new_loan_has_a_score_and_no_reason() -> None:
    rows = rows_of(
        a_row(0, installments=0, first_due_on=None, last_due_on=None, scheduled=0, last_payment_on=None)
    )
    assert rows.reasons[0] == "[]"
    assert rows.contributions[0] == "{}"
    assert rows.scores.risk_score[0] == 36
    assert np.isfinite(rows.scores.default_probability[0])


def test_a_first_payment_missed_by_three_days_counts() -> None:
    day = TODAY - timedelta(days=3)
    features = features_of(states_of(a_row(3, first_due_on=day), a_row(2, first_due_on=day)).loans)
    assert features[:, FEATURES.index("first_payment_missed")].tolist() == [1.0, 0.0]


def test_what_changed_is_left_out_when_the_model_changed() -> None:
    other = a_row(3, previous_exists=True, previous_model="rules-000")
    same = a_row(3, previous_exists=True, previous_model=scorecard.MODEL)
    rows = rows_of(other, same)
    assert json.loads(rows.changes[0]) == []
    assert [entry["code"] for entry in json.loads(rows.changes[1])] == ["days_past_due"]


def test_crossing_the_threshold_is_what_changed() -> None:
    crossed = a_row(61, previous_exists=True, previous_model=scorecard.MODEL, previous_risk_score=96)
    (entry,) = json.loads(rows_of(crossed).changes[0])
    assert (entry["code"], entry["points"]) == ("past_threshold", 4)


@given(
    rows=st.lists(
        st.builds(
            a_row,
            st.sampled_from([0, 3, 40, 61]),
            total_outstanding=st.sampled_from([110_000, 109_999, 60_000, 30_000]),
            mean_days_late=st.sampled_from([None, 0.0, 4 / 3, 1.5]),
            on_time_streak=st.integers(0, 4),
            charged_off=st.booleans(),
            previous_exists=st.booleans(),
            previous_model=st.sampled_from([scorecard.MODEL, "rules-000"]),
            previous_by_rule=st.booleans(),
            previous_risk_score=st.integers(30, 60),
            previous_points=st.sampled_from([[0] * len(FEATURES), [12, 0, 7, 0, 0, 0, -2, 0, 0, 0]]),
        ),
        min_size=2,
        max_size=20,
    )
)
def test_loans_scored_together_are_told_what_each_is_told_alone(rows: list[dict[str, Any]]) -> None:
    together = rows_of(*rows)
    alone = [rows_of(row) for row in rows]
    for loan, one in enumerate(alone):
        assert together.reasons[loan] == one.reasons[0]
        assert together.changes[loan] == one.changes[0]
        assert together.contributions[loan] == one.contributions[0]


@pytest.mark.parametrize(
    ("days", "probability", "strategy"),
    [
        (0, 0.9, "none"),
        (1, 0.49, "reminders_and_monitoring"),
        (1, 0.50, "settlement_and_repayment_plan"),
        (60, 0.75, "settlement_and_repayment_plan"),
        (60, 0.76, "settlement_and_repayment_plan"),
        (61, 0.76, "legal_notice_and_field_recovery"),
    ],
)
def test_legal_steps_need_more_than_sixty_days(days: int, probability: float, strategy: str) -> None:
    class Fixed(RulesScorer):
        def score(self, loans: Any, features: Any) -> ScoreBatch:
            from dataclasses import replace  # noqa: PLC0415

            return replace(super().score(loans, features), default_probability=np.array([probability]))

    rows = score_rows(states_of(a_row(days)), Policy(scorer=Fixed(), loss_given_default=0.45))
    assert rows.losses.strategy[0] == strategy


@pytest.mark.parametrize(("days", "stage"), [(0, 1), (30, 1), (31, 2), (89, 2), (90, 3)])
def test_the_stage_follows_the_days(days: int, stage: int) -> None:
    assert rows_of(a_row(days)).losses.stage[0] == stage


def test_a_loan_restructured_within_a_year_stands_in_stage_two() -> None:
    recent, old = (a_row(0, restructured_on=TODAY - timedelta(days=days)) for days in (365, 366))
    assert rows_of(recent, old).losses.stage.tolist() == [2, 1]


def test_expected_loss_is_probability_times_loss_times_exposure() -> None:
    rows = rows_of(a_row(20, overdue=15_000, overdue_principal=10_000))
    assert rows.losses.exposure[0] == 105_000
    assert rows.losses.expected_loss[0] == round(float(rows.scores.default_probability[0]) * 0.45 * 105_000)
