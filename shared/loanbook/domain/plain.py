"""Plain loans as columns: in-order payments on oldest-first plans, many loans at a time.

A loan is plain while its state follows from its schedule, from what was paid in all and from the days
on which its installments were met (`plainness.plain_plan`). `loan.fold` is the truth; a property test
holds this short cut to it. A row of a matrix is a loan, a column an installment in the order of due
days. Days are ordinals (`date.toordinal`), 0 for none, in matrices of half the width; amounts are minor
units. A mask times values is many times as fast as `np.where`, which stumbles over masks without a pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loanbook.domain.packed_plan import unpack_plans
from loanbook.domain.plainness import BEFORE_BOOTSTRAP, COUNTABLE

Ints = NDArray[np.int64]
Days = NDArray[np.int32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans:
    """Installments of many loans; where a plan has ended nothing is due, on day 0."""

    exists: Flags
    due_day: Days
    due: Ints
    other: Ints
    until: Ints  # due of this installment and all before it
    countable: Flags  # a customer's installment: no down payment
    before: Flags  # met before the loan's bootstrap

    @property
    def total(self) -> Ints:
        """What is due in all."""
        return self.until[:, -1]


@dataclass(slots=True, kw_only=True)
class PlainLoans:
    """Plain loans; `pay` moves them, `figures.plain_figures` reads them off at the close of a day."""

    plans: Plans
    rules: Ints  # a row of `rules_of` for each loan
    disbursed: Ints
    disbursed_day: Ints
    scheduled: Ints
    term_days: Ints  # -1: not given
    estimated: Flags
    applied: Ints  # paid on installments; what was overpaid is beside it
    overpaid: Ints
    paid: Ints
    last_payment: Ints
    last_payment_day: Ints
    closed_day: Ints
    met_day: Days  # matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What one payment a loan brings to the cash figures of days."""

    arrears: Ints
    current: Ints
    advance: Ints
    due_loan: Ints  # place of the loan for each installment paid by its due day
    due_day: Ints
    due_collected: Ints
    on_time: Ints  # 1: met by its due day, just now


def nothing_paid(plans: Plans) -> dict[str, Any]:
    """What payments move of PlainLoans, before the first of them."""
    nothing = np.zeros(len(plans.due), np.int64)
    sums = ("applied", "overpaid", "paid", "last_payment", "last_payment_day", "closed_day")
    return dict.fromkeys(sums, nothing) | {"met_day": np.zeros(plans.due.shape, np.int32)}


def plans_of(packed: Sequence[bytes]) -> Plans:
    """Unpack the plans of many loans."""
    exists, due_day, flags, due, other = unpack_plans(packed)
    return Plans(
        exists=exists,
        due_day=due_day,
        due=due,
        other=other,
        until=np.cumsum(due, axis=1),
        countable=(flags & COUNTABLE) != 0,
        before=(flags & BEFORE_BOOTSTRAP) != 0,
    )


def met_days(plans: Plans, days_late: Days, met: Ints) -> Days:
    """Matrix of the days the first `met` installments of each loan were met: so long after they were due."""
    is_met = np.arange(plans.due.shape[1]) < met[:, None]
    days: Days = (plans.due_day + days_late) * is_met
    return days


def pay(loans: PlainLoans, which: Ints, day: Ints, amount: Ints) -> Received:
    """Take one payment for each of some loans, later than all they had; `which` rises."""
    plans = loans.plans
    at = slice(None) if len(which) == len(loans.applied) else which  # of all of them nothing is copied
    due_day, due, until = plans.due_day[at], plans.due[at], plans.until[at]
    before, on = loans.applied[which], day[:, None].astype(np.int32)
    after = np.minimum(before + amount, until[:, -1])
    taken = _covered(after, due, until) - _covered(before, due, until)
    is_met_now = (taken > 0) & (until <= after[:, None])
    rest = before + amount - after
    loans.met_day[at] += is_met_now * on
    loans.applied[which] = after
    loans.overpaid[which] += rest
    loans.paid[which] += amount
    loans.last_payment[which], loans.last_payment_day[which] = amount, day
    loans.closed_day[which] = np.where(after == until[:, -1], day, loans.closed_day[which])
    place, column = np.divmod(np.flatnonzero((taken > 0) & (due_day >= on)), taken.shape[1])
    on_time = is_met_now[place, column] & plans.countable[which[place], column]
    current = sum_where(due_day == on, taken)
    arrears = sum_where(due_day < on, taken)
    return Received(
        arrears=arrears,
        current=current,
        advance=amount - arrears - current,
        due_loan=which[place],
        due_day=due_day[place, column].astype(np.int64),
        due_collected=taken[place, column],
        on_time=on_time.astype(np.int64),
    )


def open_of(loans: PlainLoans) -> Ints:
    """Matrix of what each installment still owes."""
    plans = loans.plans
    return plans.due - _covered(loans.applied, plans.due, plans.until)


def _covered(applied: Ints, due: Ints, until: Ints) -> Ints:
    """What of each installment an amount pays, oldest first."""
    return np.clip(applied[:, None] - (until - due), 0, due)


def sum_where(mask: Flags, values: Ints | Days) -> Ints:
    """Sum of each loan's values where the mask is set."""
    total: Ints = np.einsum("ij,ij->i", mask, values)
    return total
