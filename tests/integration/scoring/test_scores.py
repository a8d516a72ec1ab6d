"""A score follows the state of its loan, says why, and never goes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from scoring.flow import Policy, score_loans
from scoring.model import RulesScorer
from scoring.store import PostgresScoreStore
from tests.integration.scoring.conftest import ScoreAll
from tests.integration.scoring.desk import INSTALLMENT, TODAY, Desk, LoanRow

pytestmark = pytest.mark.integration


async def test_a_loan_three_days_late_is_scored_with_its_reason(desk: Desk, score: ScoreAll) -> None:
    late = LoanRow(loan_id="L1", late=3)
    await desk.put(late)
    outcome = await score(late)
    row = await desk.score(late)
    assert outcome.scored == 1
    assert (row["basis"], row["model"], row["state_version"], row["as_of"]) == (
        "rules",
        "rules-001",
        1,
        TODAY,
    )
    assert row["risk_score"] == 48
    assert row["default_probability"] == pytest.approx(0.0439, abs=0.0001)
    assert json.loads(row["reasons"]) == [
        {"code": "days_past_due", "points": 12, "text": "installment of 12 May unpaid, 3 days"}
    ]
    assert json.loads(row["contributions"]) == {"days_past_due": 12}
    assert row["strategy"] == "reminders_and_monitoring"
    assert row["exposure_minor"] == 10 * INSTALLMENT
    assert row["expected_loss_minor"] == round(row["default_probability"] * 0.45 * 10 * INSTALLMENT)


async def test_loans_of_many_slices_scored_together_are_as_if_alone(desk: Desk, score: ScoreAll) -> None:
    rows = [
        LoanRow(
            loan_id=f"L{number}",
            late=number % 3 * 10,
            on_time_streak=number,
            recent_days_late=[0, 4][: number % 3],
        )
        for number in range(12)
    ]
    rows.append(LoanRow(loan_id="new", term_days=None))
    await desk.put(*rows)
    await score(*rows[:5])  # so that some have a score, and of these some stay
    rows[:3] = [replace(row, version=2, returned_payments=2) for row in rows[:3]]
    await desk.put(*rows[:3])
    assert (await score(*rows)).scored == len(rows) - 2
    together = [_comparable(await desk.score(row)) for row in rows]
    await desk.connection.execute("TRUNCATE risk.score, risk.score_history, risk.alert_episode CASCADE")
    for row in rows:
        await score(row)
    assert together == [_comparable(await desk.score(row)) for row in rows]


def _comparable(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in {"scored_at", "changes"}}


async def test_what_changed_is_the_difference_to_the_score_before(desk: Desk, score: ScoreAll) -> None:
    loan = LoanRow(loan_id="L1")
    await desk.put(loan)
    await score(loan)
    assert json.loads((await desk.score(loan))["changes"]) == []
    loan = replace(loan, late=3, version=2, returned_payments=1)
    await desk.put(loan)
    await score(loan)
    assert json.loads((await desk.score(loan))["changes"]) == [
        {
            "code": "days_past_due",
            "points": 12,
            "text": "installment of 12 May unpaid, 3 days",
            "on": "2026-05-15",
        },
        {"code": "returned_payments", "points": 8, "text": "payments returned: 1", "on": "2026-05-15"},
    ]


async def test_a_score_that_did_not_move_keeps_what_changed_last(desk: Desk, score: ScoreAll) -> None:
    loan = LoanRow(loan_id="L1")
    await desk.put(loan)
    await score(loan)
    await desk.put(replace(loan, late=2, version=2))
    await score(loan)
    changes = (await desk.score(loan))["changes"]
    await desk.put(replace(loan, late=2, version=3))
    await score(loan)
    row = await desk.score(loan)
    assert row["state_version"] == 3
    assert json.loads(row["changes"]) == json.loads(changes) != []


async def test_terms_kept_from_the_score_before_give_way_to_those_of_a_newer_plan(
    desk: Desk, score: ScoreAll
) -> None:
    first, other = LoanRow(loan_id="L1", late=20), LoanRow(loan_id="L2", late=20)
    await desk.put(first, other)
    await score(first, other)
    await desk.connection.execute("UPDATE core.loan SET term_days = 60")
    await desk.connection.execute("UPDATE core.loan_state SET version = 2")
    await desk.connection.execute(
        "UPDATE core.loan_state SET terms_version = 2 WHERE loan_key = $1", first.key
    )
    assert (await score(first, other)).scored == 2
    bases = [(await desk.score(row))["basis"] for row in (first, other)]
    # Past 15 days a loan of 60 days is bad; the other's state names the old terms.
    assert bases == ["rule", "rules"]


async def test_a_loan_past_the_label_is_critical_by_rule_and_not_scored(desk: Desk, score: ScoreAll) -> None:
    bad = LoanRow(loan_id="L1", late=61)
    await desk.put(bad)
    await score(bad)
    row = await desk.score(bad)
    assert (row["basis"], row["band"], row["risk_score"], row["default_probability"]) == ("rule", 3, 100, 1.0)
    assert json.loads(row["reasons"])[0]["text"] == "installment of 15 Mar unpaid, 61 days: bad by rule"
    assert row["strategy"] == "legal_notice_and_field_recovery"
    assert "a person approves" in row["strategy_reason"]


async def test_a_loan_that_has_ended_leaves_the_scores_and_keeps_its_history(
    desk: Desk, score: ScoreAll
) -> None:
    loan = LoanRow(loan_id="L1", late=3)
    await desk.put(loan)
    await score(loan)
    await desk.put(replace(loan, late=0, status=3, version=2))
    assert (await score(loan)).ended == 1
    assert await desk.score(loan) is None
    assert await desk.connection.fetchval("SELECT count(*) FROM risk.score_history") == 1


async def test_a_score_that_is_current_is_not_written_again(desk: Desk, score: ScoreAll) -> None:
    loan = LoanRow(loan_id="L1", late=3)
    await desk.put(loan)
    assert (await score(loan)).scored == 1
    assert (await score(loan)).scored == 0


async def test_the_day_alone_raises_the_score_of_a_loan_that_is_late(desk: Desk, score: ScoreAll) -> None:
    loan = LoanRow(loan_id="L1", late=3)
    await desk.put(loan)
    await score(loan)
    before = await desk.score(loan)
    await desk.close_days(5)
    await score(loan)
    after = await desk.score(loan)
    assert after["as_of"] == TODAY + timedelta(days=5)
    assert after["risk_score"] == before["risk_score"] + 16
    assert json.loads(after["reasons"])[0]["text"] == "installment of 12 May unpaid, 8 days"


async def test_a_score_claims_no_day_beyond_the_state_s_next_boundary(desk: Desk, score: ScoreAll) -> None:
    loan = LoanRow(loan_id="L1", boundary_in=2)
    await desk.put(loan)
    await desk.close_days(5)
    await score(loan)
    assert (await desk.score(loan))["as_of"] == TODAY + timedelta(days=1)


async def test_history_takes_a_band_change_a_step_and_a_month_end_only(desk: Desk, score: ScoreAll) -> None:
    loan = LoanRow(loan_id="L1", late=1)
    await desk.put(loan)
    await score(loan)  # the first
    await desk.close_days(1)
    await score(loan)  # 2 days: nothing moved
    await desk.close_days(2)
    await score(loan)  # 4 days: another band
    await desk.close_days(12)
    await score(loan)  # 30 May
    await desk.close_days(1)
    await score(loan)  # 31 May
    rows = await desk.connection.fetch("SELECT as_of, features FROM risk.score_history ORDER BY as_of")
    assert [row["as_of"].isoformat() for row in rows] == [
        "2026-05-15",
        "2026-05-18",
        "2026-05-30",
        "2026-05-31",
    ]
    assert rows[0]["features"][:2] == [1.0, 1.0]


async def test_an_older_model_does_not_take_back_the_score_of_a_newer_one(
    desk: Desk, score: ScoreAll
) -> None:
    class NewerScorer(RulesScorer):
        name = "rules-002"

    newer = Policy(scorer=NewerScorer(), loss_given_default=0.45)
    loan = LoanRow(loan_id="L1", late=3)
    await desk.put(loan)
    await score(loan, policy=newer)
    assert (await score(loan)).scored == 0
    assert (await desk.score(loan))["model"] == "rules-002"


async def test_scorers_of_the_same_loans_in_opposite_order_neither_deadlock_nor_write_twice(
    desk: Desk, store: PostgresScoreStore, policy: Policy
) -> None:
    rows = [LoanRow(loan_id=f"S{n}", late=n % 40) for n in range(60)]
    await desk.put(*rows)
    orders = (rows, rows[::-1], rows, rows[::-1])
    outcomes = await asyncio.gather(
        *(score_loans({row.key: row.slice for row in order}, store, policy) for order in orders)
    )
    assert sum(outcome.scored for outcome in outcomes) == len(rows)
