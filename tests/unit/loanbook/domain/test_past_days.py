"""A past day is asked of the same events: six faults of systems that keep only the latest state."""

from __future__ import annotations

from loanbook.domain import events as facts
from loanbook.domain.loan import LoanStatus, fold
from loanbook.domain.money import Minor
from tests.builders import BOOK, LOAN_ID, Story, on_day


def test_a_loan_closed_since_is_still_there_on_a_past_day() -> None:
    story = Story().lent((100, 100))
    story.paid(50, 200)
    assert (story.at(40).status, story.at(40).principal_outstanding) == (LoanStatus.ACTIVE, 200)
    assert story.at(50).status is LoanStatus.CLOSED


def test_later_payments_do_not_shrink_an_earlier_balance() -> None:
    story = Story().lent((100, 100))
    story.paid(30, 100)
    before = story.at(40).total_outstanding
    story.paid(60, 100)
    assert story.at(40).total_outstanding == before == 100


def test_what_was_overdue_stays_overdue_on_its_day_once_it_is_paid() -> None:
    story = Story().lent((100, 100))
    story.paid(45, 100)
    assert (story.at(44).overdue, story.at(44).days_past_due) == (100, 14)
    assert story.at(45).overdue == 0


def test_todays_status_does_not_choose_the_figures_of_a_past_day() -> None:
    story = Story().lent((100, 100))
    story.tell(facts.LoanWrittenOff, 200)
    past = story.at(100)
    assert (past.status, past.total_outstanding, past.written_off) == (LoanStatus.ACTIVE, 200, 0)
    assert past.days_past_due == 70


def test_a_due_met_by_a_credit_does_not_look_overdue() -> None:
    story = Story().lent((100, 100))
    story.tell(facts.CreditPosted, 20, amount_minor=Minor(100), kind=facts.CreditKind.PAYOUT_REFUND)
    assert (story.at(40).overdue, story.at(40).paid) == (0, 0)


def test_a_disbursement_undone_since_does_not_appear_on_a_past_day() -> None:
    story = Story().lent((100, 100))
    story.tell(facts.DisbursalUndone, 5)
    assert (story.at(3).disbursed, story.at(3).status) == (0, LoanStatus.CANCELLED)


def test_a_late_booking_changes_the_restated_day_and_not_what_was_known_on_it() -> None:
    story = Story().lent((100, 100))
    story.paid(28, 100, booked=50)
    known_then = [event for event in story.events if event.fact.business_on <= on_day(40)]
    as_known = fold(BOOK, LOAN_ID, known_then, story.settings, on_day(40))
    assert (as_known.days_past_due, story.at(40).days_past_due) == (10, 0)
