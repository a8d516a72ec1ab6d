"""What holds for every history: order, repetition and the naive fold do not matter; days change when said."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, note, settings
from hypothesis import strategies as st

from loanbook.domain.events import LoanOpenedFromSnapshot
from loanbook.domain.loan import Amounts, InstallmentState, Loan, fold
from loanbook.domain.punctuality import WINDOW_DAYS
from loanbook.reference import naive_loan
from tests.builders import BOOK, Story, on_day
from tests.unit.loanbook.domain.histories import LAST_DAY, stories

EXAMPLES = int(os.environ.get("HISTORIES", "100"))  # `make check` is quick; thousands are one variable away
as_of_days = st.one_of(st.integers(0, LAST_DAY + 100), st.integers(0, LAST_DAY + WINDOW_DAYS + 50))


@settings(max_examples=EXAMPLES, deadline=None)
@given(story=stories(), day=as_of_days, seed=st.integers(0, 2**16))
def test_any_order_and_any_repetition_of_the_events_give_the_same_loan(
    story: Story, day: int, seed: int
) -> None:
    in_order = story.at(day)
    chance = random.Random(seed)
    again = chance.choices(story.events, k=3)
    story.events = [*story.events, *again]
    chance.shuffle(story.events)
    _say(story)
    assert story.at(day) == in_order


@settings(max_examples=EXAMPLES, deadline=None)
@given(story=stories(), day=as_of_days)
def test_the_fold_and_the_naive_fold_agree(story: Story, day: int) -> None:
    _say(story)
    naive = naive_loan(story.events, story.settings, on_day(day))
    loan = story.at(day)
    folded = {name: _figure(loan, name) for name in naive}
    if naive["status"] is None:
        naive["status"] = folded["status"]
    assert folded == naive


@settings(max_examples=EXAMPLES, deadline=None)
@given(story=stories(), day=as_of_days, back=st.integers(1, 90))
def test_an_earlier_fold_of_the_same_events_saves_work_and_changes_nothing(
    story: Story, day: int, back: int
) -> None:
    earlier = fold(BOOK, story.loan_id, story.events, story.settings, on_day(day - back))
    again = fold(BOOK, story.loan_id, story.events, story.settings, on_day(day), earlier=earlier)
    assert again == story.at(day)


@given(story=stories(), day=as_of_days)
def test_no_cent_is_lost_or_made(story: Story, day: int) -> None:
    _say(story)
    loan = story.at(day)
    if loan.disbursed_on is None:
        assert loan.total_outstanding == loan.principal_outstanding == loan.overdue == loan.paid == 0
        return
    assert loan.total_outstanding == sum(row.outstanding for row in loan.installments)
    assert loan.scheduled == sum(row.due.total for row in loan.installments)
    for row in loan.installments:
        for part in (row.due, row.paid, row.waived, row.added_back):
            assert min(_amounts(part)) >= 0
        assert min(due - paid - waived for due, paid, waived in _by_component(row)) >= 0
        assert row.paid_late + row.paid_in_advance <= row.paid.total
    assert 0 <= loan.overdue <= loan.total_outstanding
    assert loan.principal_outstanding >= 0
    assert loan.overpaid >= 0
    if loan.installments and not any(isinstance(e.fact, LoanOpenedFromSnapshot) for e in story.events):
        assert loan.paid == sum(day.arrears + day.current + day.advance for day in loan.cash.values())


@settings(max_examples=EXAMPLES, deadline=None)
@given(story=stories(), day=as_of_days)
def test_nothing_but_counts_of_days_changes_before_the_next_boundary(story: Story, day: int) -> None:
    _say(story)
    loan = story.at(day)
    boundary = loan.next_boundary_on
    last = on_day(day + 90) if boundary is None else boundary - timedelta(days=1)
    steps = (last - loan.as_of).days
    for later in sorted({day + 1, day + steps // 2, day + steps} - {day}):
        if later > day and on_day(later) <= last:
            assert _without_day_counts(story.at(later)) == _without_day_counts(loan)


def _figure(loan: Loan, name: str) -> Any:
    if name == "unapplied":
        return sorted((item.event_id, item.reason) for item in loan.unapplied)
    if name == "installments":
        rows = sorted(loan.installments, key=lambda row: (row.due_on, row.number))
        return [
            (row.number, row.due_on, _amounts(row.due), _amounts(row.paid), _amounts(row.waived), row.met_on)
            for row in rows
        ]
    return getattr(loan, name)


def _amounts(amounts: Amounts) -> tuple[int, int, int, int]:
    return (amounts.principal, amounts.interest, amounts.fee, amounts.penalty)


def _by_component(row: InstallmentState) -> list[tuple[int, int, int]]:
    return list(zip(_amounts(row.due), _amounts(row.paid), _amounts(row.waived), strict=True))


def _without_day_counts(loan: Loan) -> Loan:
    """The figures that grow by themselves while a loan is late are not held between boundaries."""
    return replace(loan, as_of=on_day(0), delinquent_days=0, max_dpd=0)


def _say(story: Story) -> None:
    note(f"{story.settings}")
    for event in sorted(story.events, key=lambda event: event.order):
        note(f"{event.event_id}: {event.fact}")
