"""Ledger rows and events: the same event, as a row of core.event and as the domain's class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from loanbook import wire
from loanbook.domain.events import Fact, LoanEvent

# Stored numbers of the event types: append, never renumber.
TYPE_KEYS: dict[str, int] = {
    "loan.created.v1": 1,
    "loan.disbursed.v1": 2,
    "loan.opened_from_snapshot.v1": 3,
    "schedule.published.v1": 4,
    "payment.posted.v1": 5,
    "payment.reversed.v1": 6,
    "loan.closed.v1": 7,
    "loan.branch_moved.v1": 8,
    "loan.approved.v1": 9,
    "loan.approval_undone.v1": 10,
    "loan.rejected.v1": 11,
    "loan.withdrawn.v1": 12,
    "loan.disbursal_undone.v1": 13,
    "loan.restructured.v1": 14,
    "loan.restructure_undone.v1": 15,
    "loan.status_changed.v1": 16,
    "loan.snapshot.v1": 17,
    "payment.adjusted.v1": 18,
    "payment.charged_back.v1": 19,
    "credit.posted.v1": 20,
    "overpayment.refunded.v1": 21,
    "recovery.posted.v1": 22,
    "charge.added.v1": 23,
    "charge.updated.v1": 24,
    "charge.waived.v1": 25,
    "charge.waiver_undone.v1": 26,
    "charge.deleted.v1": 27,
    "loan.charged_off.v1": 28,
    "loan.charge_off_undone.v1": 29,
    "loan.written_off.v1": 30,
    "loan.write_off_undone.v1": 31,
    "loan.officer_changed.v1": 32,
    "loan.owner_changed.v1": 33,
    "delinquency.paused.v1": 34,
    "delinquency.resumed.v1": 35,
    "delinquency.changed.v1": 36,
    "repayment.due.v1": 37,
    "repayment.overdue.v1": 38,
    "collection.attempted.v1": 39,
    "promise.made.v1": 40,
    "legal_action.started.v1": 41,
    "card.limit_changed.v1": 42,
    "card.spent.v1": 43,
    "card.statement_issued.v1": 44,
    "bureau.score_received.v1": 45,
}
TYPE_NAMES = {key: name for name, key in TYPE_KEYS.items()}


def event_from_row(row: Mapping[str, Any], book: str, loan_id: str, source: str) -> LoanEvent:
    """The event of one core.event row, decoded from the bytes it came with."""
    fact = wire.decode_data(TYPE_NAMES[row["type_key"]], row["detail"])
    if not isinstance(fact, Fact):
        msg = f"type {row['type_key']} is no fact about a loan"
        raise TypeError(msg)
    return LoanEvent(
        book=book,
        loan_id=loan_id,
        source=source,
        event_id=row["event_id"],
        recorded_at=row["recorded_at"],
        sequence=row["sequence"],
        known_on=row["known_on"],
        fact=fact,
    )


def events_from_rows(
    rows: Iterable[Mapping[str, Any]], book: str, loan_id: str, sources: Mapping[int, str]
) -> list[LoanEvent]:
    """The events of one loan's rows; `sources` maps source keys to their URIs."""
    return [event_from_row(row, book, loan_id, sources[row["source_key"]]) for row in rows]
