"""Episodes follow their loans in the transaction of the score; receivers are told what they need, once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from scoring.flow import Policy
from tests.integration.scoring.conftest import ScoreAll
from tests.integration.scoring.desk import TODAY, Desk, LoanRow

pytestmark = pytest.mark.integration


async def test_eight_days_open_an_episode_that_nobody_is_called_for(desk: Desk, score: ScoreAll) -> None:
    loan = LoanRow(loan_id="L1", late=8)
    await desk.put(loan)
    await score(loan)
    (episode,) = await desk.episodes()
    assert (episode["rule"], episode["severity"], episode["state"]) == ("days_past_due", 0, "open")
    assert (episode["opened_on"], episode["baseline"]) == (TODAY, False)
    assert await desk.deliveries() == []


async def test_the_days_escalate_one_episode_and_each_level_is_told(desk: Desk, score: ScoreAll) -> None:
    loan = LoanRow(loan_id="L1", late=8)
    await desk.put(loan)
    await score(loan)
    for days in (23, 30, 30):  # to 31, 61 and 91 days
        await desk.close_days(days)
        await score(loan)
        await score(loan)
    (episode,) = await desk.episodes()
    assert (episode["severity"], episode["opened_on"]) == (3, TODAY)
    told = await desk.deliveries()
    assert [row["kind"] for row in told] == ["opened", "escalated", "escalated"]
    severities = [json.loads(row["payload"])["data"]["severity"] for row in told]
    assert severities == ["WATCH", "HIGH", "CRITICAL"]


async def test_an_episode_keeps_the_state_and_reasons_it_was_opened_with(desk: Desk, score: ScoreAll) -> None:
    loan = LoanRow(loan_id="L1", late=31, unpaid=2)
    await desk.put(loan)
    await score(loan)
    (episode,) = await desk.episodes()
    snapshot = json.loads(episode["snapshot"])
    assert snapshot["days_past_due"] == 31
    assert snapshot["overdue"] == {"amount": "200.00", "currency": "EUR"}
    assert snapshot["risk_band"] == "HIGH"
    assert snapshot["reasons"][0]["text"] == "installment of 14 Apr unpaid, 31 days"


async def test_what_receivers_read_names_no_person(desk: Desk, score: ScoreAll) -> None:
    loan = LoanRow(loan_id="L1", late=31)
    await desk.put(loan)
    await desk.connection.execute("UPDATE core.loan SET borrower_id = 'borrower-77'")
    await score(loan)
    (message,) = await desk.deliveries()
    payload = json.loads(message["payload"])
    assert payload["type"] == "alert.opened"
    assert payload["data"]["loan_id"] == "L1"
    assert "borrower" not in message["payload"]


async def test_three_closes_without_arrears_end_it_as_cured(desk: Desk, score: ScoreAll) -> None:
    loan = LoanRow(loan_id="L1", late=31)
    await desk.put(loan)
    await score(loan)
    await desk.close_days(1)
    today = TODAY + timedelta(days=1)
    cured = replace(loan, late=0, was_late=32, met_late_on=today, as_of=today, version=2, paid=2)
    await desk.put(cured)
    for closes in range(4):
        await score(cured)
        (episode,) = await desk.episodes()
        assert episode["state"] == ("resolved" if closes == 3 else "open")
        await desk.close_days(1)
    assert (episode["close_reason"], episode["closed_on"]) == ("cured", today + timedelta(days=3))
    assert [row["kind"] for row in await desk.deliveries()] == ["opened", "resolved"]


async def test_a_payment_dated_before_the_alert_withdraws_it(desk: Desk, score: ScoreAll) -> None:
    loan = LoanRow(loan_id="L1", late=31)
    await desk.put(loan)
    await score(loan)
    paid_in_time = replace(loan, late=0, was_late=31, met_late_on=TODAY - timedelta(days=28), version=2)
    await desk.put(paid_in_time)
    await score(paid_in_time)
    (episode,) = await desk.episodes()
    assert (episode["state"], episode["close_reason"]) == ("withdrawn", "withdrawn")
    assert [row["kind"] for row in await desk.deliveries()] == ["opened", "withdrawn"]


async def test_a_payment_of_the_same_day_cures_and_does_not_withdraw(desk: Desk, score: ScoreAll) -> None:
    loan = LoanRow(loan_id="L1", late=31)
    await desk.put(loan)
    await score(loan)
    paid_today = replace(loan, late=0, was_late=31, met_late_on=TODAY, version=2)
    await desk.put(paid_today)
    await score(paid_today)
    (episode,) = await desk.episodes()
    assert (episode["state"], episode["leaving_since"]) == ("open", TODAY)


async def test_the_last_installment_paid_ends_it_as_paid(desk: Desk, score: ScoreAll) -> None:
    loan = LoanRow(loan_id="L1", late=31)
    await desk.put(loan)
    await score(loan)
    await desk.put(replace(loan, status=3, late=0, was_late=31, met_late_on=TODAY, version=2))
    await score(loan)
    (episode,) = await desk.episodes()
    assert (episode["state"], episode["close_reason"]) == ("resolved", "paid")
    payload = json.loads((await desk.deliveries())[-1]["payload"])
    assert (payload["type"], payload["data"]["close_reason"]) == ("alert.resolved", "paid")


async def test_a_returned_payment_within_a_week_opens_the_same_episode_again(
    desk: Desk, score: ScoreAll
) -> None:
    loan = LoanRow(loan_id="L1", late=31)
    await desk.put(loan)
    await score(loan)
    closed = replace(loan, status=3, late=0, was_late=31, met_late_on=TODAY, version=2)
    await desk.put(closed)
    await score(closed)
    await desk.close_days(5)
    again = replace(loan, late=36, as_of=TODAY + timedelta(days=5), version=3)
    await desk.put(again)
    await score(again)
    (episode,) = await desk.episodes()
    assert (episode["state"], episode["reopened_on"], episode["closed_on"]) == ("open", again.as_of, None)
    assert [row["kind"] for row in await desk.deliveries()] == ["opened", "resolved", "reopened"]


async def test_a_relapse_after_a_week_is_another_episode(desk: Desk, score: ScoreAll) -> None:
    loan = LoanRow(loan_id="L1", late=31)
    await desk.put(loan)
    await score(loan)
    closed = replace(loan, status=3, late=0, was_late=31, met_late_on=TODAY, version=2)
    await desk.put(closed)
    await score(closed)
    await desk.close_days(8)
    again = replace(loan, late=39, as_of=TODAY + timedelta(days=8), version=3)
    await desk.put(again)
    await score(again)
    assert [row["state"] for row in await desk.episodes()] == ["resolved", "open"]


async def test_an_acknowledged_episode_is_told_again_only_when_it_escalates(
    desk: Desk, score: ScoreAll
) -> None:
    loan = LoanRow(loan_id="L1", late=31)
    await desk.put(loan)
    await score(loan)
    await desk.connection.execute(
        "UPDATE risk.alert_episode SET state = 'acknowledged', acknowledged_by = 'ann'"
    )
    await desk.close_days(5)
    await score(loan)
    (episode,) = await desk.episodes()
    assert (episode["state"], len(await desk.deliveries())) == ("acknowledged", 1)
    await desk.close_days(25)
    await score(loan)
    (episode,) = await desk.episodes()
    assert (episode["state"], episode["acknowledged_by"]) == ("open", None)  # anybody may take the next level
    assert [row["kind"] for row in await desk.deliveries()] == ["opened", "escalated"]


async def test_episodes_open_in_silence_while_history_loads(desk: Desk, score: ScoreAll) -> None:
    await desk.replaying(on=True)
    loan = LoanRow(loan_id="L1", late=31)
    await desk.put(loan)
    await score(loan)
    (episode,) = await desk.episodes()
    assert (episode["baseline"], episode["severity"]) == (True, 1)
    assert await desk.deliveries() == []


async def test_a_silent_episode_speaks_when_it_escalates_later(desk: Desk, score: ScoreAll) -> None:
    await desk.replaying(on=True)
    loan = LoanRow(loan_id="L1", late=31)
    await desk.put(loan)
    await score(loan)
    await desk.replaying(on=False)
    await desk.close_days(30)
    await score(loan)
    (message,) = await desk.deliveries()
    assert message["kind"] == "opened"
    assert json.loads(message["payload"])["data"]["severity"] == "HIGH"


async def test_the_end_of_an_episode_nobody_heard_of_is_not_told(desk: Desk, score: ScoreAll) -> None:
    loan = LoanRow(loan_id="L1", late=8)
    await desk.put(loan)
    await score(loan)
    await desk.put(replace(loan, status=3, late=0, was_late=8, met_late_on=TODAY, version=2))
    await score(loan)
    (episode,) = await desk.episodes()
    assert (episode["state"], await desk.deliveries()) == ("resolved", [])


async def test_a_notice_held_until_the_cut_off_is_never_sent_when_its_reason_goes_before(
    desk: Desk, score: ScoreAll, policy: Policy
) -> None:
    held = replace(policy, hold_until_cut_off=True)
    loan = LoanRow(loan_id="L1", late=31)
    await desk.put(loan)
    await score(loan, policy=held)
    (message,) = await desk.deliveries()
    ten = datetime.combine(TODAY + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=10)
    assert message["due_at"] == message["next_attempt_at"] == ten
    await desk.connection.execute("UPDATE risk.delivery SET due_at = now() + interval '1 hour'")
    late_file = replace(loan, late=0, was_late=31, met_late_on=TODAY - timedelta(days=28), version=2)
    await desk.put(late_file)
    await score(late_file, policy=held)
    (episode,) = await desk.episodes()
    assert (episode["state"], await desk.deliveries()) == ("withdrawn", [])


async def test_the_database_refuses_a_second_open_episode_of_a_loan(desk: Desk, score: ScoreAll) -> None:
    loan = LoanRow(loan_id="L1", late=31)
    await desk.put(loan)
    await score(loan)
    with pytest.raises(asyncpg.UniqueViolationError):
        await desk.connection.execute(
            "INSERT INTO risk.alert_episode (book_key, slice, loan_key, rule, severity, opened_on, snapshot)"
            " SELECT book_key, slice, loan_key, rule, 3, opened_on, '{}' FROM risk.alert_episode"
        )
