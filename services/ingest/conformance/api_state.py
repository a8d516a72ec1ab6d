"""The state of a loan as the API shows it, and what of an expectation it does not show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from ingest.conformance.case_schedule import cents
from ingest.conformance.planning import day_of
from loanbook.domain.events import DelinquencyPaused
from loanbook.domain.state import Amounts, InstallmentState, Loan, LoanStatus, TransactionState

_NOWHERE = {"charges", "delinquency_actions", "delinquency_pause_periods"}
# Column of an expectation -> field of the answer's installments that it needs.
_INSTALLMENT_FIELDS = {"days": "from_on", "paid_in_advance": "paid_in_advance", "paid_late": "paid_late"}
_CLASS_FIELDS = {"classification", "delinquent_days"}  # both need the days of the class
_ADDING_BACK = {"payment.charged_back.v1", "overpayment.refunded.v1"}
_PAUSED = DelinquencyPaused.TYPE


def loan_of_answer(answer: Mapping[str, Any]) -> Loan:
    """The loan in an answer of `GET /v1/loans/{loan_id}`; what it does not show is as in an empty loan."""
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
        total_outstanding=_minor(facts["total_outstanding"]),
        overdue=_minor(facts["overdue"]),
        overpaid=_minor(facts["overpaid"]),
        past_due_on=day_of(facts["past_due_on"]),
        delinquent_days=facts.get("delinquent_days", 0),
        next_due_on=day_of(next_due["due_on"]) if next_due else None,
        last_payment_on=day_of(facts["last_payment_on"]),
        last_payment=_minor(facts["last_payment"]),
        disbursed_on=day_of(facts["disbursed_on"]),
        closed_on=day_of(facts["closed_on"]),
        charged_off_on=day_of(facts["charged_off_on"]),
    )


def shown_part(step: Mapping[str, Any], answer: Mapping[str, Any]) -> tuple[dict[str, Any] | None, list[str]]:
    """The part of an expectation that an answer can be held to, and the names of what is left out."""
    missing = _not_shown(step, answer)
    names = [f"{step['expect']}.{name}" if name else step["expect"] for name in missing]
    if "" in missing:
        return None, names
    part = dict(step)
    if "values" in step:
        part["values"] = {name: value for name, value in step["values"].items() if name not in missing}
        return (part if part["values"] else None), names
    if missing:
        kept = [at for at, name in enumerate(step["columns"]) if name not in missing]
        part["columns"] = [step["columns"][at] for at in kept]
        part["rows"] = [[row[at] for at in kept] for row in step["rows"]]
    return part, names


def _not_shown(step: Mapping[str, Any], answer: Mapping[str, Any]) -> list[str]:
    """Names of columns or values; an empty name stands for the whole expectation."""
    expect = step["expect"]
    if expect in _NOWHERE:
        return [""]
    if expect == "installment_delinquency":
        return [""] if any(event["type"] == _PAUSED for event in answer["events"]) else []
    asked = set(step.get("columns", ())) | set(step.get("values", ()))
    missing: set[str] = set()
    if expect in {"schedule", "schedule_totals"}:
        shown = set().union(*answer["installments"])
        missing = {name for name, needed in _INSTALLMENT_FIELDS.items() if needed not in shown}
        adds_back = any(row["type"] in _ADDING_BACK for row in answer["transactions"])
        if expect == "schedule" and adds_back and "added_back" not in shown:
            missing.add("balance")
    elif expect == "loan_delinquency" and "delinquent_days" not in answer["facts"]:
        missing = set(_CLASS_FIELDS)
    return sorted(missing & asked)


def _status(name: str) -> LoanStatus:
    return LoanStatus.ACTIVE if name == "charged_off" else LoanStatus[name.upper()]


def _installment(row: Mapping[str, Any]) -> InstallmentState:
    return InstallmentState(
        number=row["number"],
        kind=row["kind"],
        from_on=day_of(row.get("from_on")),
        due_on=date.fromisoformat(row["due_on"]),
        due=_amounts(row["due_by_component"]),
        paid=Amounts(principal=_minor(row["paid"])),  # only sums of it are compared
        waived=Amounts(principal=_minor(row["waived"])),
        paid_in_advance=_minor(row.get("paid_in_advance")),
        paid_late=_minor(row.get("paid_late")),
        met_on=day_of(row["met_on"]),
        added_back=_amounts(row["added_back"]) if "added_back" in row else Amounts(),
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
