"""The state of one loan is a fold over the set of its events, in effective order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from loanbook.domain.cash import cash_days
from loanbook.domain.delinquency import (
    Punctuality,
    classify,
    first_payment_default_days,
    first_payment_row,
    next_boundary_on,
    past_due_on,
    term_of,
)
from loanbook.domain.events import LoanEvent
from loanbook.domain.history import UNAPPLIED_REASONS, History, UnappliedReason
from loanbook.domain.money import divide_half_even
from loanbook.domain.replay import Replay, amounts
from loanbook.domain.schedule import Row
from loanbook.domain.settings import ProductSettings
from loanbook.domain.state import (
    Amounts,
    CashDay,
    DelinquencyBucket,
    InstallmentState,
    Loan,
    LoanStatus,
    TransactionState,
    Unapplied,
)

__all__ = [
    "FOLD_VERSION",
    "UNAPPLIED_REASONS",
    "Amounts",
    "CashDay",
    "DelinquencyBucket",
    "InstallmentState",
    "Loan",
    "LoanStatus",
    "TransactionState",
    "Unapplied",
    "UnappliedReason",
    "fold",
]

FOLD_VERSION = 1  # rises whenever the same events give another state


def fold(
    book: str, loan_id: str, events: Iterable[LoanEvent], settings: ProductSettings, as_of: date
) -> Loan:
    """The loan at the close of `as_of`, from the set of its events in whatever order they are given."""
    history = History(events, as_of)
    replay = Replay(history, settings)
    replay.play()
    rows = replay.rows
    today = as_of.toordinal()
    late = [row for row in rows if row.due_day < today and row.open]
    coming = next((row for row in rows if row.due_day >= today and row.open), None)
    late_since = past_due_on(rows, as_of, settings.tolerance_minor)
    delinquent_days = max(0, (as_of - late_since).days - settings.grace_days) if late_since else 0
    punctuality = Punctuality(rows, as_of, settings)
    overdue = sum(row.open for row in late)
    default_day, is_default = _first_payment(replay, as_of)
    boundary = next_boundary_on(rows, as_of, settings, late_since, punctuality, default_day)
    future_on = history.next_future_on
    status = _status(replay)
    return Loan(
        book=book,
        loan_id=loan_id,
        as_of=as_of,
        currency=history.currency,
        borrower_id=replay.borrower_id,
        branch=replay.branch,
        product=replay.product,
        officer=replay.officer,
        status=status,
        disbursed_on=history.disbursed_on,
        disbursed=replay.disbursed,
        annual_rate_bps=replay.annual_rate_bps,
        term_days=replay.term_days,
        installments=tuple(_installment(row) for row in rows),
        schedule_version=replay.schedule_version,
        transactions=tuple(replay.transactions),
        unapplied=tuple(history.unapplied),
        duplicates=history.duplicates,
        principal_outstanding=replay.principal_outstanding,
        total_outstanding=replay.open,
        scheduled=replay.scheduled,
        overdue=overdue,
        overdue_principal=_overdue_principal(replay, late, overdue),
        due_to_date=sum(sum(row.due) for row in rows if row.due_day <= today),
        paid=replay.paid,
        overpaid=replay.overpaid,
        estimated=replay.estimated,
        past_due_on=late[0].due_on if late else None,
        delinquent_days=delinquent_days,
        bucket=classify(delinquent_days, settings.bucket_edges),
        next_due_on=coming.due_on if coming else None,
        next_due=coming.open if coming else 0,
        next_boundary_on=min((day for day in (boundary, future_on) if day), default=None),
        first_due_on=first.due_on if (first := first_payment_row(rows)) else None,
        last_payment_on=replay.last_payment_on,
        last_payment=replay.last_payment,
        closed_on=replay.closed_on if status in (LoanStatus.CLOSED, LoanStatus.OVERPAID) else None,
        restructured_on=replay.restructured_on,
        first_payment_default=is_default,
        missed_12m=punctuality.missed_12m,
        on_time_streak=punctuality.streak,
        decided=punctuality.decided,
        days_late_sum=punctuality.days_late_sum,
        recent_days_late=tuple(punctuality.recent),
        max_dpd=punctuality.max_days_late,
        returned_payments=replay.returned_payments,
        cash=cash_days(rows, replay.cash),
        last_order=history.last_order,
    )


def _status(replay: Replay) -> LoanStatus:
    if replay.history.disbursed_on is None:
        return LoanStatus.PENDING
    if not replay.rows or replay.open:
        return LoanStatus.ACTIVE
    return LoanStatus.OVERPAID if replay.overpaid else LoanStatus.CLOSED


def _overdue_principal(replay: Replay, late: list[Row], overdue: int) -> int:
    if replay.estimated:
        return divide_half_even(replay.disbursed * overdue, replay.scheduled) if replay.scheduled else 0
    return sum(row.left(0) for row in late)


def _first_payment(replay: Replay, as_of: date) -> tuple[int, bool]:
    """The day on which a first-payment default will be known, and whether it is one already."""
    row = first_payment_row(replay.rows)
    if row is None or row.met_before_bootstrap:
        return 0, False
    term = term_of(replay.rows, replay.history.disbursed_on, replay.term_days)
    last_day = row.due_day + first_payment_default_days(replay.settings, term)
    unmet = row.met_on is None or row.met_day > last_day
    return last_day + 1 if unmet else 0, unmet and as_of.toordinal() > last_day


def _installment(row: Row) -> InstallmentState:
    return InstallmentState(
        number=row.number,
        kind=row.kind,
        from_on=row.from_on,
        due_on=row.due_on,
        due=amounts(row.due),
        paid=amounts(row.paid),
        waived=amounts(row.waived),
        paid_in_advance=row.in_advance,
        paid_late=row.late,
        met_on=row.met_on,
    )
