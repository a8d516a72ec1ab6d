"""A generated book: loans with their plans, drawn from one seed, and the events that open them.

A book of more than BASE_LOANS loans is the book of so many, several times over: each layer has one loan like
each of them, of another name in the same slice, in a branch some places further. So one fold of the base
makes a book of any size (`cloning`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import count
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
BASE_LOANS = 10_000
BRANCHES, _PRODUCTS = 200, 4
_SHIFTS = 10  # branches that the layers of a loan lie in
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

    @property
    def base(self) -> BookSpec:
        """The book whose loans the layers of this one are like."""
        return replace(self, loans=min(self.loans, BASE_LOANS))

    @property
    def layers(self) -> int:
        """How many times over; ValueError unless it comes out even."""
        layers, rest = divmod(self.loans, self.base.loans)
        if rest:
            raise ValueError(f"a book has up to {BASE_LOANS:,} loans or a multiple of it")
        return layers


class Loan(NamedTuple):
    """One loan of the book; amounts in minor units."""

    number: int
    like: int  # the place of the loan of the base that it is like; its own in the first layer
    layer: int
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
    base = list(_drawn(spec.base))
    yield from base
    if spec.layers > 1:
        yield from _alike(base, spec.layers)


def shift_of(layer: int) -> int:
    """By how many places the branches of a layer are further than those of the first."""
    return layer % _SHIFTS * (BRANCHES // _SHIFTS)


def _alike(base: list[Loan], layers: int) -> Iterator[Loan]:
    """Further layers: each free name goes to the next loan of the base that lies in the same slice."""
    by_slice: dict[int, list[Loan]] = {}
    for loan in base:
        by_slice.setdefault(loan.partition, []).append(loan)
    given = dict.fromkeys(by_slice, 0)
    number, wanted = len(base), len(base) * layers
    for name in count(len(base)):
        loan_id = loan_id_of(name)
        alike = by_slice.get(partition := slice_of(loan_id), [])
        if not alike or given[partition] == len(alike) * (layers - 1):
            continue
        layer, place = divmod(given[partition], len(alike))
        given[partition] += 1
        yield alike[place]._replace(number=number, layer=layer + 1, loan_id=loan_id)
        number += 1
        if number == wanted:
            return


def _drawn(spec: BookSpec) -> Iterator[Loan]:
    draw = np.random.default_rng(spec.seed)
    size = spec.loans
    terms = draw.integers(12, 37, size)
    is_new = draw.random(size) < (0 if spec.one_due_date else _NEW_SHARE)
    passed = np.where(is_new, 0, (draw.random(size) * (terms - 2)).astype(int))
    late = np.where(draw.random(size) < _LATE_SHARE, draw.integers(1, 5, size), 0)
    due_day = np.where(draw.random(size) < 0.1, NEXT_DUE, draw.integers(2, 29, size))
    if spec.one_due_date:
        due_day[:] = NEXT_DUE
    columns = (
        draw.random(size) < 0.2,
        is_new,
        terms,
        passed,
        np.maximum(0, passed - late),
        due_day,
        draw.integers(5_000, 60_000, size),
        draw.integers(200, 6_000, size),
        draw.integers(0, 500, size),
    )
    for number, row in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        loan_id = loan_id_of(number)
        yield Loan(number, number, 0, loan_id, slice_of(loan_id), CURRENCIES[row[0]], *row[1:])


def branch_of(number: int) -> str:
    """The branch of a loan of the base by its place, or of a place further."""
    return f"B{number % BRANCHES:03}"


def opening_of(loan: Loan) -> Iterator[LoggedEvent]:
    """The events that bring a loan of the base into the book on its first day."""
    branch, product = branch_of(loan.number), f"P{loan.number % _PRODUCTS}"
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
