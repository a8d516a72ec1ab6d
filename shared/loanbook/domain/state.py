"""The state of one loan as the figures need it: frozen values, amounts in minor units."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from typing import Any

import msgspec


class LoanStatus(IntEnum):
    """Where a loan stands; the numbers are stored."""

    PENDING = 0  # known, nothing disbursed
    ACTIVE = 1
    OVERPAID = 2
    CLOSED = 3
    WRITTEN_OFF = 4
    CANCELLED = 5  # rejected, withdrawn, or its only disbursement undone


class DelinquencyBucket(IntEnum):
    """Class of lateness; the numbers are stored and ordered."""

    CURRENT = 0
    DPD_1_30 = 1
    DPD_31_60 = 2
    DPD_61_90 = 3
    DPD_91_PLUS = 4


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the parts of a loan's state; a Struct because each fold makes some hundred of them."""


class Amounts(State, frozen=True, kw_only=True, gc=False):
    """Minor units by component of the debt."""

    principal: int = 0
    interest: int = 0
    fee: int = 0
    penalty: int = 0

    @property
    def total(self) -> int:
        """All components together."""
        return self.principal + self.interest + self.fee + self.penalty


class InstallmentState(State, frozen=True, kw_only=True):
    """One installment with what was due, paid (cash and credits) and waived or written off."""

    number: int
    kind: str  # events.PeriodKind
    from_on: date | None
    due_on: date
    due: Amounts
    paid: Amounts
    waived: Amounts  # waived or written off: met, not paid
    paid_in_advance: int
    paid_late: int
    met_on: date | None  # effective date of what brought the outstanding to 0
    added_back: Amounts = Amounts()  # part of due: what chargebacks and refunds made a debt again

    @property
    def outstanding(self) -> int:
        """What is left of it, all components."""
        return self.due.total - self.paid.total - self.waived.total


class TransactionState(State, frozen=True, kw_only=True):
    """One money movement as it counts now, with its portions."""

    event_id: str
    entity_id: str | None
    type: str
    effective_on: date
    amount: int
    portions: Amounts
    overpayment: int
    reversed: bool
    estimated: bool  # portions are our own allocation, not upstream's
    principal_outstanding_after: int
    settled: tuple[tuple[int, int], ...] = ()  # (installment number, amount) in order of allocation


class ChargeState(State, frozen=True, kw_only=True):
    """One fee or penalty, with what was paid and waived of it."""

    charge_id: str
    name: str | None
    is_penalty: bool
    due_on: date
    amount: int
    paid: int
    waived: int

    @property
    def outstanding(self) -> int:
        """What is left of it."""
        return self.amount - self.paid - self.waived


class Unapplied(State, frozen=True, kw_only=True):
    """An event that is kept and does not count, with the reason."""

    event_id: str
    reason: str  # one of history.UNAPPLIED_REASONS
    amount: int  # cash that waits; 0 for other events


class CashDay(State, frozen=True, kw_only=True, gc=False):
    """What one effective day contributes to the cash figures (collection efficiency)."""

    due: int = 0  # falls due that day, as scheduled; known ahead
    due_count: int = 0
    current: int = 0  # cash of that day for installments due that day
    arrears: int = 0  # ... for installments due before
    advance: int = 0  # ... for installments due later, and overpayment
    on_time_count: int = 0  # installments due that day and met by then
    due_collected: int = 0  # paid by the close of that day of what fell due on it, credits included


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """Everything the figures need to know of one loan at the close of `as_of`; amounts in minor units."""

    book: str
    loan_id: str
    as_of: date
    currency: str | None = None
    borrower_id: str | None = None
    branch: str | None = None
    product: str | None = None
    officer: str | None = None
    owner: str | None = None  # where it was sold
    status: LoanStatus = LoanStatus.PENDING
    disbursed_on: date | None = None  # first tranche: the cohort
    disbursed: int = 0
    annual_rate_bps: int | None = None
    term_days: int | None = None
    installments: tuple[InstallmentState, ...] = ()
    schedule_version: int = 0
    schedule_issue: str | None = None  # why the schedule in force cannot be right, see schedule.py
    transactions: tuple[TransactionState, ...] = ()
    charges: tuple[ChargeState, ...] = ()
    unapplied: tuple[Unapplied, ...] = ()
    duplicates: int = 0  # further copies of a fact under another event id
    principal_outstanding: int = 0
    total_outstanding: int = 0  # over all installments, future interest included
    scheduled: int = 0  # total due of all installments
    overdue: int = 0  # outstanding of installments due before as_of
    overdue_principal: int = 0
    due_to_date: int = 0  # total due of installments with due_on <= as_of
    paid: int = 0  # cash received and not reversed or charged back, overpayment included
    overpaid: int = 0
    refunded: int = 0  # overpayments given back
    estimated: bool = False  # the principal is pro rata: the feed gives no components
    past_due_on: date | None = None  # oldest unpaid due date before as_of
    delinquent_days: int = 0  # grows by itself while late: as_of, pauses and grace
    bucket: DelinquencyBucket = DelinquencyBucket.CURRENT
    pauses: tuple[tuple[date, date], ...] = ()  # of the class; both ends included
    next_due_on: date | None = None  # first unpaid installment due on or after as_of
    next_due: int = 0
    next_boundary_on: date | None = None  # the next day on which the state changes by itself
    first_due_on: date | None = None
    last_payment_on: date | None = None
    last_payment: int = 0
    closed_on: date | None = None
    charged_off_on: date | None = None
    charged_off: int = 0
    written_off_on: date | None = None
    written_off: int = 0
    recovered: int = 0
    restructured_on: date | None = None
    restructures: int = 0
    dpd_before_restructure: int = 0
    first_payment_default: bool = False
    missed_12m: int = 0
    on_time_streak: int = 0
    decided: int = 0  # installments due before as_of and met, or not met 30 days after their due date
    days_late_sum: int = 0  # over met installments
    recent_days_late: tuple[int, ...] = ()  # of the last three decided installments, oldest first
    max_dpd: int = 0  # ever, up to as_of; grows by itself while late
    returned_payments: int = 0  # reversed by hand
    cash: dict[date, CashDay] = field(default_factory=dict)
    last_order: tuple[Any, ...] | None = None  # order of the latest event, LoanEvent.order
    plain_plan: bytes = b""  # the plan packed for plain.py; empty where the loan is not plain
    named: tuple[str, ...] = ()  # ids that facts of the loan undo: what bears one does not simply count

    @property
    def days_past_due(self) -> int:
        """Days since the oldest unpaid due date; 0 when current (exclusive convention)."""
        return 0 if self.past_due_on is None else (self.as_of - self.past_due_on).days
