"""The edge cases of repayment, each with the answer that the figures must give."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from loanbook.domain import events as facts
from loanbook.domain.events import Relation, RelationKind
from loanbook.domain.loan import DelinquencyBucket, LoanStatus, UnappliedReason
from loanbook.domain.money import Minor
from loanbook.domain.settings import ProductSettings
from tests.builders import Story, on_day, some_periods

PENDING, ACTIVE, OVERPAID = LoanStatus.PENDING, LoanStatus.ACTIVE, LoanStatus.OVERPAID
CLOSED, WRITTEN_OFF = LoanStatus.CLOSED, LoanStatus.WRITTEN_OFF


def lent() -> Story:
    """300 in three installments of 100, due on days 30, 60 and 90."""
    return Story().lent((100, 100, 100))


def charge_back(story: Story, original: str, day: int, amount: int) -> None:
    relates_to = (Relation(kind=RelationKind.CHARGEBACK_OF, id=original),)
    story.tell(facts.PaymentChargedBack, day, amount_minor=Minor(amount), relates_to=relates_to)


def add_charge(story: Story, day: int, amount: int, due_day: int) -> None:
    size = Minor(amount)
    story.tell(facts.ChargeAdded, day, charge_id="fee", amount_minor=size, due_on=on_day(due_day))


def test_a_partial_payment_lowers_the_overdue_amount_and_leaves_days_past_due() -> None:
    story = lent()
    story.paid(35, 60)
    loan = story.at(40)
    assert (loan.days_past_due, loan.overdue, loan.installments[0].paid.total) == (10, 40, 60)
    assert loan.installments[0].met_on is None
    assert loan.cash[on_day(30)].on_time_count == 0


def test_a_payment_of_the_oldest_of_several_missed_leaves_the_age_of_the_next_one() -> None:
    story = lent()
    story.paid(75, 100)
    loan = story.at(75)
    assert loan.days_past_due == 15
    assert loan.bucket is DelinquencyBucket.DPD_1_30


def test_paid_on_the_due_day_is_not_late() -> None:
    story = lent()
    story.paid(30, 100)
    loan = story.at(31)
    assert (loan.days_past_due, loan.on_time_streak, loan.days_late_sum) == (0, 1, 0)
    assert loan.installments[0].paid_late == loan.installments[0].paid_in_advance == 0
    assert story.at(30).days_past_due == 0


def test_grace_days_delay_the_class_and_not_the_days() -> None:
    story = lent()
    story.settings = ProductSettings(grace_days=3)
    in_grace, after = story.at(33), story.at(34)
    assert (in_grace.days_past_due, in_grace.overdue, in_grace.bucket) == (3, 100, DelinquencyBucket.CURRENT)
    assert (after.days_past_due, after.delinquent_days, after.bucket) == (4, 1, DelinquencyBucket.DPD_1_30)


def test_a_pause_stops_the_class_while_days_and_overdue_go_on() -> None:
    story = lent()
    story.tell(facts.DelinquencyPaused, 40, end_on=on_day(70))
    during, after = story.at(65), story.at(75)
    assert (during.days_past_due, during.delinquent_days, during.overdue) == (35, 10, 200)
    assert during.bucket is DelinquencyBucket.DPD_1_30
    assert after.delinquent_days == 45 - 30
    story.tell(facts.DelinquencyResumed, 50)
    assert story.at(65).delinquent_days == 35 - 10


def test_a_pause_told_ahead_counts_from_its_start() -> None:
    story = lent()
    story.tell(facts.DelinquencyPaused, 10, start_on=on_day(40), end_on=on_day(50))
    assert story.at(20).pauses == ((on_day(40), on_day(50)),)
    assert story.at(45).delinquent_days == 10


def test_a_holiday_moves_a_due_date_only_by_a_new_schedule() -> None:
    story = lent()
    assert story.at(32).days_past_due == 2
    moved = tuple(replace_due(p, p.due_on + timedelta(days=2)) for p in some_periods())
    story.planned(moved, day=20, version=2, kind=facts.ScheduleKind.MOVED)
    assert story.at(32).days_past_due == 0
    assert story.at(33).past_due_on == on_day(32)


def test_a_due_date_moved_to_later_makes_a_loan_current_and_counts_as_a_restructure() -> None:
    story = lent()
    later = tuple(replace_due(p, p.due_on + timedelta(days=60)) for p in some_periods())
    story.planned(later, day=45, version=2, kind=facts.ScheduleKind.RESTRUCTURED)
    assert story.at(44).days_past_due == 14
    loan = story.at(45)
    assert (loan.days_past_due, loan.restructured_on, loan.restructures) == (0, on_day(45), 1)
    assert (loan.dpd_before_restructure, loan.max_dpd) == (14, 14)


def test_an_overpaid_loan_owes_nothing_until_a_later_charge() -> None:
    story = lent()
    story.paid(10, 350)
    loan = story.at(100)
    assert (loan.status, loan.overpaid, loan.principal_outstanding, loan.days_past_due) == (
        OVERPAID,
        50,
        0,
        0,
    )
    add_charge(story, 105, 80, 105)
    again = story.at(107)
    assert (again.status, again.overpaid, again.total_outstanding) == (ACTIVE, 0, 30)


def test_a_closed_loan_whose_last_payment_is_reversed_was_never_closed() -> None:
    story = lent()
    story.paid(30, 200)
    last = story.paid(60, 100)
    assert (story.at(65).status, story.at(65).closed_on) == (CLOSED, on_day(60))
    story.reversed(last, 95)
    assert story.at(95).status is ACTIVE
    assert (story.at(95).days_past_due, story.at(95).returned_payments) == (5, 1)
    assert story.at(65).status is ACTIVE


def test_a_charged_off_loan_keeps_its_days_and_its_collections() -> None:
    story = lent()
    story.tell(facts.LoanChargedOff, 80, reason="skip")
    story.paid(85, 50)
    loan = story.at(91)
    assert (loan.status, loan.charged_off_on, loan.charged_off) == (ACTIVE, on_day(80), 300)
    assert (loan.days_past_due, loan.paid, loan.total_outstanding) == (61, 50, 250)
    story.tell(facts.ChargeOffUndone, 92)
    assert (story.at(92).charged_off_on, story.at(92).days_past_due) == (None, 62)


def test_a_written_off_loan_owes_nothing_and_later_money_is_a_recovery() -> None:
    story = lent()
    story.paid(30, 100)
    story.tell(facts.LoanWrittenOff, 100)
    story.tell(facts.RecoveryPosted, 110, amount_minor=Minor(30))
    story.paid(120, 20)
    loan = story.at(130)
    assert (loan.status, loan.total_outstanding, loan.principal_outstanding) == (WRITTEN_OFF, 0, 0)
    assert (loan.written_off, loan.recovered, loan.paid) == (200, 50, 100)
    story.tell(facts.WriteOffUndone, 131)
    undone = story.at(131)
    assert (undone.status, undone.total_outstanding, undone.written_off) == (ACTIVE, 180, 0)


def test_a_loan_without_any_payment_has_no_last_payment_and_defaults_only_after_the_first_one_is_due() -> (
    None
):
    story = Story().lent((100, 100, 100, 100))
    early, known = story.at(60), story.at(61)
    assert (early.last_payment_on, early.last_payment) == (None, 0)
    assert (early.first_payment_default, known.first_payment_default) == (False, True)


def test_a_short_loan_is_a_first_payment_default_after_a_week() -> None:
    story = Story().lent((100,))
    assert not story.at(37).first_payment_default
    assert story.at(38).first_payment_default


def test_a_loan_with_nothing_due_yet_is_current_and_in_no_denominator() -> None:
    loan = lent().at(10)
    assert (loan.status, loan.bucket, loan.principal_outstanding) == (ACTIVE, DelinquencyBucket.CURRENT, 300)
    assert (loan.due_to_date, loan.decided, loan.first_payment_default) == (0, 0, False)


def test_a_matured_loan_with_a_balance_goes_on_being_late() -> None:
    story = lent()
    story.paid(30, 100)
    assert story.at(200).days_past_due == 140
    assert story.at(200).bucket is DelinquencyBucket.DPD_91_PLUS


def test_tranches_change_later_dues_by_a_new_schedule_and_the_first_is_the_cohort() -> None:
    story = lent()
    story.tell(facts.LoanDisbursed, 35, amount_minor=Minor(100), tranche=2)
    story.planned(some_periods((100, 150, 150)), day=35, version=2, kind=facts.ScheduleKind.RECALCULATED)
    before, after = story.at(34), story.at(35)
    assert (before.disbursed, before.principal_outstanding) == (300, 300)
    assert (after.disbursed, after.principal_outstanding, after.disbursed_on) == (400, 400, on_day(0))
    assert after.schedule_issue is None


def test_an_undone_tranche_leaves_what_was_paid_out_before() -> None:
    story = lent()
    payout = story.tell(facts.LoanDisbursed, 35, amount_minor=Minor(100), tranche=2)
    relates_to = (Relation(kind=RelationKind.REVERSES, id=payout),)
    story.tell(facts.DisbursalUndone, 36, relates_to=relates_to)
    assert story.at(40).disbursed == 300


def test_a_loan_whose_only_disbursal_is_undone_is_cancelled_and_its_money_waits() -> None:
    story = lent()
    story.paid(10, 40)
    story.tell(facts.DisbursalUndone, 12)
    loan = story.at(20)
    assert (loan.status, loan.disbursed, loan.total_outstanding) == (LoanStatus.CANCELLED, 0, 0)
    assert [(item.reason, item.amount) for item in loan.unapplied] == [("before_disbursement", 40)]


def test_a_down_payment_is_due_at_once_and_no_sign_of_the_customers_conduct() -> None:
    down = facts.Period(
        number=1, due_on=on_day(0), kind=facts.PeriodKind.DOWN_PAYMENT, principal_minor=Minor(75)
    )
    rest = tuple(replace_due(p, p.due_on, number=p.number + 1) for p in some_periods((75, 75, 75)))
    story = Story()
    story.tell(facts.LoanDisbursed, 0, amount_minor=Minor(300))
    story.planned((down, *rest))
    assert (story.at(0).days_past_due, story.at(1).days_past_due) == (0, 1)
    story.paid(0, 75, kind=facts.PaymentKind.DOWN_PAYMENT)
    loan = story.at(1)
    assert (loan.days_past_due, loan.decided, loan.first_due_on) == (0, 0, on_day(30))


def test_a_chargeback_after_closing_reopens_the_loan_by_its_own_day() -> None:
    story = lent()
    last = story.paid(60, 300)
    charge_back(story, last, 100, 120)
    assert story.at(99).status is CLOSED
    loan = story.at(105)
    assert (loan.status, loan.past_due_on, loan.overdue) == (ACTIVE, on_day(100), 120)
    assert (loan.installments[3].kind, loan.installments[3].due_on) == ("additional", on_day(100))
    back = loan.cash[on_day(100)]
    assert (loan.paid, back.advance, back.current, back.arrears) == (180, -100, -20, 0)


def test_a_chargeback_in_mid_life_is_past_due_from_its_own_day() -> None:
    story = lent()
    first = story.paid(30, 100)
    charge_back(story, first, 40, 100)
    loan = story.at(45)
    assert (loan.past_due_on, loan.days_past_due, loan.overdue) == (on_day(40), 5, 100)
    assert story.at(40).days_past_due == 0
    story.paid(50, 100)
    assert story.at(50).days_past_due == 0
    assert story.at(50).max_dpd == 9


def test_a_charge_after_maturity_makes_a_loan_late_by_a_fee_only_unless_tolerated() -> None:
    story = lent()
    story.paid(30, 300)
    add_charge(story, 95, 4, 100)
    loan = story.at(110)
    assert (loan.status, loan.days_past_due, loan.overdue, loan.overdue_principal) == (ACTIVE, 10, 4, 0)
    assert loan.bucket is DelinquencyBucket.DPD_1_30
    story.settings = ProductSettings(tolerance_minor=5)
    tolerated = story.at(110)
    assert (tolerated.days_past_due, tolerated.bucket) == (10, DelinquencyBucket.CURRENT)


def test_a_later_charge_does_not_make_an_older_debt_after_maturity_current() -> None:
    story = lent()
    paid_all = story.paid(60, 300)
    charge_back(story, paid_all, 100, 120)
    add_charge(story, 110, 4, 150)
    loan = story.at(130)
    assert len(loan.installments) == 4
    assert (loan.past_due_on, loan.overdue, loan.total_outstanding) == (on_day(100), 120, 124)
    assert (story.at(151).overdue, story.at(151).days_past_due) == (124, 51)


def test_several_events_of_one_day_count_in_the_order_they_were_booked() -> None:
    story = lent()
    story.paid(30, 60, event_id="second", sequence=2)
    story.paid(30, 70, event_id="first", sequence=1)
    loan = story.at(30)
    settled = {t.event_id: t.settled for t in loan.transactions}
    assert settled["first"] == ((1, 70),)
    assert settled["second"] == ((1, 30), (2, 30))


def test_a_future_dated_payment_waits_for_its_day() -> None:
    story = lent()
    story.paid(30, 100, booked=20)
    waiting = story.at(25)
    assert [(item.reason, item.amount) for item in waiting.unapplied] == [("future_dated", 100)]
    assert (waiting.paid, waiting.next_boundary_on) == (0, on_day(30))
    assert story.at(30).paid == 100


def test_a_duplicate_has_no_effect_and_is_counted() -> None:
    story = lent()
    story.paid(30, 100, entity_id="p-1")
    once = story.at(40)
    story.paid(30, 100, entity_id="p-1", event_id="published-again")
    twice = story.at(40)
    assert (twice.paid, twice.duplicates) == (100, 1)
    assert replace(twice, duplicates=0, transactions=(), last_order=None) == replace(
        once, transactions=(), last_order=None
    )


def test_a_later_version_of_a_payment_takes_its_place() -> None:
    story = lent()
    story.paid(30, 100, entity_id="p-1")
    story.paid(30, 80, entity_id="p-1", entity_version=2)
    assert (story.at(40).paid, story.at(40).returned_payments) == (80, 0)


def test_an_adjusted_payment_takes_the_place_of_the_one_it_names() -> None:
    story = lent()
    first = story.paid(30, 100)
    relates_to = (Relation(kind=RelationKind.ADJUSTS, id=first),)
    story.tell(facts.PaymentAdjusted, 31, amount_minor=Minor(90), relates_to=relates_to)
    loan = story.at(40)
    assert (loan.paid, loan.returned_payments, loan.last_payment_on) == (90, 0, on_day(31))


def test_a_payment_in_another_currency_is_never_added() -> None:
    story = lent()
    story.paid(30, 100, currency="USD")
    loan = story.at(31)
    assert (loan.paid, loan.currency) == (0, "EUR")
    assert loan.unapplied[0].reason == UnappliedReason.WRONG_CURRENCY


def test_a_moved_branch_counts_from_the_day_of_the_move() -> None:
    story = lent()
    story.tell(facts.LoanCreated, 0, branch="north", borrower_id="b-1")
    story.tell(facts.BranchMoved, 50, branch="south")
    assert (story.at(49).branch, story.at(50).branch) == ("north", "south")
    assert story.at(50).principal_outstanding == story.at(49).principal_outstanding


def test_a_payment_before_the_loan_waits_for_it() -> None:
    story = Story()
    story.paid(5, 50)
    assert story.at(6).unapplied[0].reason == UnappliedReason.BEFORE_DISBURSEMENT
    story.tell(facts.LoanDisbursed, 0, amount_minor=Minor(300))
    assert story.at(6).unapplied[0].reason == UnappliedReason.NO_SCHEDULE
    story.planned(some_periods())
    assert (story.at(6).unapplied, story.at(6).paid) == ((), 50)


def test_a_reversal_before_its_original_waits_and_then_undoes_it() -> None:
    story = lent()
    story.reversed("late-comer", 20)
    assert story.at(25).unapplied[0].reason == UnappliedReason.UNKNOWN_ORIGINAL
    story.paid(18, 100, event_id="late-comer")
    loan = story.at(25)
    assert (loan.unapplied, loan.paid, loan.returned_payments) == ((), 0, 1)


def test_upstreams_own_restating_is_no_returned_payment() -> None:
    story = lent()
    first = story.paid(30, 100)
    story.reversed(first, 30, manual=False)
    story.paid(30, 100)
    loan = story.at(40)
    assert (loan.paid, loan.returned_payments) == (100, 0)
    assert len([t for t in loan.transactions if t.type == "payment.posted.v1"]) == 1


def test_money_before_a_bootstrap_is_in_it_already() -> None:
    story = Story()
    story.paid(20, 100)
    story.tell(
        facts.LoanOpenedFromSnapshot,
        40,
        disbursed_on=on_day(0),
        disbursed_minor=Minor(300),
        paid_minor=Minor(150),
        periods=some_periods(),
    )
    story.paid(65, 50)
    assert story.at(39).status is PENDING
    loan = story.at(65)
    assert (loan.paid, loan.days_past_due, loan.overdue) == (200, 0, 0)
    assert [item.reason for item in loan.unapplied] == ["before_bootstrap"]
    assert (loan.decided, loan.days_late_sum) == (1, 5)


def test_crumbs_within_the_tolerance_are_given_up_when_upstream_closes() -> None:
    story = Story(settings=ProductSettings(tolerance_minor=2)).lent()
    story.paid(80, 298)
    story.tell(facts.LoanClosed, 85)
    loan = story.at(85)
    assert (loan.status, loan.closed_on, loan.installments[2].waived.total) == (CLOSED, on_day(85), 2)


def test_a_close_of_a_loan_that_still_owes_is_shown_and_does_not_count() -> None:
    story = lent()
    story.tell(facts.LoanClosed, 85)
    assert story.at(85).status is ACTIVE
    assert story.at(85).unapplied[0].reason == UnappliedReason.STILL_OWING


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        (0, DelinquencyBucket.CURRENT),
        (1, DelinquencyBucket.DPD_1_30),
        (30, DelinquencyBucket.DPD_1_30),
        (31, DelinquencyBucket.DPD_31_60),
        (60, DelinquencyBucket.DPD_31_60),
        (61, DelinquencyBucket.DPD_61_90),
        (90, DelinquencyBucket.DPD_61_90),
        (91, DelinquencyBucket.DPD_91_PLUS),
    ],
)
def test_a_bucket_holds_the_days_strictly_over_its_edge(days: int, bucket: DelinquencyBucket) -> None:
    loan = Story().lent((100,)).at(30 + days)
    assert (loan.days_past_due, loan.bucket) == (days, bucket)


def replace_due(period: facts.Period, due_on: object, **fields: object) -> facts.Period:
    values = {name: getattr(period, name) for name in period.__struct_fields__}
    return facts.Period(**{**values, "due_on": due_on, **fields})
