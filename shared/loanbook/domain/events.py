"""What happened: the facts upstream systems publish, each one class, amounts in minor units.

A class here is also the wire contract: `loanbook.wire` decodes JSON straight into it, and the JSON
Schemas are generated from it. On the wire `effective_on` is `effective_date` and `amount_minor` is
`amount`, a decimal string (see `wire_name`).
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

import msgspec

from loanbook.domain.money import Minor


def wire_name(name: str) -> str:
    """JSON name of a field: days end in _date, amounts drop their unit."""
    if name.endswith("_on"):
        return f"{name[:-3]}_date"
    return name.removesuffix("_minor")


class Value(msgspec.Struct, frozen=True, kw_only=True, rename=wire_name):
    """Base of the parts that facts are made of."""


class RelationKind(StrEnum):
    """How a fact relates to an earlier one."""

    REVERSES = "reverses"
    REPLACES = "replaces"
    CHARGEBACK_OF = "chargeback_of"
    ADJUSTS = "adjusts"
    REPLAYED_FROM = "replayed_from"


class Relation(Value, frozen=True, kw_only=True):
    """Names an earlier fact by its entity_id (or event id where it had no entity)."""

    kind: RelationKind
    id: str


class Portions(Value, frozen=True, kw_only=True):
    """How upstream itself split a transaction over the components of the debt."""

    principal_minor: Minor = msgspec.field(default_factory=Minor)
    interest_minor: Minor = msgspec.field(default_factory=Minor)
    fee_minor: Minor = msgspec.field(default_factory=Minor)
    penalty_minor: Minor = msgspec.field(default_factory=Minor)
    overpayment_minor: Minor = msgspec.field(default_factory=Minor)


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


class Fact(Value, frozen=True, kw_only=True):
    """Base of every fact about one loan."""

    TYPE: ClassVar[str]
    MOVES_DEBT: ClassVar[bool] = False  # it needs a disbursed loan with a schedule to count
    REVERSIBLE: ClassVar[bool] = False  # payment.reversed may name it
    ATTRIBUTES_ONLY: ClassVar[bool] = False  # it says who or where, never how much

    effective_on: date  # the day it counts from
    business_on: date  # upstream's business day when it was booked
    currency: str | None = None
    entity_id: str | None = None  # upstream's id of the transaction, charge or schedule
    entity_version: int = 1
    relates_to: tuple[Relation, ...] = ()

    @property
    def cash(self) -> int:
        """The cash it brings, in minor units; 0 where it brings none."""
        return 0

    @property
    def originals(self) -> tuple[str, ...]:
        """Ids of what it undoes or changes; its own entity where it names none."""
        named = tuple(relation.id for relation in self.relates_to)
        return named or ((self.entity_id,) if self.entity_id else ())


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


class LoanDisbursed(Fact, frozen=True, kw_only=True):
    """Money was paid out; several tranches are several facts."""

    TYPE: ClassVar[str] = "loan.disbursed.v1"

    amount_minor: Minor
    tranche: int = 1


class LoanOpenedFromSnapshot(Fact, frozen=True, kw_only=True):
    """The fold of a loan with history elsewhere starts here, with its state at effective_on."""

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


class PaymentKind(StrEnum):
    """What a payment was for."""

    REPAYMENT = "repayment"
    DOWN_PAYMENT = "down_payment"


class PaymentPosted(Fact, frozen=True, kw_only=True):
    """Cash came in."""

    TYPE: ClassVar[str] = "payment.posted.v1"
    MOVES_DEBT: ClassVar[bool] = True
    REVERSIBLE: ClassVar[bool] = True

    amount_minor: Minor
    portions: Portions | None = None
    kind: PaymentKind = PaymentKind.REPAYMENT
    channel: str | None = None

    @property
    def cash(self) -> int:
        """The whole of it."""
        return self.amount_minor


class PaymentReversed(Fact, frozen=True, kw_only=True):
    """A posted payment is undone; relates_to names it (kind reverses)."""

    TYPE: ClassVar[str] = "payment.reversed.v1"

    reason: str | None = None


class LoanClosed(Fact, frozen=True, kw_only=True):
    """Upstream closed the contract."""

    TYPE: ClassVar[str] = "loan.closed.v1"

    reason: str | None = None


class BranchMoved(Fact, frozen=True, kw_only=True):
    """The loan belongs to another branch from effective_on."""

    TYPE: ClassVar[str] = "loan.branch_moved.v1"
    ATTRIBUTES_ONLY: ClassVar[bool] = True

    branch: str


class DayClosed(msgspec.Struct, frozen=True, kw_only=True, rename=wire_name):
    """The book's business day is over; stands in the log of every partition."""

    TYPE: ClassVar[str] = "day.closed.v1"

    business_on: date


class BorrowerProfile(msgspec.Struct, frozen=True, kw_only=True, rename=wire_name):
    """A borrower's attributes, on the compacted topic; the latest counts, null erases."""

    TYPE: ClassVar[str] = "borrower.profile.v1"

    borrower_id: str
    birth_year: int | None = None
    gender: str | None = None
    employment: str | None = None
    education: str | None = None
    monthly_income_minor: Minor | None = None
    currency: str | None = None
    dependents: int | None = None
    housing: str | None = None
    region: str | None = None


class BranchUpdated(msgspec.Struct, frozen=True, kw_only=True, rename=wire_name):
    """A branch's name and place, on the compacted reference topic."""

    TYPE: ClassVar[str] = "branch.updated.v1"

    branch: str
    name: str | None = None
    region: str | None = None
    manager: str | None = None
    latitude: float | None = None
    longitude: float | None = None


class LoanEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A fact with its identity: the unit the ledger keeps and the fold reads."""

    book: str
    loan_id: str
    source: str
    event_id: str
    recorded_at: datetime  # upstream's clock, aware UTC
    sequence: int | None = None
    known_on: date | None = None  # our business day on receipt; set from the ledger
    fact: Fact

    @property
    def order(self) -> tuple[date, date, int, datetime, str, int, str]:
        """Place in the loan's history; the same whatever the order of arrival."""
        fact = self.fact
        return (
            fact.effective_on,
            fact.business_on,
            self.sequence or 0,
            self.recorded_at,
            fact.entity_id or "",
            fact.entity_version,
            self.event_id,
        )


FACTS: tuple[type[Fact], ...] = (
    LoanCreated,
    LoanDisbursed,
    LoanOpenedFromSnapshot,
    SchedulePublished,
    PaymentPosted,
    PaymentReversed,
    LoanClosed,
    BranchMoved,
)
