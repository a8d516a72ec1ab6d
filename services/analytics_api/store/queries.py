"""What can be asked of the store: parts of a book, pages of loans and alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


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
class BookPart:
    """A part of a book in one currency."""

    book_key: int
    currency_key: int
    selection: Selection

    def keys(self) -> tuple[int | Sequence[str] | None, ...]:
        """As the queries take it: $1 to $5."""
        return (self.book_key, self.currency_key, *self.selection.keys())


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
