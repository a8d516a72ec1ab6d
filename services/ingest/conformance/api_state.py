"""The state of a loan as the API shows it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from ingest.conformance.case_schedule import cents
from ingest.conformance.planning import day_of
from loanbook.domain.state import Amounts, ChargeState, InstallmentState, Loan, LoanStatus, TransactionState


def loan_of_answer(answer: Mapping[str, Any]) -> Loan:
    """The loan in an answer of `GET /v1/loans/{loan_id}`, as far as expectations ask for it."""
    facts = answer["facts"]
    next_due = facts["next_due"]
    return Loan(
        book=answer["book"],
        loan_id=answer["loan_id"],
        as_of=date.fromisoformat(answer["as_of"]),
        currency=answer["currency"],
        status=_status(facts["status"]),
        installments=tuple(_installment(row) for row in answer["installments"]),
        transactions=tuple(_transaction(row) for row in answer["transactions"]),
        charges=tuple(_charge(row) for row in answer["charges"]),
        pauses=tuple(
            (date.fromisoformat(row["start_on"]), date.fromisoformat(row["end_on"]))
            for row in answer["pauses"]
        ),
        total_outstanding=_minor(facts["total_outstanding"]),
        overdue=_minor(facts["overdue"]),
        overpaid=_minor(facts["overpaid"]),
        past_due_on=day_of(facts["past_due_on"]),
        delinquent_days=facts["delinquent_days"] or 0,
        next_due_on=day_of(next_due["due_on"]) if next_due else None,
        last_payment_on=day_of(facts["last_payment_on"]),
        last_payment=_minor(facts["last_payment"]),
        disbursed_on=day_of(facts["disbursed_on"]),
        closed_on=day_of(facts["closed_on"]),
        charged_off_on=day_of(facts["charged_off_on"]),
    )


def _status(name: str) -> LoanStatus:
    return LoanStatus.ACTIVE if name == "charged_off" else LoanStatus[name.upper()]


def _installment(row: Mapping[str, Any]) -> InstallmentState:
    return InstallmentState(
        number=row["number"],
        kind=row["kind"],
        from_on=day_of(row["from_on"]),
        due_on=date.fromisoformat(row["due_on"]),
        due=_amounts(row["due_by_component"]),
        paid=Amounts(principal=_minor(row["paid"])),  # only sums of it are compared
        waived=Amounts(principal=_minor(row["waived"])),
        paid_in_advance=_minor(row["paid_in_advance"]),
        paid_late=_minor(row["paid_late"]),
        met_on=day_of(row["met_on"]),
        added_back=_amounts(row["added_back"]),
    )


def _charge(row: Mapping[str, Any]) -> ChargeState:
    return ChargeState(
        charge_id=row["charge_id"],
        name=row["name"],
        is_penalty=row["is_penalty"],
        due_on=date.fromisoformat(row["due_on"]),
        amount=_minor(row["amount"]),
        paid=_minor(row["paid"]),
        waived=_minor(row["waived"]),
    )


def _transaction(row: Mapping[str, Any]) -> TransactionState:
    return TransactionState(
        event_id=row["event_id"],
        entity_id=row["entity_id"],
        type=row["type"],
        effective_on=date.fromisoformat(row["effective_on"]),
        amount=_minor(row["amount"]),
        portions=_amounts(row["portions"]),
        overpayment=_minor(row["overpayment"]),
        reversed=row["reversed"],
        estimated=row["portions_estimated"],
        principal_outstanding_after=_minor(row["principal_outstanding_after"]),
    )


def _amounts(parts: Mapping[str, Any]) -> Amounts:
    return Amounts(**{name: _minor(parts[name]) for name in ("principal", "interest", "fee", "penalty")})


def _minor(money: Mapping[str, str] | None) -> int:
    return cents(money["amount"]) if money else 0
