"""Rows for COPY: a changed loan or a ledger entry in the order of its table's columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from operator import attrgetter
from typing import Any

from ingest.directory import PostgresDirectory
from ingest.records import ChangedLoan, LedgerRow, RollupCell, RollupMeasures, StoredLoan
from ingest.rollups import Keys, rollup_status
from loanbook.domain.loan import FOLD_VERSION, Amounts, Loan
from loanbook.postgres.ledger import TYPE_KEYS

STATE_COLUMNS = (
    "slice", "loan_key", "currency_key", "branch_key", "product_key", "officer_key",
    "as_of", "version", "fold_version", "unapplied_minor", "last_effective_on", "last_recorded_at",
    "last_business_on", "last_sequence", "named_ids", "is_plain", "days_late",
    "unapplied", "quarantine", "status", "bucket", "estimated",
    "first_payment_default", "disbursed_minor", "scheduled_minor", "principal_outstanding_minor",
    "total_outstanding_minor", "overdue_minor", "overdue_principal_minor", "due_to_date_minor",
    "paid_minor", "overpaid_minor", "written_off_minor", "recovered_minor", "next_due_minor",
    "last_payment_minor", "cohort_on", "first_due_on", "past_due_on", "next_due_on",
    "next_boundary_on", "last_payment_on", "closed_on", "charged_off_on", "restructured_on",
    "missed_12m", "on_time_streak", "decided", "days_late_sum", "recent_days_late", "max_dpd",
    "returned_payments",
)  # fmt: skip
PLAN_COLUMNS = (
    "slice", "loan_key", "schedule_version", "due_on", "kind", "met_on",
    "principal_due", "interest_due", "fee_due", "penalty_due",
    "principal_paid", "interest_paid", "fee_paid", "penalty_paid", "waived",
)  # fmt: skip

STATE_FIGURES = (
    "status", "bucket", "estimated", "first_payment_default", "disbursed", "scheduled",
    "principal_outstanding", "total_outstanding", "overdue", "overdue_principal", "due_to_date",
    "paid", "overpaid", "written_off", "recovered", "next_due", "last_payment", "disbursed_on",
    "first_due_on", "past_due_on", "next_due_on", "next_boundary_on", "last_payment_on", "closed_on",
    "charged_off_on", "restructured_on", "missed_12m", "on_time_streak", "decided", "days_late_sum",
    "recent_days_late", "max_dpd", "returned_payments",
)  # fmt: skip
"""Attributes of Loan in the order of the last columns of core.loan_state."""

_state_figures = attrgetter(*STATE_FIGURES)
_MET_ON, _PAID = PLAN_COLUMNS.index("met_on"), PLAN_COLUMNS.index("principal_paid")
_NO_ORDER = (None, None, 0, None)


def event_row(row: LedgerRow, *, is_copy: bool = False) -> tuple[Any, ...]:
    """Row of core.event in the order of insert_events.sql; known_on is the book's business day."""
    event, fact, record = row.event, row.event.fact, row.record
    return (
        *row.ref, row.source_key, event.event_id, TYPE_KEYS[fact.TYPE], fact.effective_on,
        fact.business_on, row.book.business_on, event.recorded_at, event.sequence,
        getattr(fact, "amount_minor", None), fact.entity_id, fact.entity_version, is_copy,
        row.data, record.partition.partition, record.offset,
    )  # fmt: skip


def stored_loan(row: Mapping[str, Any]) -> StoredLoan:
    """A row of core.loan_state: what the roll-ups hold of this loan."""
    status = rollup_status(row["status"], charged_off=row["charged_off"])
    return StoredLoan(
        version=row["version"],
        as_of=row["as_of"],
        quarantined=bool(row["quarantined"]),
        cell=RollupCell(
            row["book_key"], row["currency_key"], row["branch_key"], row["product_key"], row["bucket"],
            status,
        ),
        measures=RollupMeasures(
            1, row["disbursed_minor"], row["paid_minor"], row["principal_outstanding_minor"],
            row["total_outstanding_minor"], row["overdue_minor"], row["overdue_principal_minor"],
            int(row["estimated"]),
        ),
        past_due_on=row["past_due_on"],
        is_plain=bool(row["is_plain"]),
    )  # fmt: skip


def keys_of(changed: ChangedLoan, directory: PostgresDirectory) -> Keys:
    """Surrogate keys of the dimensions the loan stands in now."""
    loan, book_key = changed.after, changed.book_key
    return Keys(
        directory.currency_key(loan.currency),
        directory.branch_key(book_key, loan.branch),
        directory.product_key(book_key, loan.product),
    )


def keys_before(changed: ChangedLoan) -> Keys:
    """The dimensions it stood in as stored."""
    cell = changed.stored.cell
    return Keys(cell.currency_key, cell.branch_key, cell.product_key)


def state_row(changed: ChangedLoan, directory: PostgresDirectory) -> tuple[Any, ...]:
    """Row of core.loan_state."""
    loan = changed.after
    effective_on, business_on, sequence, recorded_at = (loan.last_order or _NO_ORDER)[:4]
    return (
        *changed.ref, *keys_of(changed, directory), directory.officer_key(changed.book_key, loan.officer),
        loan.as_of, changed.version, FOLD_VERSION, sum(event.amount for event in loan.unapplied),
        effective_on, recorded_at, business_on, sequence, list(loan.named) or None, bool(loan.plain_plan),
        _days_late(loan), len(loan.unapplied), changed.quarantine,
        *_state_figures(loan),
    )  # fmt: skip


def plan_changed(changed: ChangedLoan) -> bool:
    """Whether the plan differs from what is stored, or is kept in the other form now."""
    before, after = changed.before, changed.after
    if changed.is_whole or before is None or changed.stored.is_plain != bool(after.plain_plan):
        return True
    # Two versions of a schedule may have the same installments.
    return before.schedule_version != after.schedule_version or before.installments != after.installments


def plan_row(changed: ChangedLoan) -> tuple[Any, ...]:
    """Row of core.loan_plan; an array that holds nothing but zeros is stored empty."""
    parts = changed.after.installments
    return (
        *changed.ref,
        changed.after.schedule_version,
        [part.due_on for part in parts],
        [str(part.kind) for part in parts],
        [part.met_on for part in parts],
        *_by_component([part.due for part in parts]),
        *_by_component([part.paid for part in parts]),
        _thin([part.waived.total for part in parts]),
    )


def stored_plan_row(changed: ChangedLoan) -> tuple[Any, ...]:
    """Row of core.loan_plan as it is kept: of a plain loan what is paid follows from its state."""
    row = plan_row(changed)
    if changed.after.plain_plan:
        row = (*row[:_MET_ON], [], *row[_MET_ON + 1 : _PAID], [], [], [], [], row[-1])
    return row


def loan_facts(loan: Loan | None) -> tuple[str | None, date | None, int | None, int | None]:
    """What core.loan keeps beside the id."""
    if loan is None:
        return (None, None, None, None)
    return (loan.borrower_id, loan.disbursed_on, loan.annual_rate_bps, loan.term_days)


def _by_component(amounts: Sequence[Amounts]) -> tuple[list[int], list[int], list[int], list[int]]:
    return (
        _thin([amount.principal for amount in amounts]),
        _thin([amount.interest for amount in amounts]),
        _thin([amount.fee for amount in amounts]),
        _thin([amount.penalty for amount in amounts]),
    )


def _thin(values: list[int]) -> list[int]:
    return values if any(values) else []


def _days_late(loan: Loan) -> list[int]:
    """Of a plain loan's installments that are met; the others' follow from core.loan_plan."""
    if not loan.plain_plan:
        return []
    return [(part.met_on - part.due_on).days for part in loan.installments if part.met_on is not None]
