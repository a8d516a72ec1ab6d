"""What happened: the facts upstream systems publish, each one class, amounts in minor units.

A class here is also the wire contract: `loanbook.wire` decodes JSON straight into it, and the JSON
Schemas are generated from it. On the wire `effective_on` is `effective_date` and `amount_minor` is
`amount`, a decimal string (see `wire_name`). The facts live by room in fact.py, contract_facts.py,
money_facts.py and servicing_facts.py; this module is their one front door.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import msgspec

from loanbook.domain.contract_facts import (
    ApprovalUndone,
    DisbursalUndone,
    LoanApproved,
    LoanClosed,
    LoanCreated,
    LoanDisbursed,
    LoanOpenedFromSnapshot,
    LoanRejected,
    LoanRestructured,
    LoanSnapshot,
    LoanWithdrawn,
    Period,
    PeriodKind,
    RestructureKind,
    RestructureUndone,
    ScheduleKind,
    SchedulePublished,
    StatusChanged,
)
from loanbook.domain.fact import (
    Fact,
    LoanEvent,
    Portions,
    Relation,
    RelationKind,
    Value,
    wire_name,
)
from loanbook.domain.money import Minor
from loanbook.domain.money_facts import (
    ChargeAdded,
    ChargeBasis,
    ChargeDeleted,
    ChargeOffUndone,
    ChargeUpdated,
    ChargeWaived,
    ChargeWaiverUndone,
    CreditKind,
    CreditPosted,
    LoanChargedOff,
    LoanWrittenOff,
    OverpaymentRefunded,
    PaymentAdjusted,
    PaymentChargedBack,
    PaymentKind,
    PaymentPosted,
    PaymentReversed,
    RecoveryPosted,
    WriteOffUndone,
)
from loanbook.domain.servicing_facts import (
    BranchMoved,
    BureauScoreReceived,
    CardLimitChanged,
    CardSpent,
    CardStatementIssued,
    CollectionAttempted,
    DelinquencyChanged,
    DelinquencyPaused,
    DelinquencyResumed,
    LegalActionStarted,
    OfficerChanged,
    OwnerChanged,
    PromiseMade,
    RepaymentDue,
    RepaymentOverdue,
)


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


FACTS: tuple[type[Fact], ...] = (
    LoanCreated,
    LoanApproved,
    ApprovalUndone,
    LoanRejected,
    LoanWithdrawn,
    LoanDisbursed,
    DisbursalUndone,
    LoanOpenedFromSnapshot,
    SchedulePublished,
    LoanRestructured,
    RestructureUndone,
    LoanClosed,
    StatusChanged,
    LoanSnapshot,
    PaymentPosted,
    PaymentReversed,
    PaymentAdjusted,
    PaymentChargedBack,
    CreditPosted,
    OverpaymentRefunded,
    RecoveryPosted,
    ChargeAdded,
    ChargeUpdated,
    ChargeWaived,
    ChargeWaiverUndone,
    ChargeDeleted,
    LoanChargedOff,
    ChargeOffUndone,
    LoanWrittenOff,
    WriteOffUndone,
    BranchMoved,
    OfficerChanged,
    OwnerChanged,
    DelinquencyPaused,
    DelinquencyResumed,
    DelinquencyChanged,
    RepaymentDue,
    RepaymentOverdue,
    CollectionAttempted,
    PromiseMade,
    LegalActionStarted,
    CardLimitChanged,
    CardSpent,
    CardStatementIssued,
    BureauScoreReceived,
)

__all__ = [
    "FACTS",
    "ApprovalUndone",
    "BorrowerProfile",
    "BranchMoved",
    "BranchUpdated",
    "BureauScoreReceived",
    "CardLimitChanged",
    "CardSpent",
    "CardStatementIssued",
    "ChargeAdded",
    "ChargeBasis",
    "ChargeDeleted",
    "ChargeOffUndone",
    "ChargeUpdated",
    "ChargeWaived",
    "ChargeWaiverUndone",
    "CollectionAttempted",
    "CreditKind",
    "CreditPosted",
    "DayClosed",
    "DelinquencyChanged",
    "DelinquencyPaused",
    "DelinquencyResumed",
    "DisbursalUndone",
    "Fact",
    "LegalActionStarted",
    "LoanApproved",
    "LoanChargedOff",
    "LoanClosed",
    "LoanCreated",
    "LoanDisbursed",
    "LoanEvent",
    "LoanOpenedFromSnapshot",
    "LoanRejected",
    "LoanRestructured",
    "LoanSnapshot",
    "LoanWithdrawn",
    "LoanWrittenOff",
    "OfficerChanged",
    "OverpaymentRefunded",
    "OwnerChanged",
    "PaymentAdjusted",
    "PaymentChargedBack",
    "PaymentKind",
    "PaymentPosted",
    "PaymentReversed",
    "Period",
    "PeriodKind",
    "Portions",
    "PromiseMade",
    "RecoveryPosted",
    "Relation",
    "RelationKind",
    "RepaymentDue",
    "RepaymentOverdue",
    "RestructureKind",
    "RestructureUndone",
    "ScheduleKind",
    "SchedulePublished",
    "StatusChanged",
    "Value",
    "WriteOffUndone",
    "wire_name",
]
