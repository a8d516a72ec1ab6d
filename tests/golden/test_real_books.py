"""Real loan books, folded day by day: every figure their `portfolio` blocks hold, money exact."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from loanbook.domain import portfolio
from loanbook.domain.events import Fact, LoanDisbursed, LoanEvent, PaymentPosted, Period, SchedulePublished
from loanbook.domain.loan import DelinquencyBucket, Loan, fold
from loanbook.domain.money import Minor
from loanbook.domain.settings import ProductSettings
from loanbook.reference import naive_loan
from tests.builders import an_event

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
BOOKS = ("loan_payments_500", "superlender", "airtime_loans")
BUCKETS = dict(zip(("current", "1-30", "31-60", "61-90", "91+"), DelinquencyBucket, strict=True))
SAMPLE = {"loan_payments_500": 1, "superlender": 40, "airtime_loans": 40}  # every n-th loan by both folds
Histories = dict[str, list[LoanEvent]]


@pytest.fixture(scope="module", params=BOOKS)
def book(request: pytest.FixtureRequest) -> str:
    if not (DATA / request.param).is_dir():
        pytest.skip("the real books are not here")
    return str(request.param)


@pytest.fixture(scope="module")
def histories(book: str) -> Histories:
    told: Histories = {}
    for row in _rows(book, "loans"):
        paid_out = Minor.parse(row["principal"], 2)
        _tell(told, row["loan_id"], LoanDisbursed, row["disbursed_at"], amount_minor=paid_out)
    for row in _rows(book, "schedule"):
        period = Period(
            number=int(row["instalment_no"]),
            due_on=date.fromisoformat(row["due_date"]),
            total_minor=Minor.parse(row["amount"], 2),
        )
        started_on = told[row["loan_id"]][0].fact.effective_on.isoformat()
        _tell(told, row["loan_id"], SchedulePublished, started_on, periods=(period,))
    for row in _rows(book, "payments"):
        amount = Minor.parse(row["amount"], 2)
        _tell(told, row["loan_id"], PaymentPosted, row["paid_at"], amount_minor=amount)
    return told


@pytest.fixture(scope="module")
def expected(book: str) -> dict[str, Any]:
    told = json.loads((DATA / book / "expected.json").read_text(), parse_float=Decimal)
    blocks: dict[str, Any] = told.get("portfolio") or told["figures"]["portfolio"]
    return blocks


def test_every_figure_of_every_day_is_met(histories: Histories, expected: dict[str, Any]) -> None:
    for day, block in expected.items():
        as_of = date.fromisoformat(day)
        loans = [fold("real", name, events, ProductSettings(), as_of) for name, events in histories.items()]
        named = {name: value for name, value in block.items() if not name.startswith(("by_", "as_of"))}
        wanted = {name: _exact(name, value) for name, value in named.items()}
        got = _figures(loans)
        assert {name: got[name] for name in wanted} == wanted, day


def test_the_naive_fold_agrees(book: str, histories: Histories, expected: dict[str, Any]) -> None:
    for day in list(expected)[::3]:
        as_of = date.fromisoformat(day)
        for name, events in list(histories.items())[:: SAMPLE[book]]:
            naive = naive_loan(events, ProductSettings(), as_of)
            loan = fold("real", name, events, ProductSettings(), as_of)
            for figure in ("total_outstanding", "principal_outstanding", "overdue", "past_due_on", "max_dpd"):
                assert naive.get(figure, getattr(loan, figure)) == getattr(loan, figure), (name, day, figure)


def _rows(book: str, table: str) -> Iterator[dict[str, str]]:
    with gzip.open(DATA / book / f"{table}.csv.gz", "rt", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _tell(told: Histories, loan_id: str, fact_type: type[Fact], at: str, **fields: Any) -> None:
    on = date.fromisoformat(at[:10])
    events = told.setdefault(loan_id, [])
    fact = fact_type(effective_on=on, business_on=on, currency="EUR", **fields)
    events.append(an_event(fact, event_id=f"{loan_id}-{len(events)}", loan_id=loan_id))


def _figures(loans: list[Loan]) -> dict[str, Any]:
    active = portfolio.in_portfolio(loans)
    paid_out = [loan for loan in loans if loan.disbursed_on is not None]
    figures: dict[str, Any] = {
        "loans_disbursed": len(paid_out),
        "principal_disbursed": sum(loan.disbursed for loan in paid_out),
        "paid_total": sum(loan.paid for loan in loans),
        "loans_active": len(active),
        "loans_closed": len(paid_out) - len(active),
        "outstanding_scheduled": sum(loan.total_outstanding for loan in active),
        "outstanding_principal_prorata": portfolio.gross_loan_portfolio(loans),
        "arrears": sum(loan.overdue for loan in active),
        "overdue_loans": sum(loan.past_due_on is not None for loan in active),
        "max_dpd": max((loan.days_past_due for loan in active), default=0),
    }
    members = {name: [loan for loan in active if loan.bucket is bucket] for name, bucket in BUCKETS.items()}
    figures["buckets_loans"] = {name: len(part) for name, part in members.items()}
    figures["buckets_outstanding_scheduled"] = {
        name: sum(loan.total_outstanding for loan in part) for name, part in members.items()
    }
    for days in (0, 30, 60, 90):
        par = portfolio.portfolio_at_risk(loans, over_days=days).amount
        # These files write 0.0 for a day without a portfolio; with us it has no value.
        figures[f"par{days}_principal"] = par.rounded() or Decimal("0.000000")
    return figures


def _exact(name: str, value: Any) -> Any:
    """Shares to six digits, money in minor units, counts as they are."""
    if isinstance(value, dict):
        return {part: _exact(name, inner) for part, inner in value.items()}
    if not isinstance(value, Decimal):
        return value
    return value.quantize(Decimal("0.000001")) if name.startswith("par") else int(value * 100)
