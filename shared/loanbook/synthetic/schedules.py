"""Schedules of made-up loans: annuities in whole cents, due on weekdays."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import NamedTuple

from loanbook.domain.money import divide_half_even
from loanbook.synthetic.settings import add_months

_SATURDAY = 5
_LAST_DUE_DAY = 28  # every month has it
_BPS_A_YEAR_PER_MONTH = 120_000  # basis points of a year in one month's share


class Due(NamedTuple):
    """One installment, amounts in minor units."""

    due_on: date
    principal_minor: int
    interest_minor: int

    @property
    def total_minor(self) -> int:
        """What is to be paid."""
        return self.principal_minor + self.interest_minor


def annuity_payment(principal_minor: int, annual_rate_bps: int, installments: int) -> int:
    """The equal monthly payment in minor units, rounded half to even."""
    if not annual_rate_bps:
        return divide_half_even(principal_minor, installments)
    with localcontext() as context:
        context.prec = 40
        rate = Decimal(annual_rate_bps) / _BPS_A_YEAR_PER_MONTH
        exact = principal_minor * rate / (1 - (1 + rate) ** -installments)
        return int(exact.to_integral_value(ROUND_HALF_EVEN))


def annuity_schedule(
    principal_minor: int, annual_rate_bps: int, installments: int, disbursed_on: date
) -> list[Due]:
    """Equal payments a month apart; the last one takes the rest, so that the principal sums up exactly."""
    payment = annuity_payment(principal_minor, annual_rate_bps, installments)
    left = principal_minor
    dues = []
    for number in range(1, installments + 1):
        interest = divide_half_even(left * annual_rate_bps, _BPS_A_YEAR_PER_MONTH)
        principal = left if number == installments else min(left, payment - interest)
        left -= principal
        dues.append(Due(due_day(disbursed_on, number), principal, interest))
    return dues


def due_day(disbursed_on: date, number: int) -> date:
    """The day of the n-th installment: the same day of the month, on Monday where that is a weekend."""
    anchor = disbursed_on.replace(day=min(disbursed_on.day, _LAST_DUE_DAY))
    due_on = add_months(anchor, number)
    return due_on + timedelta(days=max(0, 7 - due_on.weekday()) if due_on.weekday() >= _SATURDAY else 0)
