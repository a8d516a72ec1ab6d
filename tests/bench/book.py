"""A generated book: loans with their plans, drawn from one seed, and the events that open them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np

from loanbook.topics import slice_of

BOOK = "bench"
SOURCE = "core-banking"
CURRENCIES = ("EUR", "USD")
OPENED_ON = date(2026, 6, 1)
BUSINESS_ON = date(2026, 6, 6)  # the running day: five days have been closed since the opening
NEXT_DUE = 7  # a tenth of the loans falls due on the day after the running one
STAMP_LENGTH = len("2026-06-06T08:00:00.000000Z")
_BRANCHES, _PRODUCTS = 200, 4
_NEW_SHARE = 0.25  # opened by contract, disbursement and schedule; the rest by a snapshot of a running loan
_LATE_SHARE = 0.15
_FIRST_MONTH = OPENED_ON.year * 12 + OPENED_ON.month - 1


class LoggedEvent(NamedTuple):
    """An event as it goes into the log of its loan's partition."""

    partition: int
    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BookSpec:
    """What decides every byte of a book."""

    loans: int
    seed: int = 7
    one_due_date: bool = False  # all loans fall due on the same day


class Loan(NamedTuple):
    """One loan of the book; amounts in minor units."""

    number: int
    loan_id: str
    partition: int
    currency: str
    is_new: bool
    terms: int
    passed: int  # installments that fell due before the opening
    paid: int  # of them, paid
    due_day: int  # of the month
    principal: int  # of each installment
    interest: int
    fee: int

    @property
    def installment(self) -> int:
        """What falls due each month."""
        return self.principal + self.interest + self.fee

    @property
    def left(self) -> int:
        """What is still to be paid at the opening."""
        return (self.terms - self.paid) * self.installment


def loan_id_of(number: int) -> str:
    """The name of a loan by its place in the book."""
    return f"LN-{number:08}"


def loans_of(spec: BookSpec) -> Iterator[Loan]:
    """The loans of a book; the same for the same spec."""
    draw = np.random.default_rng(spec.seed)
    count = spec.loans
    terms = draw.integers(12, 37, count)
    is_new = draw.random(count) < (0 if spec.one_due_date else _NEW_SHARE)
    passed = np.where(is_new, 0, (draw.random(count) * (terms - 2)).astype(int))
    late = np.where(draw.random(count) < _LATE_SHARE, draw.integers(1, 5, count), 0)
    due_day = np.where(draw.random(count) < 0.1, NEXT_DUE, draw.integers(2, 29, count))
    if spec.one_due_date:
        due_day[:] = NEXT_DUE
    columns = (
        draw.random(count) < 0.2,
        is_new,
        terms,
        passed,
        np.maximum(0, passed - late),
        due_day,
        draw.integers(5_000, 60_000, count),
        draw.integers(200, 6_000, count),
        draw.integers(0, 500, count),
    )
    for number, row in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        loan_id = loan_id_of(number)
        yield Loan(number, loan_id, slice_of(loan_id), CURRENCIES[row[0]], *row[1:])


def opening_of(loan: Loan) -> Iterator[LoggedEvent]:
    """The events that bring a loan into the book on its first day."""
    branch, product = f"B{loan.number % _BRANCHES:03}", f"P{loan.number % _PRODUCTS}"
    where = f'"branch":"{branch}","product":"{product}","officer":"O{loan.number % 997}"'
    lent = loan.terms * loan.principal
    if loan.is_new:
        yield event_of(loan, "loan.created.v1", "c", f'{where},"annual_rate_bps":1800')
        yield event_of(loan, "loan.disbursed.v1", "d", f'"amount":"{decimal(lent)}"')
        plan = f'"entity_id":"schedule","periods":[{_periods(loan)}]'
        yield event_of(loan, "schedule.published.v1", "s", plan)
        return
    disbursed_on = day_of(_FIRST_MONTH - loan.passed - 1, loan.due_day)
    yield event_of(
        loan,
        "loan.opened_from_snapshot.v1",
        "o",
        f'{where},"annual_rate_bps":1800,"disbursed_date":"{disbursed_on}","disbursed":"{decimal(lent)}",'
        f'"paid":"{decimal(loan.paid * loan.installment)}","periods":[{_periods(loan)}]',
    )


def event_of(
    loan: Loan, kind: str, mark: str, fields: str, days: tuple[date, date] | None = None
) -> LoggedEvent:
    """One event of a loan: `mark` makes its id, `days` are effective and business day."""
    effective, business = days or (OPENED_ON, OPENED_ON)
    value = (
        f'{{"specversion":"1.0","source":"{SOURCE}","time":"{business}T08:00:00.000000Z",'
        f'"id":"{loan.loan_id}-{mark}","type":"{kind}","subject":"{loan.loan_id}","book":"{BOOK}",'
        f'"datacontenttype":"application/json","data":{{"effective_date":"{effective}",'
        f'"business_date":"{business}","currency":"{loan.currency}",{fields}}}}}'
    )
    return LoggedEvent(loan.partition, loan.loan_id.encode(), value.encode())


def stamped(value: bytes, stamp: bytes) -> bytes:
    """The same event with another CloudEvents time."""
    return value[:_STAMP_AT] + stamp + value[_STAMP_AT + STAMP_LENGTH :]


def decimal(minor: int) -> str:
    """An amount on the wire; both currencies have two digits."""
    return f"{minor // 100}.{minor % 100:02}"


def day_of(month: int, day: int) -> str:
    """A day by months since year 0."""
    return f"{month // 12}-{month % 12 + 1:02}-{day:02}"


def due_days(loan: Loan) -> list[str]:
    """The due days of its installments."""
    first = _FIRST_MONTH - loan.passed + loan.is_new
    return [day_of(first + n, loan.due_day) for n in range(loan.terms)]


def _periods(loan: Loan) -> str:
    amounts = f'"principal":"{decimal(loan.principal)}","interest":"{decimal(loan.interest)}"'
    if loan.fee:
        amounts += f',"fee":"{decimal(loan.fee)}"'
    return ",".join(
        f'{{"number":{n},"due_date":"{day}",{amounts}}}' for n, day in enumerate(due_days(loan), start=1)
    )


_STAMP_AT = len(f'{{"specversion":"1.0","source":"{SOURCE}","time":"')
