"""All payments of plain loans at once, from the first on: what a backdated or a reversed one needs.

With oldest-first allocation what an installment has been paid after each payment follows from the
loan's running total, so no payment has to wait for the one before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from loanbook.domain.plain import Flags, Ints, PlainLoans, Plans, Received, nothing_paid

_AT_ONCE = 1_000_000  # values of a cube of loans, payments and installments


Paid = tuple[int, int]
"""Day and amount."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payments:
    """Payments of many loans: a row is a loan, a column a payment in the loan's order, 0 behind the last.

    The first column is what a loan brought along from before its snapshot: it pays, and is no payment.
    """

    count: Ints
    day: Ints
    amount: Ints


def payments_of(openings: Sequence[Paid], loans: Sequence[Sequence[Paid]]) -> Payments:
    """Payments of each loan, in order, as matrices; nothing on day 0 opens a loan that had no snapshot."""
    count = np.array([len(payments) for payments in loans], np.int64)
    matrix = np.zeros((len(loans), 1 + int(count.max(initial=0)), 2), np.int64)
    for row, (opening, payments) in enumerate(zip(openings, loans, strict=True)):
        matrix[row, : 1 + len(payments)] = (opening, *payments)
    return Payments(count=count, day=matrix[:, :, 0], amount=matrix[:, :, 1])


def paid_until(payments: Payments, place: Ints, day: Ints) -> Payments:
    """What of its payments the loan at each of these places had made by the close of a day."""
    number = np.arange(payments.day.shape[1])
    had_come = (payments.day[place] <= day[:, None]) & (number <= payments.count[place, None])
    return Payments(
        count=had_come.sum(axis=1) - 1,
        day=payments.day[place] * had_come,
        amount=payments.amount[place] * had_come,
    )


def unpaid(loans: PlainLoans) -> PlainLoans:
    """The same loans before their first payment."""
    return replace(loans, **nothing_paid(loans.plans))


def pay_all(loans: PlainLoans, payments: Payments) -> tuple[Ints, Ints, Received]:
    """Take all payments for loans that had none; gives each payment's loan and day, and what came of it."""
    sums = np.cumsum(payments.amount, axis=1)
    last = np.arange(len(sums)), payments.count
    is_paid = payments.count > 0
    loans.paid = sums[:, -1]
    loans.applied = np.minimum(loans.paid, loans.plans.total)
    loans.overpaid = loans.paid - loans.applied
    loans.last_payment, loans.last_payment_day = payments.amount[last] * is_paid, payments.day[last] * is_paid
    loans.closed_day = payments.day[last] * (loans.applied == loans.plans.total)
    step = max(1, _AT_ONCE // (payments.day.shape[1] * loans.plans.due.shape[1]))
    parts = [_paid(loans, payments, slice(at, at + step)) for at in range(0, len(sums), step)]
    loans.met_day = np.concatenate([met_day for met_day, _, _ in parts])
    timings = [np.concatenate(part) for part in zip(*(timing for _, timing, _ in parts), strict=True)]
    collected = np.concatenate([due for _, _, due in parts])
    return _received(loans, payments, (timings[0], timings[1]), collected)


def _paid(loans: PlainLoans, payments: Payments, part: slice) -> tuple[Ints, tuple[Ints, Ints], Ints]:
    """Of some loans: the days installments were met; arrears and current of payments; dues paid in time."""
    plans = loans.plans
    due_day, due, until = (values[part, None, :] for values in (plans.due_day, plans.due, plans.until))
    day, amount = payments.day[part, :, None], payments.amount[part]
    after = np.minimum(np.cumsum(amount, axis=1), plans.total[part, None])[:, :, None]
    taken = np.diff(np.clip(after - (until - due), 0, due), axis=1, prepend=0)
    met_by = (after < until).sum(axis=1)  # how many payments came before the one that met it
    is_met = plans.exists[part] & (met_by < amount.shape[1])
    met_day = np.take_along_axis(payments.day[part], np.minimum(met_by, amount.shape[1] - 1), axis=1)
    taken, day = taken[:, 1:], day[:, 1:]
    arrears, current = ((taken * mask).sum(axis=2) for mask in (due_day < day, due_day == day))
    in_time: Ints = (taken * (due_day >= day)).sum(axis=1)
    return (met_day * is_met).astype(np.int32), (arrears, current), in_time


def _received(
    loans: PlainLoans, payments: Payments, timings: tuple[Ints, Ints], collected: Ints
) -> tuple[Ints, Ints, Received]:
    plans: Plans = loans.plans
    day, amount = payments.day[:, 1:], payments.amount[:, 1:]
    is_paid: Flags = np.arange(day.shape[1]) < payments.count[:, None]
    arrears, current = (timing[is_paid] for timing in timings)
    on_time = (loans.met_day > 0) & (loans.met_day <= plans.due_day) & plans.countable
    which, column = np.nonzero(collected)
    return (
        np.nonzero(is_paid)[0],
        day[is_paid],
        Received(
            arrears=arrears,
            current=current,
            advance=amount[is_paid] - arrears - current,
            due_loan=which,
            due_day=plans.due_day[which, column].astype(np.int64),
            due_collected=collected[which, column],
            on_time=on_time[which, column].astype(np.int64),
        ),
    )


def taken_back(received: Received) -> Received:
    """What the same payments take away where they no longer count so."""
    return Received(
        arrears=-received.arrears,
        current=-received.current,
        advance=-received.advance,
        due_loan=received.due_loan,
        due_day=received.due_day,
        due_collected=-received.due_collected,
        on_time=-received.on_time,
    )
