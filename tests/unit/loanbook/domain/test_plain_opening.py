"""Loans read from their opening on, as columns, beside the general fold, which is the truth."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from hypothesis import given, note, settings
from hypothesis import strategies as st

from loanbook.domain.events import LoanDisbursed, LoanOpenedFromSnapshot, Period
from loanbook.domain.money import Minor
from loanbook.domain.plain import Ints
from loanbook.domain.plain_figures import plain_figures, rules_of
from loanbook.domain.plain_history import pay_all, payments_of
from loanbook.domain.plain_opening import Openings, opened, packed_plans
from tests.builders import Story, on_day
from tests.unit.loanbook.domain.test_plain import shown, wanted

EXAMPLES = int(os.environ.get("HISTORIES", "100"))
DISBURSED, OPENED = 0, 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """How a loan was opened and what was paid since: the waits between payments, and amounts."""

    periods: list[Period]
    paid: int | None  # None: a contract; else by a snapshot
    payments: list[tuple[int, int]]

    @property
    def opened(self) -> int:
        return DISBURSED if self.paid is None else OPENED

    @property
    def disbursed(self) -> int:
        return sum(period.principal_minor or 0 for period in self.periods)


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    amounts = st.integers(1, 100)
    periods = [
        Period(
            number=number,
            due_on=on_day(20 + 30 * number),
            principal_minor=Minor(draw(amounts)),
            interest_minor=Minor(draw(st.integers(0, 20))),
            fee_minor=Minor(draw(st.integers(0, 5))),
        )
        for number in range(1, draw(st.integers(1, 6)) + 1)
    ]
    return Drawn(
        periods=periods,
        paid=draw(st.none() | st.integers(0, 500)),
        payments=draw(st.lists(st.tuples(st.integers(0, 45), st.integers(1, 200)), max_size=6)),
    )


def told(loan: Drawn) -> Story:
    story = Story()
    if loan.paid is None:
        story.tell(LoanDisbursed, DISBURSED, amount_minor=Minor(loan.disbursed))
        story.planned(loan.periods)
    else:
        story.tell(
            LoanOpenedFromSnapshot,
            OPENED,
            disbursed_on=on_day(DISBURSED),
            disbursed_minor=Minor(loan.disbursed),
            paid_minor=Minor(loan.paid),
            periods=tuple(loan.periods),
        )
    return story


def columns(loan: Drawn, story: Story) -> Openings:
    def row(values: list[int]) -> Ints:
        return np.array([values], np.int64)

    def one(value: int) -> Ints:
        return np.array([value], np.int64)

    return Openings(
        due_day=row([period.due_on.toordinal() for period in loan.periods]),
        principal=row([int(period.principal_minor or 0) for period in loan.periods]),
        other=row([period.interest_minor + period.fee_minor for period in loan.periods]),
        rules=np.array([rules_of(story.settings)]),
        disbursed=one(loan.disbursed),
        disbursed_day=one(on_day(DISBURSED).toordinal()),
        term_days=one(-1),
        paid=one(loan.paid or 0),
    )


@settings(max_examples=EXAMPLES, deadline=None)
@given(drawn(), st.integers(0, 500))
def test_an_opening_and_its_payments_as_columns_are_what_the_fold_tells(loan: Drawn, later: int) -> None:
    story = told(loan)
    loans = opened(columns(loan, story))
    day, payments = loan.opened, []
    for wait, amount in loan.payments:
        day += wait
        story.paid(day, amount)
        payments.append((on_day(day).toordinal(), amount))
    note("\n".join(str(event.fact) for event in story.events))
    before = (0, 0) if loan.paid is None else (on_day(OPENED).toordinal(), loan.paid)
    pay_all(loans, payments_of([before], [payments]))
    folded = story.at(day + later)
    figures = plain_figures(loans, np.array([on_day(day + later).toordinal()]))
    found = shown(loans, figures)
    assert found == wanted(folded, found)
    assert packed_plans(loans.plans) == [folded.plain_plan]
    assert [on for on in loans.met_day[0].tolist() if on] == [
        part.met_on.toordinal() for part in folded.installments if part.met_on is not None
    ]
