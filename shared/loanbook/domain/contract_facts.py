"""Facts about the contract: made, paid out, planned, changed, ended."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import ClassVar

import msgspec

from loanbook.domain.fact import Fact, Portions, Value
from loanbook.domain.money import Minor


class PeriodKind(StrEnum):
    """What an installment of a schedule is."""

    REGULAR = "regular"
    DOWN_PAYMENT = "down_payment"
    ADDITIONAL = "additional"  # the N+1 row of later charges and chargebacks


class Period(Value, frozen=True, kw_only=True):
    """One installment as published; `total` alone when upstream does not know the split."""

    number: int
    due_on: date
    from_on: date | None = None
    kind: PeriodKind = PeriodKind.REGULAR
    principal_minor: Minor | None = None
    interest_minor: Minor = msgspec.field(default_factory=Minor)
    fee_minor: Minor = msgspec.field(default_factory=Minor)
    penalty_minor: Minor = msgspec.field(default_factory=Minor)
    total_minor: Minor | None = None


class LoanCreated(Fact, frozen=True, kw_only=True):
    """A loan contract exists; nothing has been paid out yet."""

    TYPE: ClassVar[str] = "loan.created.v1"
    ATTRIBUTES_ONLY: ClassVar[bool] = True

    principal_minor: Minor | None = None
    annual_rate_bps: int | None = None
    term_days: int | None = None
    installments: int | None = None
    borrower_id: str | None = None
    branch: str | None = None
    officer: str | None = None
    product: str | None = None


class LoanApproved(Fact, frozen=True, kw_only=True):
    """The lender agreed to the contract."""

    TYPE: ClassVar[str] = "loan.approved.v1"

    amount_minor: Minor | None = None


class ApprovalUndone(Fact, frozen=True, kw_only=True):
    """The approval was taken back; the loan is an application again."""

    TYPE: ClassVar[str] = "loan.approval_undone.v1"


class LoanRejected(Fact, frozen=True, kw_only=True):
    """The lender refused the application."""

    TYPE: ClassVar[str] = "loan.rejected.v1"

    reason: str | None = None


class LoanWithdrawn(Fact, frozen=True, kw_only=True):
    """The applicant withdrew."""

    TYPE: ClassVar[str] = "loan.withdrawn.v1"

    reason: str | None = None


class LoanDisbursed(Fact, frozen=True, kw_only=True):
    """Money was paid out; several tranches are several facts."""

    TYPE: ClassVar[str] = "loan.disbursed.v1"

    amount_minor: Minor
    tranche: int = 1


class DisbursalUndone(Fact, frozen=True, kw_only=True):
    """A disbursement never happened: the one that relates_to names, without a name every one before."""

    TYPE: ClassVar[str] = "loan.disbursal_undone.v1"
    UNDOES: ClassVar[bool] = True

    reason: str | None = None


class LoanOpenedFromSnapshot(Fact, frozen=True, kw_only=True):
    """The fold of a loan with history elsewhere starts here, with its state at effective_on.

    `periods` is the whole schedule, `paid` all that was paid on it so far.
    """

    TYPE: ClassVar[str] = "loan.opened_from_snapshot.v1"

    disbursed_on: date
    disbursed_minor: Minor
    paid_minor: Minor
    periods: tuple[Period, ...]
    paid_before: Portions | None = None
    annual_rate_bps: int | None = None
    borrower_id: str | None = None
    branch: str | None = None
    officer: str | None = None
    product: str | None = None


class ScheduleKind(StrEnum):
    """Why a schedule version was published."""

    ORIGINAL = "original"
    RECALCULATED = "recalculated"
    RESTRUCTURED = "restructured"
    MOVED = "moved"


class SchedulePublished(Fact, frozen=True, kw_only=True):
    """A whole schedule; the highest entity_version in force counts."""

    TYPE: ClassVar[str] = "schedule.published.v1"

    periods: tuple[Period, ...]
    kind: ScheduleKind = ScheduleKind.ORIGINAL


class RestructureKind(StrEnum):
    """How the terms of a running loan were changed."""

    RE_AGED = "re_aged"
    RE_AMORTIZED = "re_amortized"
    RESCHEDULED = "rescheduled"
    CLOSED_AS_RESCHEDULED = "closed_as_rescheduled"  # its debt lives on in another loan


class LoanRestructured(Fact, frozen=True, kw_only=True):
    """The terms were changed for the borrower's sake; the new schedule comes as its own fact."""

    TYPE: ClassVar[str] = "loan.restructured.v1"

    kind: RestructureKind = RestructureKind.RESCHEDULED
    schedule_version: int | None = None
    reason: str | None = None


class RestructureUndone(Fact, frozen=True, kw_only=True):
    """A restructure was taken back: the one named, else the latest before."""

    TYPE: ClassVar[str] = "loan.restructure_undone.v1"
    UNDOES: ClassVar[bool] = True


class LoanClosed(Fact, frozen=True, kw_only=True):
    """Upstream closed the contract; a check, since what is owed decides."""

    TYPE: ClassVar[str] = "loan.closed.v1"

    reason: str | None = None


class StatusChanged(Fact, frozen=True, kw_only=True):
    """Upstream's own status, as a check."""

    TYPE: ClassVar[str] = "loan.status_changed.v1"

    status: str


class LoanSnapshot(Fact, frozen=True, kw_only=True):
    """Upstream's own figures at the close of effective_on, for reconciliation."""

    TYPE: ClassVar[str] = "loan.snapshot.v1"

    status: str | None = None
    principal_outstanding_minor: Minor | None = None
    total_outstanding_minor: Minor | None = None
    overdue_minor: Minor | None = None
    overpaid_minor: Minor | None = None
    days_past_due: int | None = None
