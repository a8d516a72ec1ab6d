"""What can be asked of the store: parts of a book, pages of loans and alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

# What a list of loans can be sorted by; the text goes into the query.
LOAN_SORT_COLUMNS = {
    "loan_id": "l.loan_id",
    "branch": "br.branch",
    "product": "p.product",
    "status": "s.status",
    "days_past_due": "coalesce($2::date - s.past_due_on, 0)",
    "disbursed": "s.disbursed_minor",
    "disbursed_on": "l.disbursed_on",
    "paid": "s.paid_minor",
    "principal_outstanding": "s.principal_outstanding_minor",
    "total_outstanding": "s.total_outstanding_minor",
    "overdue": "s.overdue_minor",
    "next_due_on": "s.next_due_on",
    "last_payment_on": "s.last_payment_on",
    "risk_score": "r.risk_score",
    "default_probability": "r.default_probability",
    "expected_loss": "r.expected_loss_minor",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which part of a book; None is all of it."""

    regions: Sequence[str] | None = None
    branches: Sequence[str] | None = None
    products: Sequence[str] | None = None

    def keys(self) -> tuple[Sequence[str] | None, ...]:
        """As the queries take it: regions, branches, products."""
        return (self.regions, self.branches, self.products)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanQuery:
    """Which loans, in which order, and which page of them."""

    book_key: int
    business_on: date
    currency_key: int | None = None
    selection: Selection = Selection()
    statuses: Sequence[int] | None = None
    buckets: Sequence[int] | None = None
    bands: Sequence[int] | None = None
    days_past_due_min: int | None = None
    days_past_due_max: int | None = None
    overdue_only: bool = False
    sort: str = "days_past_due"
    descending: bool = True
    limit: int = 50
    offset: int = 0

    @property
    def cells_know(self) -> bool:
        """Whether the live roll-up has all that is filtered by."""
        return not self.overdue_only and not any(
            limit is not None for limit in (self.bands, self.days_past_due_min, self.days_past_due_max)
        )

    def filters(self) -> tuple[object, ...]:
        """As the queries take them: $1 to $12."""
        return (
            self.book_key,
            self.business_on,
            self.currency_key,
            *self.selection.keys(),
            self.statuses,
            self.buckets,
            self.bands,
            self.days_past_due_min,
            self.days_past_due_max,
            self.overdue_only,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertQuery:
    """Which alert episodes, and which page of them."""

    book: str | None = None
    open_only: bool = True
    rule: str | None = None
    severity_min: int | None = None
    branch: str | None = None
    loan_id: str | None = None
    baseline: bool = False
    limit: int = 50
    offset: int = 0
