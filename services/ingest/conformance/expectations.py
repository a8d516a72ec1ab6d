"""What a case expects, held against the state: each check gives what differs; None where we claim nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ingest.conformance import expect_lateness, expect_tables
from ingest.conformance.actions import CaseEvents
from ingest.conformance.expect_tables import SETTLING, TYPES, Pairs, cents_text, money
from loanbook.domain.loan import Loan, LoanStatus

SCHEDULE = {"schedule", "schedule_totals"}
STATUSES = {
    # A loan whose disbursal was undone is cancelled for us: the source has it approved, or pending again.
    "SUBMITTED_AND_PENDING_APPROVAL": {LoanStatus.PENDING, LoanStatus.CANCELLED},
    "APPROVED": {LoanStatus.PENDING, LoanStatus.CANCELLED},
    "ACTIVE": {LoanStatus.ACTIVE},
    "OVERPAID": {LoanStatus.OVERPAID},
    "CLOSED_OBLIGATIONS_MET": {LoanStatus.CLOSED},
    "CLOSED_WRITTEN_OFF": {LoanStatus.WRITTEN_OFF},
    "REJECTED": {LoanStatus.CANCELLED},
    "WITHDRAWN_BY_CLIENT": {LoanStatus.CANCELLED},
}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One value that is not what the case expects."""

    step: int
    expected: str
    got: str


Checker = Callable[[Mapping[str, Any], CaseEvents, Loan], Pairs]


def check(step: Mapping[str, Any], case: CaseEvents, loan: Loan) -> list[Difference] | None:
    """Hold a state of the case's loan to one expectation."""
    checker = _CHECKERS.get(step["expect"])
    if checker is None:
        return None
    found = checker(step, case, loan)
    return [
        Difference(step=step["n"], expected=f"{step['expect']}: {want}", got=got)
        for want, got in found
        if want != got
    ]


def _value(read: Callable[[Loan], Any], show: Callable[[Any], str] = str) -> Checker:
    def checker(step: Mapping[str, Any], _: CaseEvents, loan: Loan) -> Pairs:
        wanted = step["value"]
        return [(money(wanted) if show is cents_text else str(wanted), show(read(loan)))]

    return checker


def _status(step: Mapping[str, Any], _: CaseEvents, loan: Loan) -> Pairs:
    good = loan.status in STATUSES.get(step["value"], set())
    return [(step["value"], step["value"] if good else loan.status.name)]


def _reverted(step: Mapping[str, Any], _: CaseEvents, loan: Loan) -> Pairs:
    wanted = step["transaction_type"]
    matches = [
        t
        for t in loan.transactions
        if t.type == TYPES.get(wanted, wanted)
        and ("date" not in step or t.effective_on.isoformat() == step["date"])
    ]
    if "nth" in step:  # the place in the whole list, whatever the type
        matches = [t for t in loan.transactions[int(step["nth"]) - 1 :][:1] if t in matches]
    return [(str(step["value"]), str(any(t.reversed for t in matches)))]


def _count(step: Mapping[str, Any], case: CaseEvents, loan: Loan) -> Pairs:
    kind = step["transaction_type"].lower()
    standing = {t.event_id for t in loan.transactions}
    got = sum(
        event.event_id in standing and getattr(event.fact, "kind", None) == kind
        for event in {e.event_id: e for e in case.events}.values()
    )
    return [(str(step["value"]), str(got))]


def _charges(step: Mapping[str, Any], _: CaseEvents, loan: Loan) -> Pairs:
    wanted: Counter[tuple[str, ...]] = Counter()
    for row in step["rows"]:
        cell = dict(zip(step["columns"], row, strict=True))
        amounts = tuple(money(cell[name]) for name in ("due", "paid", "waived", "outstanding"))
        wanted[(cell["is_penalty"], cell["due_date"], *amounts)] += 1
    got = Counter(
        (
            str(charge.is_penalty).lower(),
            charge.due_on.isoformat(),
            *(cents_text(a) for a in (charge.amount, charge.paid, charge.waived, charge.outstanding)),
        )
        for charge in loan.charges
    )
    missing, extra = wanted - got, got - wanted
    return [
        (
            str(sorted(missing.elements())),
            str(sorted(extra.elements())) if step.get("exact") or missing else "[]",
        )
    ]


def _last_payment(step: Mapping[str, Any], _: CaseEvents, loan: Loan) -> Pairs:
    # The source's "payment" is any transaction that settles debt; ours is cash.
    settling = [t for t in loan.transactions if t.type in SETTLING and not t.reversed]
    latest = settling[-1] if settling else None
    got = {
        "last_payment_amount": cents_text(latest.amount if latest else 0),
        "last_payment_date": str(latest.effective_on if latest else ""),
        "last_repayment_amount": cents_text(loan.last_payment),
        "last_repayment_date": str(loan.last_payment_on or ""),
    }
    return [
        (f"{name}={money(v) if name.endswith('amount') else v}", f"{name}={got[name]}")
        for name, v in step["values"].items()
    ]


def _next_due(step: Mapping[str, Any], case: CaseEvents, loan: Loan) -> Pairs:
    return [(str(step["value"]), expect_lateness.next_payment_of(loan, case.next_due_rule)[0])]


def _next_payment(step: Mapping[str, Any], case: CaseEvents, loan: Loan) -> Pairs:
    return expect_lateness.next_payment(step, loan, _classed(case, loan), case.next_due_rule)


def _loan_delinquency(step: Mapping[str, Any], case: CaseEvents, loan: Loan) -> Pairs:
    return expect_lateness.loan_delinquency(step, loan, _classed(case, loan), case.settings().grace_days)


def _installment_delinquency(step: Mapping[str, Any], case: CaseEvents, loan: Loan) -> Pairs:
    return expect_lateness.installment_delinquency(step, _classed(case, loan))


def _classed(case: CaseEvents, loan: Loan) -> Loan:
    """The state that the source's class stands for: it is set with facts and closes, not each day."""
    return loan if case.classed is None or case.classed.as_of == loan.as_of else case.classed


def _maturity(loan: Loan) -> date | None:
    return loan.closed_on or max((row.due_on for row in loan.installments), default=None)


_CHECKERS: dict[str, Checker] = {
    "status": _status,
    "schedule": lambda step, _, loan: expect_tables.schedule(step, loan),
    "schedule_totals": lambda step, _, loan: expect_tables.schedule_totals(step, loan),
    "transactions": lambda step, _, loan: expect_tables.transactions(step, loan),
    "transaction_reverted": _reverted,
    "transaction_count": _count,
    "charges": _charges,
    "loan_delinquency": _loan_delinquency,
    "installment_delinquency": _installment_delinquency,
    "delinquency_actions": lambda step, _, loan: expect_lateness.pauses(step, loan),
    "delinquency_pause_periods": lambda step, _, loan: expect_lateness.pauses(step, loan),
    "last_payment": _last_payment,
    "next_payment": _next_payment,
    "next_payment_due_date": _next_due,
    "total_outstanding": _value(lambda loan: loan.total_outstanding, cents_text),
    "total_overpaid": _value(lambda loan: loan.overpaid, cents_text),
    "total_overdue": _value(lambda loan: loan.overdue, cents_text),
    "charged_off_on": _value(lambda loan: loan.charged_off_on),
    "closed_on": _value(lambda loan: loan.closed_on),
    "actual_maturity_date": _value(_maturity),
    "maturity": _value(_maturity),
    "all_installments_complete": _value(lambda loan: all(row.outstanding == 0 for row in loan.installments)),
}
