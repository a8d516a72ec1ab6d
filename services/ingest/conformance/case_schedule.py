"""Schedules of the golden cases: fed where a case states one, inferred where the interest is zero."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from operator import itemgetter
from typing import Any

from loanbook.domain.events import Period, PeriodKind
from loanbook.domain.money import Minor, divide_half_even

_CENT = 100


@dataclass(kw_only=True)
class Line:
    """One installment of a plan, in cents."""

    due_on: date
    principal: int
    interest: int = 0
    is_down_payment: bool = False
    from_on: date | None = None


@dataclass(kw_only=True)
class Terms:
    """What a zero-interest schedule follows from."""

    number: int
    every: int
    unit: str
    start_on: date | None  # none: the first disbursement
    grace: int
    multiple_of: int  # cents
    down_payment_pct: Decimal | None
    fixed_length: int | None  # in units of the repayment
    rolls_over: bool  # a day that its month has not is the first of the next one, else the month's last
    tranche_before_due: bool  # a tranche paid out on a due day joins that day's installment


@dataclass(kw_only=True)
class Plan:
    """The installments of one loan as they stand."""

    terms: Terms
    lines: list[Line] = field(default_factory=list)
    tranches: list[tuple[date, int]] = field(default_factory=list)  # since nothing was fed
    rounded_off: Decimal = Decimal(0)  # what rounding added to down payments since then

    def feed(self, lines: list[Line]) -> None:
        """Take a stated plan as it is."""
        self.lines, self.tranches, self.rounded_off = lines, [], Decimal(0)

    def disburse(self, on: date, amount: int) -> None:
        """Add a tranche; one dated before an earlier one has the plan made again."""
        is_inferred = bool(self.tranches) or not self.lines
        if is_inferred:
            self.tranches = sorted([*self.tranches, (on, amount)], key=itemgetter(0))
            self.lines, self.rounded_off = [], Decimal(0)
        for day, part in self.tranches if is_inferred else [(on, amount)]:
            self._spread(day, part)

    def _spread(self, on: date, amount: int) -> None:
        """Add a tranche's down payment, and the rest over what is not due yet."""
        down = self.down_payment_of(amount)
        if not self.lines:
            self.lines = self._empty_lines(on)
        open_lines = [line for line in self.lines if self._takes_tranche_of(on, line)]
        rest = amount - down + sum(line.principal for line in open_lines)
        if self.terms.down_payment_pct is not None:
            self._insert(Line(due_on=on, from_on=on, principal=down, is_down_payment=True))
            self.rounded_off += down - Decimal(amount) * self.terms.down_payment_pct / 100
        if not open_lines:
            self._insert(self._line_after_the_last(on, rest))
            return
        self._split(rest, open_lines)

    def down_payment_of(self, amount: int) -> int:
        """The part of a tranche that is due at once."""
        if self.terms.down_payment_pct is None:
            return 0
        part = Decimal(amount) * self.terms.down_payment_pct / 100
        unit = self.terms.multiple_of
        return int((part / unit).quantize(Decimal(1), ROUND_HALF_EVEN)) * unit

    def periods(self) -> tuple[Period, ...]:
        """The plan as our facts state it."""
        return tuple(
            Period(
                number=number,
                from_on=line.from_on,
                due_on=line.due_on,
                kind=PeriodKind.DOWN_PAYMENT if line.is_down_payment else PeriodKind.REGULAR,
                principal_minor=Minor(line.principal),
                interest_minor=Minor(line.interest),
            )
            for number, line in enumerate(self.lines, start=1)
        )

    def _insert(self, new: Line) -> None:
        at = sum(not self._takes_tranche_of(new.due_on, line) for line in self.lines)
        self.lines.insert(at, new)

    def _split(self, rest: int, lines: list[Line]) -> None:
        paying = lines[self.terms.grace :] or lines[-1:]
        unit = self.terms.multiple_of
        # The source splits what the exact down payments leave, and rounds a half up.
        exact = (rest + (self.rounded_off if self.terms.tranche_before_due else 0)) / Decimal(
            len(paying) * unit
        )
        whole = int(exact.quantize(Decimal(1), ROUND_HALF_UP if unit > 1 else ROUND_HALF_EVEN)) * unit
        part = whole or divide_half_even(rest, len(paying))
        for line in lines:
            line.principal = 0
        for line in paying[:-1]:
            line.principal = min(part, rest)
            rest -= line.principal
        paying[-1].principal = rest

    def _takes_tranche_of(self, on: date, line: Line) -> bool:
        """Whether a tranche is repaid with this line too; of that day's dues only where the terms say so."""
        if line.is_down_payment:
            return line.due_on > on
        return line.due_on > on or (self.terms.tranche_before_due and line.due_on == on)

    def _line_after_the_last(self, on: date, principal: int) -> Line:
        """A tranche after maturity is due at once, or a period after the last."""
        if not self.terms.tranche_before_due:
            return Line(due_on=on, from_on=on, principal=principal)
        start = due_on = self.lines[-1].due_on
        while due_on <= on:
            start, due_on = due_on, self._after(due_on, self.terms.every)
        return Line(due_on=due_on, from_on=start, principal=principal)

    def _empty_lines(self, disbursed_on: date) -> list[Line]:
        days = self._due_days(disbursed_on)
        starts = [self.terms.start_on or disbursed_on, *days]
        return [
            Line(due_on=due_on, from_on=start, principal=0)
            for due_on, start in zip(days, starts, strict=False)
        ]

    def _due_days(self, disbursed_on: date) -> list[date]:
        terms = self.terms
        start = terms.start_on or disbursed_on
        days = [self._after(start, terms.every * number) for number in range(1, terms.number + 1)]
        if terms.fixed_length is not None:
            days[-1] = self._after(start, terms.fixed_length)
        return days

    def _after(self, start: date, count: int) -> date:
        return _step(start, self.terms.unit, count, rolls_over=self.terms.rolls_over)


def terms_of(product: Mapping[str, Any], case: Mapping[str, Any], start_type: str | None) -> Terms:
    """Terms of a case's loan."""
    loan = case["loan"]
    given = {**product, **case["depends_on"], **loan}
    pct = given.get("down_payment_pct")
    has_down_payment = given.get("down_payment") is True and pct is not None
    multiple = given.get("installment_amount_in_multiples_of")
    start_type = start_type or product.get("repayment_start_date_type")
    fixed = given.get("fixed_length_days")
    return Terms(
        number=int(loan["number_of_repayments"]),
        every=int(loan["repayment_every"]),
        unit=loan["repayment_unit"],
        start_on=date.fromisoformat(loan["submitted_on"]) if start_type == "SUBMITTED_ON_DATE" else None,
        grace=int(loan.get("grace_on_principal_payment") or 0),
        multiple_of=int(multiple) * _CENT if multiple else 1,
        down_payment_pct=Decimal(str(pct)) if has_down_payment else None,
        fixed_length=int(fixed) if fixed else None,
        rolls_over=given.get("month_end_due_date_strategy") == "FIRST_DAY_OF_NEXT_MONTH",
        tranche_before_due=given.get("schedule_type") != "PROGRESSIVE",
    )


def stated_lines(step: Mapping[str, Any], *, has_down_payment: bool) -> list[Line]:
    """The due columns of a schedule that a case states; down payments are due with a disbursement.

    The principal is the fall of the plan's balance, so that a debt added later is not in it; without a
    balance column it is what the row states.
    """
    lines: list[Line] = []
    balance, disbursed_on = 0, None
    for row in step["rows"]:
        cell = dict(zip(step["columns"], row, strict=True))
        due_on = date.fromisoformat(cell["due_date"])
        if cell["nr"] is None:
            balance, disbursed_on = balance + cents(cell.get("balance")), due_on
            continue
        stated = cents(cell["principal_due"])
        principal = balance - cents(cell["balance"]) if "balance" in cell else stated
        if principal == 0 and stated:
            continue  # the N+1 row
        balance -= principal
        days = int(cell.get("days") or 0)
        from_on = due_on - timedelta(days=days) if "days" in cell else None
        line = Line(due_on=due_on, from_on=from_on, principal=principal)
        line.interest = cents(cell.get("interest_due"))
        line.is_down_payment = has_down_payment and due_on == disbursed_on and days == 0
        lines.append(line)
    return lines


def cents(text: str | None) -> int:
    """An amount of a case in minor units."""
    return int((Decimal(text or "0") * _CENT).to_integral_exact())


def _step(start: date, unit: str, count: int, *, rolls_over: bool) -> date:
    if unit == "DAYS":
        return start + timedelta(days=count)
    if unit == "WEEKS":
        return start + timedelta(weeks=count)
    years, month = divmod(start.month - 1 + (count if unit == "MONTHS" else 12 * count), 12)
    year, month = start.year + years, month + 1
    last = date(year, month, calendar.monthrange(year, month)[1])
    if start.day <= last.day:
        return last.replace(day=start.day)
    return last + timedelta(days=1) if rolls_over else last
