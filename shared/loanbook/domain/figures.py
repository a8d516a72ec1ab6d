"""From the fold's working memory to the frozen state: every figure of a loan at the close of a day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loanbook.domain.cash import cash_days
from loanbook.domain.delinquency import Arrears, classify, delinquent_days, next_boundary_on
from loanbook.domain.plainness import plain_plan
from loanbook.domain.punctuality import Punctuality, first_payment_default, first_payment_row
from loanbook.domain.repayment import by_component
from loanbook.domain.replay import Record, Replay
from loanbook.domain.row import Row
from loanbook.domain.schedule import schedule_issue
from loanbook.domain.settings import Component
from loanbook.domain.state import (
    Amounts,
    ChargeState,
    InstallmentState,
    Loan,
    LoanStatus,
    TransactionState,
)

_NOTHING = Amounts()
_ENDED = (LoanStatus.CLOSED, LoanStatus.OVERPAID)


def loan_at(book: str, loan_id: str, replay: Replay, earlier: Loan | None = None) -> Loan:
    """Freeze a loan; what no day changes is taken from its `earlier` state when the same events counted."""
    history = replay.history
    is_running = history.disbursed_on is not None
    if earlier is not None and (earlier.unapplied or history.unapplied):
        earlier = None  # another event may have come to count since
    return Loan(
        book=book,
        loan_id=loan_id,
        as_of=history.as_of,
        currency=history.currency,
        status=_status(replay),
        disbursed_on=history.disbursed_on,
        installments=earlier.installments if earlier else tuple([_installment(row) for row in replay.rows]),
        schedule_version=replay.schedule_version,
        transactions=earlier.transactions
        if earlier
        else tuple([_transaction(record) for record in replay.records]),
        charges=_charges(replay) if replay.charges else (),
        unapplied=tuple(history.unapplied),
        duplicates=history.duplicates,
        last_order=history.last_order,
        plain_plan=plain_plan(replay),
        named=history.undoings.named,
        **_attributes(replay),
        **(_debt(replay) if is_running else {}),
        cash=earlier.cash if earlier else cash_days(replay.rows, replay.cash) if is_running else {},
        **(_lateness(replay) if is_running else {"next_boundary_on": history.next_future_on}),
        **_incidents(replay),
    )


def amounts(values: Sequence[int]) -> Amounts:
    """The frozen form of a list by component."""
    principal, interest, fee, penalty = values
    if principal or interest or fee or penalty:
        return Amounts(principal=principal, interest=interest, fee=fee, penalty=penalty)
    return _NOTHING


def _attributes(replay: Replay) -> dict[str, Any]:
    return {
        "borrower_id": replay.borrower_id,
        "branch": replay.branch,
        "officer": replay.officer,
        "owner": replay.owner,
        "product": replay.product,
        "annual_rate_bps": replay.annual_rate_bps,
        "term_days": replay.term_days,
        "disbursed": replay.disbursed,
    }


def _debt(replay: Replay) -> dict[str, Any]:
    rows, today = replay.rows, replay.history.as_of
    return {
        "schedule_issue": schedule_issue(rows, replay.disbursed, estimated=replay.estimated),
        "principal_outstanding": replay.principal_outstanding if replay.open or not rows else 0,
        "total_outstanding": replay.open,
        "scheduled": replay.scheduled,
        "due_to_date": _due_to_date(rows, today.toordinal()),
        "paid": replay.paid,
        "overpaid": replay.overpaid,
        "refunded": replay.refunded,
        "estimated": replay.estimated,
    }


def _due_to_date(rows: list[Row], today: int) -> int:
    total = 0
    for row in rows:
        if row.due_day <= today:
            principal, interest, fee, penalty = row.due
            total += principal + interest + fee + penalty
    return total


def _lateness(replay: Replay) -> dict[str, Any]:
    rows, as_of, settings = replay.rows, replay.history.as_of, replay.settings
    arrears = Arrears(rows, as_of)
    classed = arrears if not settings.tolerance_minor else Arrears(rows, as_of, settings.tolerance_minor)
    days = delinquent_days(classed.past_due_on, as_of, replay.pauses, settings)
    punctuality = Punctuality(rows, as_of, settings)
    disbursed_on = replay.history.disbursed_on
    default_day, is_default = first_payment_default(rows, as_of, settings, disbursed_on, replay.term_days)
    boundary = next_boundary_on(rows, as_of, settings, classed, replay.pauses, punctuality, default_day)
    boundaries = [day for day in (boundary, replay.history.next_future_on) if day is not None]
    coming = next((row for row in rows if row.due_on >= as_of and row.open), None)
    first = first_payment_row(rows)
    return {
        "overdue": arrears.overdue,
        "overdue_principal": _overdue_principal(replay, arrears),
        "past_due_on": arrears.past_due_on,
        "delinquent_days": days,
        "bucket": classify(days, settings.bucket_edges),
        "pauses": tuple(replay.pauses),
        "next_due_on": coming.due_on if coming else None,
        "next_due": coming.open if coming else 0,
        "next_boundary_on": min(boundaries, default=None),
        "first_due_on": first.due_on if first else None,
        "first_payment_default": is_default,
        "missed_12m": punctuality.missed_12m,
        "on_time_streak": punctuality.streak,
        "decided": punctuality.decided,
        "days_late_sum": punctuality.days_late_sum,
        "recent_days_late": tuple(punctuality.recent),
        "max_dpd": punctuality.max_days_late,
    }


def _incidents(replay: Replay) -> dict[str, Any]:
    return {
        "last_payment_on": replay.last_payment_on,
        "last_payment": replay.last_payment,
        "closed_on": replay.closed_on if _status(replay) in _ENDED else None,
        "charged_off_on": replay.charged_off_on,
        "charged_off": replay.charged_off,
        "written_off_on": replay.written_off_on,
        "written_off": replay.written_off,
        "recovered": replay.recovered,
        "restructured_on": replay.restructured_on,
        "restructures": replay.restructures,
        "returned_payments": replay.returned_payments,
    }


def _status(replay: Replay) -> LoanStatus:
    if replay.history.disbursed_on is None:
        undone = replay.cancelled or replay.history.is_disbursal_undone
        return LoanStatus.CANCELLED if undone else LoanStatus.PENDING
    if replay.written_off_on is not None:
        return LoanStatus.WRITTEN_OFF
    if not replay.rows or replay.open:
        return LoanStatus.ACTIVE
    return LoanStatus.OVERPAID if replay.overpaid else LoanStatus.CLOSED


def _overdue_principal(replay: Replay, arrears: Arrears) -> int:
    if replay.estimated:
        return replay.pro_rata(arrears.overdue)
    return sum([min(row.left(0), amount) for row, amount in arrears.rows])


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
        added_back=amounts(row.added_back),
    )


def _transaction(record: Record) -> TransactionState:
    event, fact = record.event, record.event.fact
    return TransactionState(
        event_id=event.event_id,
        entity_id=fact.entity_id,
        type=fact.TYPE,
        effective_on=fact.effective_on,
        amount=record.amount,
        portions=amounts(record.portions if record.stated is None else by_component(record.stated)),
        overpayment=record.overpayment,
        reversed=record.reversed,
        estimated=record.estimated,
        principal_outstanding_after=record.principal_after,
        settled=tuple(record.settled),
    )


def _charges(replay: Replay) -> tuple[ChargeState, ...]:
    """The charges with what is paid of them: of one installment the one due first is paid first."""
    paid: dict[tuple[int, int], int] = {}
    states = []
    for charge in sorted(replay.charges.values(), key=lambda charge: (charge.due_on, charge.id)):
        row = charge.row
        if row is None:
            continue
        key = (id(row), charge.component)
        rest = paid.setdefault(key, row.paid[charge.component])
        part = min(rest, charge.amount - charge.waived)
        paid[key] = rest - part
        states.append(
            ChargeState(
                charge_id=charge.id,
                name=charge.name,
                is_penalty=charge.component == Component.PENALTY,
                due_on=charge.due_on,
                amount=charge.amount,
                paid=part,
                waived=charge.waived,
            )
        )
    return tuple(states)
