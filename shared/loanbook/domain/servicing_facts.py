"""Facts about the care of a loan: who owns it, pauses, collection, cards, and upstream's own classes."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from loanbook.domain.fact import Fact
from loanbook.domain.money import Minor


class AttributeFact(Fact, frozen=True, kw_only=True):
    """Base of facts that say who or where, never how much is owed."""

    ATTRIBUTES_ONLY: ClassVar[bool] = True


class BranchMoved(AttributeFact, frozen=True, kw_only=True):
    """The loan belongs to another branch from effective_on."""

    TYPE: ClassVar[str] = "loan.branch_moved.v1"

    branch: str


class OfficerChanged(AttributeFact, frozen=True, kw_only=True):
    """Another officer looks after the loan from effective_on."""

    TYPE: ClassVar[str] = "loan.officer_changed.v1"

    officer: str


class OwnerChanged(AttributeFact, frozen=True, kw_only=True):
    """The loan was sold, or bought back."""

    TYPE: ClassVar[str] = "loan.owner_changed.v1"

    owner: str


class DelinquencyPaused(Fact, frozen=True, kw_only=True):
    """Days from start_on (else effective_on) to end_on, both included, do not count for the class."""

    TYPE: ClassVar[str] = "delinquency.paused.v1"

    start_on: date | None = None
    end_on: date


class DelinquencyResumed(Fact, frozen=True, kw_only=True):
    """A running pause ends on effective_on."""

    TYPE: ClassVar[str] = "delinquency.resumed.v1"


class DelinquencyChanged(Fact, frozen=True, kw_only=True):
    """Upstream's own class of lateness, as a check."""

    TYPE: ClassVar[str] = "delinquency.changed.v1"

    range: str
    since_on: date | None = None
    amount_minor: Minor | None = None


class RepaymentDue(Fact, frozen=True, kw_only=True):
    """Upstream's reminder that an installment falls due, as a check."""

    TYPE: ClassVar[str] = "repayment.due.v1"

    installment_number: int
    due_on: date
    amount_minor: Minor


class RepaymentOverdue(Fact, frozen=True, kw_only=True):
    """Upstream's notice that an installment is overdue, as a check."""

    TYPE: ClassVar[str] = "repayment.overdue.v1"

    installment_number: int
    due_on: date
    amount_minor: Minor


class CollectionAttempted(AttributeFact, frozen=True, kw_only=True):
    """Somebody tried to reach the borrower."""

    TYPE: ClassVar[str] = "collection.attempted.v1"

    method: str
    outcome: str | None = None
    agent: str | None = None


class PromiseMade(AttributeFact, frozen=True, kw_only=True):
    """The borrower promised to pay."""

    TYPE: ClassVar[str] = "promise.made.v1"

    promised_on: date
    amount_minor: Minor
    agent: str | None = None


class LegalActionStarted(AttributeFact, frozen=True, kw_only=True):
    """The claim went to court or to a lawyer."""

    TYPE: ClassVar[str] = "legal_action.started.v1"

    agent: str | None = None
    reference: str | None = None


class CardLimitChanged(AttributeFact, frozen=True, kw_only=True):
    """A card account has another limit."""

    TYPE: ClassVar[str] = "card.limit_changed.v1"

    card_id: str
    limit_minor: Minor


class CardSpent(AttributeFact, frozen=True, kw_only=True):
    """Money was spent with a card."""

    TYPE: ClassVar[str] = "card.spent.v1"

    card_id: str
    amount_minor: Minor
    category: str | None = None


class CardStatementIssued(AttributeFact, frozen=True, kw_only=True):
    """A card's month was closed."""

    TYPE: ClassVar[str] = "card.statement_issued.v1"

    card_id: str
    balance_minor: Minor
    minimum_minor: Minor
    due_on: date


class BureauScoreReceived(AttributeFact, frozen=True, kw_only=True):
    """An external score of the borrower, on the provider's own scale, as asked for this loan."""

    TYPE: ClassVar[str] = "bureau.score_received.v1"

    provider: str
    score: int
    scale: str | None = None
