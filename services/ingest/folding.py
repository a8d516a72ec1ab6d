"""One loan folded again from its events: the general way, which is the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ingest.plain import Rules
from ingest.records import Book, ChangedLoan, LoanRef, StoredLoan
from loanbook.domain.events import LoanCreated, LoanEvent, LoanOpenedFromSnapshot
from loanbook.domain.loan import Loan, fold
from loanbook.domain.settings import ProductSettings
from loanbook.postgres.ledger import TYPE_KEYS


class Directory(Rules, Protocol):
    """Names to surrogate keys; complete for a batch once `prepare` has run."""

    def source_key(self, uri: str) -> int:
        """Key of an event source."""

    def settings(self, book_key: int, product: str | None) -> ProductSettings:
        """The product's rules, or the defaults."""

    def counts(self, book_key: int, type_key: int, source: str) -> bool:
        """Whether this source has the word on this event type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A loan to fold: its row as locked, all its events, and those among them that are new."""

    ref: LoanRef
    loan_id: str
    stored: StoredLoan
    events: list[LoanEvent]
    fresh: Sequence[LoanEvent] = ()


def change(subject: Subject, book: Book, before: Loan | None, directory: Directory) -> ChangedLoan:
    """Fold a loan at its book's day; `before` is worked out again unless the cache still has it."""
    fault = None
    if before is None and subject.stored.version and not subject.stored.quarantined:
        fresh = {(event.source, event.event_id) for event in subject.fresh}
        older = [event for event in subject.events if (event.source, event.event_id) not in fresh]
        before, fault = refold(subject, replace(book, business_on=subject.stored.as_of), older, directory)
    earlier = before if not subject.fresh and fault is None else None
    after, quarantine = refold(subject, book, subject.events, directory, earlier=earlier)
    return ChangedLoan(
        ref=subject.ref,
        book_key=book.book_key,
        stored=subject.stored,
        before=before,
        after=after,
        events=subject.events,
        quarantine=quarantine,
    )


def refold(
    subject: Subject,
    book: Book,
    events: Sequence[LoanEvent],
    directory: Directory,
    *,
    earlier: Loan | None = None,
) -> tuple[Loan, str | None]:
    """Fold a loan's events at the book's business day; a fault quarantines this loan alone."""
    counting = counted(events, book, directory)
    product = product_of(counting)
    settings = directory.settings(book.book_key, product)
    try:
        loan = fold(book.book, subject.loan_id, counting, settings, book.business_on, earlier=earlier)
    except Exception as error:  # noqa: BLE001 - one loan's fault must not stop the others; it is shown
        reason = f"{type(error).__name__}: {error}"[:500]
        return Loan(book=book.book, loan_id=subject.loan_id, as_of=book.business_on), reason
    # The short cut finds the settings by the product the loan has now.
    return loan if loan.product == product else replace(loan, plain_plan=b""), None


def counted(events: Iterable[LoanEvent], book: Book, directory: Directory) -> list[LoanEvent]:
    """The events whose source has the word on what they say."""
    return [
        event for event in events if directory.counts(book.book_key, TYPE_KEYS[event.fact.TYPE], event.source)
    ]


def product_of(events: Iterable[LoanEvent]) -> str | None:
    """The product that the loan was opened with, whichever event came first."""
    opened = [e for e in events if isinstance(e.fact, LoanCreated | LoanOpenedFromSnapshot)]
    if not opened:
        return None
    fact = min(opened, key=lambda event: event.order).fact
    return fact.product if isinstance(fact, LoanCreated | LoanOpenedFromSnapshot) else None
