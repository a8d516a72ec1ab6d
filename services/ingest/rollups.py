"""Differences that changed loans make to the live roll-ups: what was added is exactly what is taken away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from operator import add, attrgetter, sub
from typing import NamedTuple

from ingest.records import ChangedLoan, LedgerRow, RollupCell, RollupMeasures
from loanbook.domain.events import PaymentPosted
from loanbook.domain.loan import CashDay, Loan, LoanStatus

CHARGED_OFF = 6  # beside the numbers of LoanStatus


class CashCell(NamedTuple):
    """Key of core.cash_day but for known_on, which is the business day of the transaction."""

    book_key: int
    currency_key: int
    branch_key: int
    product_key: int
    effective_on: date


class MinuteCell(NamedTuple):
    """Key of core.cash_minute but for the minute, which is the transaction's."""

    book_key: int
    currency_key: int
    branch_key: int


class Keys(NamedTuple):
    """Surrogate keys of a loan's dimensions."""

    currency_key: int
    branch_key: int
    product_key: int


def measures_of(loan: Loan) -> RollupMeasures:
    """What one loan adds to its cell of core.book_now."""
    return RollupMeasures(
        1,
        loan.disbursed,
        loan.paid,
        loan.principal_outstanding,
        loan.total_outstanding,
        loan.overdue,
        loan.overdue_principal,
        int(loan.estimated),
    )


def cell_of(changed: ChangedLoan, keys: Keys) -> RollupCell:
    """Where the loan stands now in core.book_now."""
    loan = changed.after
    status = rollup_status(int(loan.status), charged_off=loan.charged_off_on is not None)
    return RollupCell(changed.book_key, *keys, int(loan.bucket), status)


def rollup_status(status: int, *, charged_off: bool) -> int:
    """Status in the roll-ups, where an active loan that is charged off stands apart."""
    return CHARGED_OFF if charged_off and status == LoanStatus.ACTIVE else status


def book_differences(
    changes: Iterable[tuple[ChangedLoan, Keys]],
) -> dict[RollupCell, RollupMeasures]:
    """Sum of what leaves the old cells and what enters the new ones; cells left as they are fall out."""
    sums: dict[RollupCell, RollupMeasures] = defaultdict(RollupMeasures)
    for changed, keys in changes:
        if changed.stored.version:
            _accumulate(sums, changed.stored.cell, changed.stored.measures, sub)
        _accumulate(sums, cell_of(changed, keys), measures_of(changed.after), add)
    return {cell: measures for cell, measures in sorted(sums.items()) if any(measures)}


def cash_differences(
    changes: Iterable[tuple[ChangedLoan, Keys, Keys]],
) -> dict[CashCell, tuple[int, ...]]:
    """Differences of the cash figures (CASH_FIELDS) by effective day; a moved loan takes its cash along."""
    sums: dict[CashCell, list[int]] = defaultdict(lambda: [0] * len(CASH_FIELDS))
    for changed, keys_before, keys in changes:
        before = changed.before.cash if changed.before else {}
        after = changed.after.cash
        if keys_before == keys:
            if before is after:
                continue
            before, after = _without_common(before, after)
        book_key = changed.book_key
        _accumulate_cash(sums, book_key, keys_before, before, -1)
        _accumulate_cash(sums, book_key, keys, after, 1)
    return {cell: tuple(values) for cell, values in sorted(sums.items()) if any(values)}


def minute_sums(rows: Iterable[tuple[LedgerRow, Keys]]) -> dict[MinuteCell, tuple[int, int]]:
    """Count and amount of the payments taken in now, by branch."""
    sums: dict[MinuteCell, tuple[int, int]] = {}
    for row, keys in rows:
        fact = row.event.fact
        if isinstance(fact, PaymentPosted):
            cell = MinuteCell(row.book.book_key, keys.currency_key, keys.branch_key)
            count, amount = sums.get(cell, (0, 0))
            sums[cell] = (count + 1, amount + fact.amount_minor)
    return dict(sorted(sums.items()))


CASH_FIELDS = ("due", "due_count", "current", "arrears", "advance", "due_collected", "on_time_count")
_cash_fields = attrgetter(*CASH_FIELDS)


def _accumulate(
    sums: dict[RollupCell, RollupMeasures],
    cell: RollupCell,
    measures: RollupMeasures,
    operation: Callable[[int, int], int],
) -> None:
    sums[cell] = RollupMeasures(*map(operation, sums[cell], measures))


def _without_common(
    before: Mapping[date, CashDay], after: Mapping[date, CashDay]
) -> tuple[dict[date, CashDay], dict[date, CashDay]]:
    return (
        {day: cash for day, cash in before.items() if after.get(day) != cash},
        {day: cash for day, cash in after.items() if before.get(day) != cash},
    )


def _accumulate_cash(
    sums: dict[CashCell, list[int]],
    book_key: int,
    keys: Keys,
    days: Mapping[date, CashDay],
    sign: int,
) -> None:
    for day, cash in days.items():
        values = sums[CashCell(book_key, *keys, day)]
        for position, value in enumerate(_cash_fields(cash)):
            values[position] += sign * value
