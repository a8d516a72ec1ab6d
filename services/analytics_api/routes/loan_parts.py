"""Shapes rows about loans into the parts of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analytics_api.flow.figures import BAND_NAMES, BUCKET_NAMES, STATUS_NAMES
from analytics_api.flow.stories import (
    LedgerOfLoan,
    charges_of,
    fold_ledger,
    installments_of,
    ledger_event,
    pauses_of,
    product_settings,
    transactions_of,
)
from analytics_api.routes.alert_parts import alert_of
from analytics_api.routes.wiring import data_age
from analytics_api.schemas.loans import (
    LoanDetail,
    LoanFacts,
    LoanRow,
    NextDue,
    Reason,
    Score,
    Unapplied,
)
from analytics_api.schemas.parts import money_or_none
from analytics_api.store import Reading, Row, decoded
from loanbook.domain.loan import Loan

_NO_CURRENCY = "XXX"
# Fields that are named alike in the row and in the answer.
_SAME = (
    "first_payment_default", "disbursed_on", "annual_rate_bps", "term_days", "past_due_on", "estimated",
    "last_payment_on", "closed_on", "charged_off_on", "restructured_on", "missed_12m", "on_time_streak",
    "returned_payments",
)  # fmt: skip
_MONEY = {
    "disbursed": "disbursed_minor",
    "scheduled": "scheduled_minor",
    "due_to_date": "due_to_date_minor",
    "paid": "paid_minor",
    "principal_outstanding": "principal_outstanding_minor",
    "total_outstanding": "total_outstanding_minor",
    "overdue": "overdue_minor",
    "overdue_principal": "overdue_principal_minor",
    "overpaid": "overpaid_minor",
    "written_off": "written_off_minor",
    "recovered": "recovered_minor",
}
_ROW_MONEY = {
    name: _MONEY[name]
    for name in ("disbursed", "paid", "principal_outstanding", "total_outstanding", "overdue")
}


def loan_row(row: Row) -> LoanRow:
    """One line of the list."""
    currency = row["currency"]
    return LoanRow(
        loan_id=row["loan_id"],
        region=row["region"],
        branch=row["branch"],
        product=row["product"],
        **_class_of(row),
        **_amounts(row, _ROW_MONEY),
        disbursed_on=row["disbursed_on"],
        estimated=row["estimated"],
        next_due=_next_due(row),
        last_payment_on=row["last_payment_on"],
        unapplied=money_or_none(row["unapplied_minor"], currency),
        risk_score=row["risk_score"],
        risk_band=_band(row["band"]),
        default_probability=row["default_probability"],
        expected_loss=money_or_none(row["expected_loss_minor"], currency),
        strategy=row["strategy"],
        quarantined=row["quarantine"] is not None,
        as_of=row["as_of"],
    )


async def loan_detail(reading: Reading, row: Row) -> LoanDetail:
    """One loan; its transactions come from folding its ledger, unless it is quarantined."""
    currency = row["currency"]
    ledger = await reading.fetch_loan_events(row["slice"], row["loan_key"])
    authorities = await reading.fetch_authorities(row["book_key"])
    loan = _folded(row, ledger, authorities)
    # Most have none, and the view of alerts looks into every slice.
    alerts = await reading.fetch_loan_alerts(row["slice"], row["loan_key"]) if row["has_alerts"] else []
    shown = currency or _NO_CURRENCY
    return LoanDetail(
        **{name: row[name] for name in ("book", "loan_id", "borrower_id", "currency", "region", "branch")},
        **{name: row[name] for name in ("product", "officer", "as_of", "changed_at", "quarantine")},
        live=True,
        known="now",
        state_version=row["version"],
        facts=_facts(row, loan),
        installments=installments_of(loan, shown) if loan else [],
        transactions=transactions_of(loan, shown) if loan else [],
        charges=charges_of(loan, shown) if loan else [],
        pauses=pauses_of(loan) if loan else [],
        events=[ledger_event(event, authorities, currency) for event in ledger],
        unapplied=_unapplied(ledger, currency),
        score=_score(row),
        alerts=[alert_of(alert) for alert in alerts],
        data=await data_age(reading, row["book"]),
    )


def _folded(row: Row, ledger: list[Row], authorities: Mapping[int, int]) -> Loan | None:
    if row["quarantine"] is not None:
        return None
    story = LedgerOfLoan(
        book=row["book"],
        loan_id=row["loan_id"],
        rows=ledger,
        authorities=authorities,
        settings=product_settings(row["product_settings"]),
    )
    return fold_ledger(story, row["as_of"])


def _facts(row: Row, loan: Loan | None) -> LoanFacts:
    return LoanFacts(
        **_class_of(row),
        delinquent_days=loan.delinquent_days if loan else None,
        **{name: row[name] for name in _SAME},
        **_amounts(row, _MONEY),
        next_due=_next_due(row),
        last_payment=None
        if row["last_payment_on"] is None
        else money_or_none(row["last_payment_minor"], row["currency"]),
        max_days_past_due=row["max_dpd"],
    )


def _class_of(row: Row) -> dict[str, Any]:
    return {
        "status": STATUS_NAMES[row["status"]],
        "bucket": BUCKET_NAMES[row["bucket"]],
        "days_past_due": max(0, row["days_past_due"]),
    }


def _amounts(row: Row, names: Mapping[str, str]) -> dict[str, Any]:
    return {name: money_or_none(row[column], row["currency"]) for name, column in names.items()}


def _next_due(row: Row) -> NextDue | None:
    if row["next_due_on"] is None:
        return None
    return NextDue(due_on=row["next_due_on"], amount=money_or_none(row["next_due_minor"], row["currency"]))


def _band(number: int | None) -> Any:  # noqa: ANN401 - one of the schema's words
    return None if number is None else BAND_NAMES[number]


def _unapplied(ledger: list[Row], currency: str | None) -> list[Unapplied]:
    return [
        Unapplied(
            event_id=event["event_id"],
            reason=event["unapplied_reason"],
            amount=money_or_none(event["amount_minor"], currency),
        )
        for event in ledger
        if event["unapplied_reason"] is not None
    ]


def _score(row: Row) -> Score | None:
    if row["risk_score"] is None:
        return None
    currency = row["currency"]
    return Score(
        **{name: row[name] for name in ("risk_score", "default_probability", "basis", "model", "scored_at")},
        **{name: row[name] for name in ("stage", "strategy", "strategy_reason")},
        risk_band=_band(row["band"]),
        as_of=row["score_as_of"],
        behind=row["state_version"] < row["version"],
        exposure=money_or_none(row["exposure_minor"], currency),
        expected_loss=money_or_none(row["expected_loss_minor"], currency),
        reasons=[_reason(item) for item in decoded(row["reasons"])],
        changes=[_reason(item) for item in decoded(row["changes"])],
        contributions=decoded(row["contributions"]),
    )


def _reason(item: Mapping[str, Any]) -> Reason:
    return Reason(
        code=item.get("code"), points=item.get("points"), text=item.get("text", ""), on=item.get("on")
    )
