"""The made-up book is the same for the same seed, realistic, and goes on without an end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise, takewhile

import pytest

from loanbook import wire
from loanbook.domain.events import (
    BranchUpdated,
    LoanChargedOff,
    LoanCreated,
    LoanDisbursed,
    LoanEvent,
    PaymentPosted,
    PaymentReversed,
    SchedulePublished,
)
from loanbook.synthetic.book import SyntheticBook, SyntheticDay
from loanbook.synthetic.schedules import annuity_payment, annuity_schedule, due_day
from loanbook.synthetic.settings import BRANCHES, PRODUCTS, SyntheticSettings, add_months

SETTINGS = SyntheticSettings(starts_on=date(2025, 1, 15), loans=1_500, seed=7)


def history(settings: SyntheticSettings, from_on: date | None = None) -> Iterator[SyntheticDay]:
    return takewhile(lambda day: day.is_history, SyntheticBook(settings).days(from_on))


def values_of(days: Iterator[SyntheticDay]) -> list[tuple[date, list[bytes]]]:
    return [(day.on, [event.value for event in day.events]) for day in days]


@pytest.fixture(scope="module")
def loan_events() -> list[LoanEvent]:
    found = (wire.decode(event.value) for day in history(SETTINGS) for event in day.events)
    return [one.event for one in found if isinstance(one, wire.Received)]


SMALL = SyntheticSettings(starts_on=date(2025, 1, 15), loans=60, months=6)


def test_the_same_seed_makes_the_same_book_to_the_byte() -> None:
    assert values_of(history(SMALL)) == values_of(history(SMALL))


def test_another_seed_makes_another_book() -> None:
    other = SyntheticSettings(starts_on=SMALL.starts_on, loans=60, months=6, seed=8)
    assert values_of(history(SMALL)) != values_of(history(other))


def test_days_that_are_skipped_change_nothing_of_the_later_ones() -> None:
    from_on = date(2025, 5, 2)
    later = [day for day in values_of(history(SMALL)) if day[0] >= from_on]
    assert values_of(history(SMALL, from_on)) == later


def test_the_history_has_exactly_the_loans_asked_for() -> None:
    for loans in (1, 60):
        settings = SyntheticSettings(starts_on=SMALL.starts_on, loans=loans, months=6)
        created = [
            event for day in history(settings) for event in day.events if b'"loan.created.v1"' in event.value
        ]
        assert len(created) == loans


def test_days_follow_each_other_and_go_on_after_the_history() -> None:
    days = SyntheticBook(SMALL).days(SMALL.live_from - timedelta(days=3))
    found = [next(days) for _ in range(40)]
    assert [day.on for day in found] == [SMALL.live_from + timedelta(days=n) for n in range(-3, 37)]
    assert [day.is_history for day in found[:5]] == [True, True, True, False, False]
    assert sum(b'"loan.created.v1"' in event.value for day in found[3:] for event in day.events) > 5


def test_the_events_of_a_day_come_in_the_order_of_their_recording_and_of_that_day() -> None:
    for day in history(SMALL):
        times = [event.recorded_at for event in day.events]
        assert times == sorted(times)
        assert {at.date() for at in times} <= {day.on}


def test_every_loan_is_created_paid_out_and_planned_before_it_is_paid(
    loan_events: Sequence[LoanEvent],
) -> None:
    firsts = defaultdict(list)
    for event in loan_events:
        firsts[event.loan_id].append(type(event.fact))
    assert len(firsts) == SETTINGS.loans
    assert {tuple(kinds[:3]) for kinds in firsts.values()} == {
        (LoanCreated, LoanDisbursed, SchedulePublished)
    }


def test_a_schedule_pays_back_exactly_what_was_paid_out(loan_events: Sequence[LoanEvent]) -> None:
    disbursed = {e.loan_id: e.fact.amount_minor for e in loan_events if isinstance(e.fact, LoanDisbursed)}
    planned = {e.loan_id: e.fact.periods for e in loan_events if isinstance(e.fact, SchedulePublished)}
    for loan_id, periods in planned.items():
        assert sum(period.principal_minor or 0 for period in periods) == disbursed[loan_id]
        assert 12 <= len(periods) <= 36
        assert all(earlier.due_on < later.due_on for earlier, later in pairwise(periods))
        assert all(period.due_on.weekday() < 5 for period in periods)


def test_branches_and_products_are_all_in_use(loan_events: Sequence[LoanEvent]) -> None:
    created = [event.fact for event in loan_events if isinstance(event.fact, LoanCreated)]
    assert {fact.branch for fact in created} == {branch.branch for branch in BRANCHES}
    assert {fact.product for fact in created} == {product.product for product in PRODUCTS}
    assert (len(BRANCHES), len({branch.region for branch in BRANCHES}), len(PRODUCTS)) == (8, 3, 4)


def test_a_share_of_the_payments_comes_back_late_or_twice(loan_events: Sequence[LoanEvent]) -> None:
    payments = [event for event in loan_events if isinstance(event.fact, PaymentPosted)]
    reversals = [event for event in loan_events if isinstance(event.fact, PaymentReversed)]
    backdated = [event for event in payments if event.fact.effective_on < event.fact.business_on]
    seen = Counter(event.event_id for event in payments)
    entities = Counter((event.loan_id, event.fact.entity_id) for event in payments)
    assert 0.005 < len(reversals) / len(payments) < 0.04
    assert 0.005 < len(backdated) / len(payments) < 0.03
    assert 0.005 < sum(count - 1 for count in seen.values()) / len(payments) < 0.02
    assert sum(count - 1 for count in entities.values()) > sum(count - 1 for count in seen.values())
    known = {(event.loan_id, event.fact.entity_id) for event in payments}
    assert all((event.loan_id, event.fact.relates_to[0].id) in known for event in reversals)


def test_what_is_more_than_thirty_days_late_is_a_realistic_share(loan_events: Sequence[LoanEvent]) -> None:
    overdue, outstanding = 0, 0
    for left, is_late in _principal_left(loan_events, SETTINGS.live_from - timedelta(days=1)):
        outstanding += left
        overdue += left if is_late else 0
    assert 0.04 < overdue / outstanding < 0.08


def _principal_left(events: Sequence[LoanEvent], as_of: date) -> Iterator[tuple[int, bool]]:
    """What is left of each loan's principal, first in, first out, and whether it is over 30 days late."""
    undone = {(e.loan_id, e.fact.relates_to[0].id) for e in events if isinstance(e.fact, PaymentReversed)}
    paid: dict[str, dict[str, int]] = defaultdict(dict)
    for event in events:
        if isinstance(event.fact, PaymentPosted) and (event.loan_id, event.fact.entity_id) not in undone:
            paid[event.loan_id][event.fact.entity_id or ""] = event.fact.amount_minor
    gone = {event.loan_id for event in events if isinstance(event.fact, LoanChargedOff)}
    for event in events:
        if not isinstance(event.fact, SchedulePublished) or event.loan_id in gone:
            continue
        cash, left, is_late = sum(paid[event.loan_id].values()), 0, False
        for period in event.fact.periods:
            due = (period.principal_minor or 0) + period.interest_minor
            is_late = is_late or (cash < due and (as_of - period.due_on).days > 30)
            left += 0 if cash >= due else (period.principal_minor or 0) * (due - cash) // due
            cash = max(0, cash - due)
        yield left, is_late


def test_the_branches_are_told_with_their_places() -> None:
    told = [wire.decode(event.value) for event in SyntheticBook(SMALL).reference_events()]
    names = {
        one.value.branch
        for one in told
        if isinstance(one, wire.ReceivedReference) and isinstance(one.value, BranchUpdated)
    }
    assert names == {branch.branch for branch in BRANCHES}


# 10,000.00 at 9.9 % over 24 months, worked out with the annuity formula to the cent.
def test_an_annuity_is_the_one_of_the_formula() -> None:
    assert annuity_payment(1_000_000, 990, 24) == 46_099
    assert annuity_payment(1_200_000, 0, 12) == 100_000


def test_the_last_installment_takes_the_rest() -> None:
    dues = annuity_schedule(1_000_000, 990, 24, date(2025, 1, 31))
    totals = {due.total_minor for due in dues[:-1]}
    assert totals == {46_099}
    assert abs(dues[-1].total_minor - 46_099) < 50
    assert sum(due.principal_minor for due in dues) == 1_000_000
    assert dues[0].interest_minor == 8_250


@pytest.mark.parametrize(
    ("disbursed_on", "number", "due_on"),
    [
        (date(2025, 1, 31), 1, date(2025, 2, 28)),
        (date(2025, 1, 15), 1, date(2025, 2, 17)),  # a Saturday
        (date(2025, 1, 15), 5, date(2025, 6, 16)),  # a Sunday
        (date(2025, 11, 10), 2, date(2026, 1, 12)),
    ],
)
def test_an_installment_is_due_on_a_weekday_of_each_month(
    disbursed_on: date, number: int, due_on: date
) -> None:
    assert due_day(disbursed_on, number) == due_on


def test_months_are_added_to_the_last_day_where_the_day_is_missing() -> None:
    assert add_months(date(2024, 8, 31), 18) == date(2026, 2, 28)
    assert add_months(date(2024, 3, 31), -1) == date(2024, 2, 29)
