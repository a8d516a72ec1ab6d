"""One loan's story from its ledger rows: transactions with portions as they count now."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import structlog

from analytics_api.schemas.loans import Charge, Components, Installment, LedgerEvent, Pause, Transaction
from analytics_api.schemas.parts import money, money_or_none
from loanbook.domain.loan import Amounts, ChargeState, InstallmentState, Loan, TransactionState, fold
from loanbook.domain.settings import ProductSettings
from loanbook.postgres.ledger import TYPE_NAMES, event_from_row

log = structlog.get_logger()
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerOfLoan:
    """What a loan is folded from."""

    book: str
    loan_id: str
    rows: Sequence[Row]
    authorities: Mapping[int, int]
    settings: ProductSettings


def product_settings(stored: str) -> ProductSettings:
    """A product's settings from their stored JSON."""
    return ProductSettings.from_json(json.loads(stored))


def fold_ledger(ledger: LedgerOfLoan, as_of: date) -> Loan:
    """The loan at the close of a day, from the rows whose source counts."""
    events = [
        event_from_row(row, ledger.book, ledger.loan_id, row["source"])
        for row in ledger.rows
        if counts(row, ledger.authorities)
    ]
    return fold(ledger.book, ledger.loan_id, events, ledger.settings, as_of)


def fold_at(
    loan: Row, ledger: Sequence[Row], authorities: Mapping[int, int], *days: date
) -> list[Loan] | None:
    """A loan (its book, id and settings in a row) at some closes.

    None where its fold fails, which is logged: one loan's fault must not stop the others.
    """
    try:
        story = LedgerOfLoan(
            book=loan["book"],
            loan_id=loan["loan_id"],
            rows=ledger,
            authorities=authorities,
            settings=product_settings(loan["product_settings"]),
        )
        return [fold_ledger(story, day) for day in days]
    except Exception as error:  # noqa: BLE001 - whatever it was, it concerns this loan alone
        log.warning("loan_not_folded", loan_id=loan["loan_id"], error=f"{type(error).__name__}: {error}")
        return None


def installments_of(loan: Loan, currency: str) -> list[Installment]:
    """The loan's installments as they stand."""
    return [_installment(item, loan.as_of, currency) for item in loan.installments]


def transactions_of(loan: Loan, currency: str) -> list[Transaction]:
    """The loan's money movements, oldest effect first."""
    return [_transaction(item, currency) for item in loan.transactions]


def charges_of(loan: Loan, currency: str) -> list[Charge]:
    """The loan's fees and penalties, those due first before the others."""
    return [_charge(item, currency) for item in loan.charges]


def pauses_of(loan: Loan) -> list[Pause]:
    """Days that do not count for the loan's class."""
    return [Pause(start_on=start, end_on=end) for start, end in loan.pauses]


def ledger_event(row: Row, authorities: Mapping[int, int], currency: str | None) -> LedgerEvent:
    """One row of the ledger, with the reason where it does not count."""
    reason = row["unapplied_reason"]
    if reason is None and not counts(row, authorities):
        reason = "not_the_authority"
    return LedgerEvent(
        event_id=row["event_id"],
        source=row["source"],
        type=TYPE_NAMES.get(row["type_key"], str(row["type_key"])),
        effective_on=row["effective_on"],
        business_on=row["business_on"],
        known_on=row["known_on"],
        recorded_at=row["recorded_at"],
        ingested_at=row["ingested_at"],
        amount=money_or_none(row["amount_minor"], currency),
        entity_id=row["entity_id"],
        entity_version=row["entity_version"],
        is_copy=row["is_copy"],
        counts=reason is None and not row["is_copy"],
        unapplied_reason=reason,
    )


def counts(row: Row, authorities: Mapping[int, int]) -> bool:
    """Whether a row comes from the source whose word counts."""
    source_key: int = row["source_key"]
    return authorities.get(row["type_key"], source_key) == source_key


def _installment(item: InstallmentState, today: date, currency: str) -> Installment:
    until = item.met_on or today
    return Installment(
        number=item.number,
        kind=str(item.kind),
        from_on=item.from_on,
        due_on=item.due_on,
        due=money(item.due.total, currency),
        due_by_component=_components(item.due, currency),
        added_back=_components(item.added_back, currency),
        paid=money(item.paid.total, currency),
        paid_in_advance=money(item.paid_in_advance, currency),
        paid_late=money(item.paid_late, currency),
        waived=money(item.waived.total, currency),
        outstanding=money(item.outstanding, currency),
        met_on=item.met_on,
        state=_state(item, today),
        days_late=max(0, (until - item.due_on).days),
    )


def _state(item: InstallmentState, today: date) -> Any:  # noqa: ANN401 - one of the schema's words
    if item.met_on is not None:
        return "paid_late" if item.met_on > item.due_on else "paid"
    if item.due_on < today:
        return "overdue"
    if item.paid.total:
        return "partial"
    return "due" if item.due_on == today else "upcoming"


def _transaction(item: TransactionState, currency: str) -> Transaction:
    return Transaction(
        event_id=item.event_id,
        entity_id=item.entity_id,
        type=item.type,
        effective_on=item.effective_on,
        amount=money(item.amount, currency),
        portions=_components(item.portions, currency),
        portions_estimated=item.estimated,
        overpayment=money(item.overpayment, currency),
        reversed=item.reversed,
        principal_outstanding_after=money(item.principal_outstanding_after, currency),
    )


def _charge(item: ChargeState, currency: str) -> Charge:
    return Charge(
        charge_id=item.charge_id,
        name=item.name,
        is_penalty=item.is_penalty,
        due_on=item.due_on,
        amount=money(item.amount, currency),
        paid=money(item.paid, currency),
        waived=money(item.waived, currency),
        outstanding=money(item.outstanding, currency),
    )


def _components(amounts: Amounts, currency: str) -> Components:
    return Components(
        principal=money(amounts.principal, currency),
        interest=money(amounts.interest, currency),
        fee=money(amounts.fee, currency),
        penalty=money(amounts.penalty, currency),
    )
