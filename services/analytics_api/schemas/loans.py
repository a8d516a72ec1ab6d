"""Answers about loans: the list, and one loan with its whole story."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from analytics_api.schemas.alerts import Alert
from analytics_api.schemas.parts import DatedSchema, Days, Money, Page, Schema
from analytics_api.schemas.portfolio import BucketName

StatusName = Literal["pending", "active", "overpaid", "closed", "written_off", "cancelled", "charged_off"]
KnownName = Literal["now", "then", "booked"]
BandName = Literal["LOW", "WATCH", "HIGH", "CRITICAL"]
SortName = Literal[
    "loan_id",
    "branch",
    "product",
    "status",
    "days_past_due",
    "disbursed",
    "disbursed_on",
    "paid",
    "principal_outstanding",
    "total_outstanding",
    "overdue",
    "next_due_on",
    "last_payment_on",
    "risk_score",
    "default_probability",
    "expected_loss",
]
Probability = Annotated[float, Field(ge=0, le=1)]


class NextDue(Schema):
    """The first unpaid installment due today or later."""

    due_on: date
    amount: Money | None


class LoanRow(Schema):
    """One line of the list."""

    loan_id: str
    region: str
    branch: str
    product: str
    status: StatusName
    bucket: BucketName
    days_past_due: Days
    disbursed_on: date | None
    disbursed: Money | None
    paid: Money | None
    principal_outstanding: Money | None
    estimated: Annotated[bool, Field(description="The principal is pro rata.")]
    total_outstanding: Money | None
    overdue: Money | None
    next_due: NextDue | None
    last_payment_on: date | None
    unapplied: Money | None
    risk_score: Annotated[int | None, Field(description="0 to 100, high is bad.")]
    risk_band: BandName | None
    default_probability: Probability | None
    expected_loss: Money | None
    strategy: str | None
    quarantined: Annotated[bool, Field(description="Its events could not be folded; figures stand still.")]
    as_of: date


class LoanList(DatedSchema):
    """A page of loans."""

    book: str
    as_of: date
    listed_at: Annotated[
        datetime, Field(description="Of this moment are order and total; what is told of each loan is live.")
    ]
    sort: SortName
    order: Literal["asc", "desc"]
    page: Page
    items: list[LoanRow]


class Components(Schema):
    """An amount by component of the debt."""

    principal: Money
    interest: Money
    fee: Money
    penalty: Money


class Installment(Schema):
    """One scheduled part payment."""

    number: int
    kind: str
    from_on: Annotated[date | None, Field(description="The period's first day, where the schedule says it.")]
    due_on: date
    due: Money
    due_by_component: Components
    added_back: Annotated[
        Components, Field(description="Part of what is due: what chargebacks and refunds made a debt again.")
    ]
    paid: Money
    paid_in_advance: Annotated[Money, Field(description="Of what is paid: before the due day.")]
    paid_late: Annotated[Money, Field(description="Of what is paid: after the due day.")]
    waived: Money
    outstanding: Money
    met_on: date | None
    state: Literal["upcoming", "due", "partial", "overdue", "paid", "paid_late"]
    days_late: Annotated[int, Field(ge=0, description="Until met, else until the business day.")]


class Transaction(Schema):
    """One money movement as it counts now."""

    event_id: str
    entity_id: str | None
    type: str
    effective_on: date
    amount: Money
    portions: Components
    portions_estimated: Annotated[bool, Field(description="Our own allocation; the feed gave none.")]
    overpayment: Money
    reversed: bool
    principal_outstanding_after: Money


class Charge(Schema):
    """One fee or penalty, part of what is due on its installment."""

    charge_id: str
    name: str | None
    is_penalty: bool
    due_on: date
    amount: Money
    paid: Money
    waived: Money
    outstanding: Money


class Pause(Schema):
    """Days that do not count for the class of lateness, both ends included."""

    start_on: date
    end_on: date


class LedgerEvent(Schema):
    """One event as it was received, with its three dates."""

    event_id: str
    source: str
    type: str
    effective_on: Annotated[date, Field(description="Counts from this day.")]
    business_on: Annotated[date, Field(description="Upstream's business day when it was booked.")]
    known_on: Annotated[date, Field(description="Our business day on receipt.")]
    recorded_at: datetime
    ingested_at: datetime
    amount: Money | None
    entity_id: str | None
    entity_version: int
    is_copy: Annotated[bool, Field(description="The same fact again under a new id; counts once.")]
    counts: bool
    unapplied_reason: str | None


class Reason(Schema):
    """What moved a score, and by how much."""

    code: str | None = None
    points: float | None = None
    text: str
    on: date | None = None


class Score(Schema):
    """The loan's risk score with its reasons."""

    risk_score: Annotated[int, Field(ge=0, le=100, description="High is bad.")]
    risk_band: BandName
    default_probability: Probability
    basis: str
    model: str
    as_of: date
    scored_at: datetime
    behind: Annotated[bool, Field(description="The loan has changed since it was scored.")]
    stage: Annotated[int, Field(description="IFRS 9 stage.")]
    strategy: str
    strategy_reason: str
    exposure: Money | None
    expected_loss: Annotated[Money | None, Field(description="An estimate.")]
    reasons: list[Reason]
    changes: list[Reason]
    contributions: dict[str, Any]


class LoanFacts(Schema):
    """Where the loan stands."""

    status: StatusName
    bucket: BucketName
    days_past_due: Days
    past_due_on: date | None
    delinquent_days: Annotated[
        int | None,
        Field(description="Days past due without pauses, less the grace: what the bucket is made of."),
    ]
    first_payment_default: bool
    disbursed_on: date | None
    annual_rate_bps: int | None
    term_days: int | None
    disbursed: Money | None
    scheduled: Money | None
    due_to_date: Money | None
    paid: Money | None
    principal_outstanding: Money | None
    estimated: bool
    total_outstanding: Money | None
    overdue: Money | None
    overdue_principal: Money | None
    overpaid: Money | None
    written_off: Money | None
    recovered: Money | None
    next_due: NextDue | None
    last_payment_on: date | None
    last_payment: Money | None
    closed_on: date | None
    charged_off_on: date | None
    restructured_on: date | None
    missed_12m: int
    on_time_streak: int
    max_days_past_due: int
    returned_payments: int


class Unapplied(Schema):
    """An event that is kept and does not count."""

    event_id: str
    reason: str
    amount: Money | None


class LoanDetail(DatedSchema):
    """One loan with its whole story."""

    book: str
    loan_id: str
    borrower_id: str | None
    currency: str | None
    region: str
    branch: str
    product: str
    officer: str
    as_of: Annotated[
        date,
        Field(
            description="The day asked for; else the business day, or an earlier one while the loan waits to"
            " be rolled."
        ),
    ]
    live: Annotated[bool, Field(description="The stored state, with score and alerts; else a past day.")]
    known: Annotated[
        KnownName,
        Field(
            description="now: all that is known today; then: what had come by as_of; booked: what upstream"
            " had booked by as_of."
        ),
    ]
    state_version: Annotated[int | None, Field(description="null for a past day.")]
    changed_at: Annotated[datetime | None, Field(description="null for a past day.")]
    quarantine: Annotated[str | None, Field(description="Why the loan's events could not be folded.")]
    facts: LoanFacts
    installments: list[Installment]
    transactions: list[Transaction]
    charges: list[Charge]
    pauses: list[Pause]
    events: list[LedgerEvent]
    unapplied: list[Unapplied]
    score: Annotated[Score | None, Field(description="null for a past day.")]
    alerts: Annotated[list[Alert], Field(description="Empty for a past day.")]
