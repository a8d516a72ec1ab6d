"""Shapes a loan folded at a past day into the answer that the live loan has."""

from __future__ import annotations

from datetime import date
from typing import Any

from analytics_api.errors import ConflictError, FieldError, NotFoundError
from analytics_api.flow.figures import BUCKET_NAMES, CHARGED_OFF, STATUS_NAMES
from analytics_api.flow.past import Known, PastLoan, past_loan
from analytics_api.flow.stories import (
    LedgerOfLoan,
    charges_of,
    installments_of,
    ledger_event,
    pauses_of,
    product_settings,
    transactions_of,
)
from analytics_api.routes.wiring import data_age
from analytics_api.schemas.loans import LoanDetail, LoanFacts, NextDue, Unapplied
from analytics_api.schemas.parts import money, money_or_none
from analytics_api.store import Reading, Row
from loanbook.domain.loan import Loan, LoanStatus

_NO_CURRENCY = "XXX"
# Fields that are named alike in the state and in the answer.
_SAME = (
    "first_payment_default", "disbursed_on", "annual_rate_bps", "term_days", "past_due_on", "estimated",
    "last_payment_on", "closed_on", "charged_off_on", "restructured_on", "missed_12m", "on_time_streak",
    "returned_payments", "days_past_due", "delinquent_days",
)  # fmt: skip
_MONEY = (
    "disbursed", "scheduled", "due_to_date", "paid", "principal_outstanding", "total_outstanding", "overdue",
    "overdue_principal", "overpaid", "written_off", "recovered",
)  # fmt: skip


async def past_loan_detail(reading: Reading, row: Row, as_of: date, known: Known) -> LoanDetail:
    """One loan at a past day, by what one of the three views knew; no score, no alerts."""
    _refuse_quarantined(row)
    ledger = await reading.fetch_loan_events(row["slice"], row["loan_key"])
    story = LedgerOfLoan(
        book=row["book"],
        loan_id=row["loan_id"],
        rows=ledger,
        authorities=await reading.fetch_authorities(row["book_key"]),
        settings=product_settings(row["product_settings"]),
    )
    past = past_loan(story, as_of, known)
    if past is None:
        raise NotFoundError.of(
            "as_of", f"nothing had happened to {row['loan_id']!r} by {as_of}, known {known}"
        )
    return LoanDetail(
        **await _places(reading, row["book_key"], past.loan),
        **_story(past, story),
        known=known,
        data=await data_age(reading, row["book"]),
    )


def _refuse_quarantined(row: Row) -> None:
    if row["quarantine"] is not None:
        reason = f"the loan is quarantined: {row['quarantine']}"
        raise ConflictError(reason, errors=[FieldError(field="loan_id", reason=reason)])


async def _places(reading: Reading, book_key: int, loan: Loan) -> dict[str, Any]:
    region = await reading.fetch_region(book_key, loan.branch) if loan.branch else None
    return {
        "region": region or "unknown",
        **{name: getattr(loan, name) or "unknown" for name in ("branch", "product", "officer")},
    }


def _story(past: PastLoan, ledger: LedgerOfLoan) -> dict[str, Any]:
    loan, shown = past.loan, past.loan.currency or _NO_CURRENCY
    return {
        **{name: getattr(loan, name) for name in ("book", "loan_id", "borrower_id", "currency", "as_of")},
        **dict.fromkeys(("state_version", "changed_at", "quarantine", "score")),
        "live": False,
        "alerts": [],
        "facts": facts_of(loan),
        "installments": installments_of(loan, shown),
        "transactions": transactions_of(loan, shown),
        "charges": charges_of(loan, shown),
        "pauses": pauses_of(loan),
        "events": [ledger_event(row, ledger.authorities, loan.currency) for row in past.shown_rows()],
        "unapplied": [
            Unapplied(
                event_id=item.event_id, reason=item.reason, amount=money_or_none(item.amount, loan.currency)
            )
            for item in past.unapplied
        ],
    }


def facts_of(loan: Loan) -> LoanFacts:
    """A folded state as the stored one is shown."""
    currency = loan.currency
    charged_off = loan.status == LoanStatus.ACTIVE and loan.charged_off_on is not None
    return LoanFacts(
        status=STATUS_NAMES[CHARGED_OFF if charged_off else loan.status],
        bucket=BUCKET_NAMES[loan.bucket],
        max_days_past_due=loan.max_dpd,
        next_due=_next_due(loan),
        last_payment=money_or_none(loan.last_payment, currency) if loan.last_payment_on else None,
        **{name: getattr(loan, name) for name in _SAME},
        **_amounts(loan),
    )


def _amounts(loan: Loan) -> dict[str, Any]:
    return {name: money_or_none(getattr(loan, name), loan.currency) for name in _MONEY}


def _next_due(loan: Loan) -> NextDue | None:
    if loan.next_due_on is None:
        return None
    return NextDue(due_on=loan.next_due_on, amount=money(loan.next_due, loan.currency or _NO_CURRENCY))
