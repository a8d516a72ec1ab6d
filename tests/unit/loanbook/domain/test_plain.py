"""The short cut of plain loans beside the general fold, which is the truth: same figures, same cash."""

from __future__ import annotations

import os
from collections import defaultdict
from datetime import date
from typing import Any

import numpy as np
from hypothesis import given, note, settings
from hypothesis import strategies as st

from loanbook.domain.events import (
    ChargeAdded,
    ChargeWaived,
    LoanCreated,
    LoanDisbursed,
    LoanOpenedFromSnapshot,
    PaymentPosted,
    Period,
    SchedulePublished,
)
from loanbook.domain.loan import CashDay, Loan
from loanbook.domain.money import Minor
from loanbook.domain.plain import Ints, PlainLoans, Received, met_days, pay, plans_of
from loanbook.domain.plain_figures import PlainFigures, plain_figures, rules_of
from loanbook.domain.plain_history import paid_until, pay_all, payments_of, unpaid
from loanbook.domain.settings import ProductSettings
from tests.builders import Story, on_day, some_periods
from tests.unit.loanbook.domain.histories import LAST_DAY, stories

EXAMPLES = int(os.environ.get("HISTORIES", "100"))
NOTHING = CashDay()


def ordinal(day: date | None) -> int:
    return day.toordinal() if day else 0


def columns(loan: Loan, rules: ProductSettings) -> PlainLoans:
    def one(value: int) -> Ints:
        return np.array([value], np.int64)

    plans = plans_of([loan.plain_plan])
    days = [(part.met_on - part.due_on).days for part in loan.installments if part.met_on is not None]
    late = np.array([days + [0] * (plans.due.shape[1] - len(days))], np.int32)
    return PlainLoans(
        plans=plans,
        rules=np.array([rules_of(rules)]),
        disbursed=one(loan.disbursed),
        disbursed_day=one(ordinal(loan.disbursed_on)),
        scheduled=one(loan.scheduled),
        term_days=one(-1 if loan.term_days is None else loan.term_days),
        estimated=np.array([loan.estimated]),
        applied=plans.total - loan.total_outstanding,
        overpaid=one(loan.overpaid),
        paid=one(loan.paid),
        last_payment=one(loan.last_payment),
        last_payment_day=one(ordinal(loan.last_payment_on)),
        closed_day=one(ordinal(loan.closed_on)),
        met_day=met_days(plans, late, one(len(days))),
    )


def shown(loans: PlainLoans, figures: PlainFigures) -> dict[str, Any]:
    names = [name for name in PlainFigures.__dataclass_fields__ if name != "recent_days_late"]
    found: dict[str, Any] = {name: int(getattr(figures, name)[0]) for name in names}
    latest_first = figures.recent_days_late[0].tolist()
    found["recent_days_late"] = tuple(days for days in reversed(latest_first) if days >= 0)
    found |= {name: int(getattr(loans, name)[0]) for name in ("paid", "overpaid", "last_payment")}
    found["closed_on"] = 0 if found["total_outstanding"] else int(loans.closed_day[0])
    return found | {"last_payment_on": int(loans.last_payment_day[0])}


def wanted(loan: Loan, names: dict[str, Any]) -> dict[str, Any]:
    return {
        name: ordinal(getattr(loan, name)) if name.endswith("_on") else getattr(loan, name) for name in names
    }


def cash_added(received: Received, days: Ints) -> dict[date, list[int]]:
    """Current, arrears, advance, on-time count and collected dues by day."""
    sums: dict[date, list[int]] = defaultdict(lambda: [0] * 5)
    own = (days, received.current, received.arrears, received.advance)
    for day, *amounts in zip(*(column.tolist() for column in own), strict=True):
        for place, amount in enumerate(amounts):
            sums[date.fromordinal(day)][place] += amount
    dues = (received.due_day, received.on_time, received.due_collected)
    for day, on_time, collected in zip(*(column.tolist() for column in dues), strict=True):
        sums[date.fromordinal(day)][3] += on_time
        sums[date.fromordinal(day)][4] += collected
    return {on: values for on, values in sums.items() if any(values)}


def cash_between(before: Loan, after: Loan) -> dict[date, list[int]]:
    names = ("current", "arrears", "advance", "on_time_count", "due_collected")
    found = {}
    for day in before.cash.keys() | after.cash.keys():
        old, new = before.cash.get(day, NOTHING), after.cash.get(day, NOTHING)
        values = [getattr(new, name) - getattr(old, name) for name in names]
        if any(values):
            found[day] = values
    return found


def hold_to_the_fold(story: Story, day: int, wait: int, amount: int, later: int) -> bool:
    """Pay a loan by both ways, if it is plain; whether it was."""
    before = story.at(day)
    if not before.plain_plan:
        return False
    loans = columns(before, story.settings)
    story.tell(PaymentPosted, day + wait, amount_minor=Minor(amount))
    note("\n".join(str(event.fact) for event in story.events))
    paid_on = np.array([on_day(day + wait).toordinal()])
    received = pay(loans, np.arange(1), paid_on, np.array([amount]))
    figures = plain_figures(loans, paid_on + later)
    after = story.at(day + wait + later)
    found = shown(loans, figures)
    assert found == wanted(after, found)
    assert cash_added(received, paid_on) == cash_between(before, after)
    assert after.plain_plan == before.plain_plan
    return True


@st.composite
def plain_stories(draw: st.DrawFn) -> Story:
    """Installments of every kind of part, some paid, some totals only; by contract or from a snapshot."""
    rules = ProductSettings(
        grace_days=draw(st.sampled_from([0, 3])),
        tolerance_minor=draw(st.sampled_from([0, 5])),
        missed_after_days=draw(st.sampled_from([30, 10])),
    )
    story = Story(settings=rules)
    count, in_totals = draw(st.integers(1, 8)), draw(st.booleans())
    periods = [_period(draw, number, in_totals=in_totals) for number in range(1, count + 1)]
    story.tell(LoanCreated, 0, term_days=draw(st.sampled_from([None, 60, 700])))
    lent = Minor(sum(p.total_minor or p.principal_minor or 0 for p in periods) or 1)
    day = draw(st.sampled_from([0, 0, 1, 60]))
    if day:
        paid: dict[str, Any] = {"paid_minor": Minor(draw(st.integers(0, 600))), "disbursed_on": on_day(0)}
        story.tell(LoanOpenedFromSnapshot, day, disbursed_minor=lent, periods=tuple(periods), **paid)
    else:
        story.tell(LoanDisbursed, 0, amount_minor=lent)
        story.tell(SchedulePublished, 0, periods=tuple(periods))
    for wait in draw(st.lists(st.integers(0, 45), max_size=6)):
        day += wait
        story.tell(PaymentPosted, day, amount_minor=Minor(draw(st.integers(1, 200))))
    return story


def _period(draw: st.DrawFn, number: int, *, in_totals: bool) -> Period:
    due_on = on_day(20 + 30 * (number - 1))
    if in_totals:
        return Period(number=number, due_on=due_on, total_minor=Minor(draw(st.integers(1, 300))))
    return Period(
        number=number,
        due_on=due_on,
        principal_minor=Minor(draw(st.integers(0, 100))),
        interest_minor=Minor(draw(st.integers(1, 30))),
        fee_minor=Minor(draw(st.sampled_from([0, 5]))),
        penalty_minor=Minor(draw(st.sampled_from([0, 3]))),
    )


def opening_of(story: Story) -> tuple[tuple[int, int], int]:
    """What a loan brought along, and the day of its snapshot or disbursement."""
    for event in story.events:
        if isinstance(event.fact, LoanOpenedFromSnapshot):
            on = event.fact.effective_on
            return (on.toordinal(), event.fact.paid_minor), (on - on_day(0)).days
    return (0, 0), 0


payments = {"wait": st.integers(1, 100), "amount": st.integers(1, 400), "later": st.integers(0, 90)}


@settings(max_examples=EXAMPLES, deadline=None)
@given(story=plain_stories(), **payments)
def test_a_payment_on_a_plain_loan_gives_the_figures_of_the_fold(
    story: Story, wait: int, amount: int, later: int
) -> None:
    day = max((event.fact.effective_on - on_day(0)).days for event in story.events)
    assert hold_to_the_fold(story, day, wait, amount, later)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    story=plain_stories(),
    fees=st.lists(st.tuples(*[st.integers(0, 250)] * 2), min_size=1, max_size=3),
    **payments,
)
def test_a_loan_that_is_plain_with_its_charges_is_paid_as_the_fold_does(
    story: Story, fees: list[tuple[int, int]], wait: int, amount: int, later: int
) -> None:
    for number, (day, due_day) in enumerate(fees):
        _charge(story, f"c{number}", day, due_day, is_penalty=bool(number % 2))
    day = max((event.fact.effective_on - on_day(0)).days for event in story.events)
    hold_to_the_fold(story, day, wait, amount, later)


def test_a_late_fee_leaves_a_loan_plain_until_it_is_waived() -> None:
    story = Story(settings=ProductSettings())
    story.tell(LoanDisbursed, 0, amount_minor=Minor(300))
    story.planned(some_periods([100, 100, 100], every_days=30))
    story.paid(25, 100)
    _charge(story, "late", 61, 61, is_penalty=True)
    story.paid(70, 103)
    loan = story.at(75)
    assert loan.plain_plan
    assert (loan.installments[2].paid.penalty, loan.total_outstanding) == (3, 106)
    story.tell(ChargeWaived, 80, charge_id="late")
    assert not story.at(80).plain_plan


def _charge(story: Story, charge_id: str, day: int, due_day: int, *, is_penalty: bool) -> None:
    fields: dict[str, Any] = {"charge_id": charge_id, "amount_minor": Minor(9), "is_penalty": is_penalty}
    story.tell(ChargeAdded, day, due_on=on_day(due_day), **fields)


@settings(max_examples=EXAMPLES, deadline=None)
@given(story=plain_stories(), days=st.lists(st.integers(0, 200), max_size=5), later=st.integers(0, 90))
def test_all_payments_at_once_give_the_figures_of_the_fold(story: Story, days: list[int], later: int) -> None:
    opening, begun = opening_of(story)
    for number, day in enumerate(days):  # on whatever day, so also before those that were there
        story.tell(PaymentPosted, begun + bool(begun) + day, amount_minor=Minor(7 + 60 * number))
    paid = sorted((e for e in story.events if isinstance(e.fact, PaymentPosted)), key=lambda e: e.order)
    day = max((event.fact.effective_on - on_day(0)).days for event in story.events) + later
    after = story.at(day)
    loans = unpaid(columns(after, story.settings))
    given_on = [(event.fact.effective_on.toordinal(), event.fact.cash) for event in paid]
    which, days_of, received = pay_all(loans, payments_of([opening], [given_on]))
    found = shown(loans, plain_figures(loans, np.array([on_day(day).toordinal()])))
    assert found == wanted(after, found)
    assert which.tolist() == [0] * len(paid)
    story.events = [event for event in story.events if event not in paid]
    assert cash_added(received, days_of) == cash_between(story.at(day), after)


@settings(max_examples=EXAMPLES, deadline=None)
@given(story=plain_stories(), since=st.integers(0, 300))
def test_an_earlier_close_is_read_off_what_had_been_paid_by_then(story: Story, since: int) -> None:
    opening, begun = opening_of(story)
    paid = [event for event in story.events if isinstance(event.fact, PaymentPosted)]
    loan = story.at(max((event.fact.effective_on - on_day(0)).days for event in story.events))
    loans, close = unpaid(columns(loan, story.settings)), np.array([on_day(begun + since).toordinal()])
    given_on = [(event.fact.effective_on.toordinal(), event.fact.cash) for event in paid]
    pay_all(loans, paid_until(payments_of([opening], [given_on]), np.zeros(1, np.int64), close))
    found = shown(loans, plain_figures(loans, close))
    del found["next_boundary_on"]  # the fold knows that more is to come
    assert found == wanted(story.at(begun + since), found)


@settings(max_examples=EXAMPLES, deadline=None)
@given(story=stories(), **payments)
def test_whatever_is_called_plain_is_plain(story: Story, wait: int, amount: int, later: int) -> None:
    hold_to_the_fold(story, LAST_DAY + 50, wait, amount, later)
