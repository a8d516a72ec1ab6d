"""Every measure of a real book: what the API says of its last close and day against folds of its events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

from analytics_api.refresh import RefreshPlan, refresh_once
from analytics_api.store import PostgresMartStore
from loanbook.domain.events import LoanEvent
from loanbook.domain.loan import DelinquencyBucket, Loan, fold
from loanbook.domain.portfolio import LossAssumptions
from loanbook.domain.settings import ProductSettings
from loanbook.wire import Received, decode
from tests import measures
from tests.measures import Answer, At
from tests.measures_of_a_day import (
    check_concentration,
    check_expected_loss,
    check_portfolio,
    check_provisions,
    check_stages,
)

Ask = Callable[..., Awaitable[Answer]]  # a path under /v1 and its parameters
_RATES_BPS = dict(zip(DelinquencyBucket, (100, 1000, 2500, 5000, 10000), strict=True))
_AGES = 12


def folds_of(messages: Iterable[bytes]) -> At:
    """Folds every loan of a book at a close, each day once."""
    by_loan: dict[str, list[LoanEvent]] = {}
    for message in messages:
        received = decode(message)
        if isinstance(received, Received):
            by_loan.setdefault(received.event.loan_id, []).append(received.event)
    folded: dict[date, list[Loan]] = {}

    def at(day: date) -> list[Loan]:
        if day not in folded:
            loans = [fold(told[0].book, name, told, ProductSettings(), day) for name, told in by_loan.items()]
            folded[day] = [loan for loan in loans if loan.disbursed_on is not None]
        return folded[day]

    return at


async def refresh(dsn: str) -> None:
    """Make all tables of reporting for the last close, whatever was told anew a moment ago."""
    marts = await PostgresMartStore.open(dsn)
    plan = RefreshPlan(retold_after=timedelta(0), fold_for=timedelta(minutes=5))
    try:
        for _ in range(3):  # month ends and closed days are made some at a time
            await refresh_once(marts, plan, lambda: datetime.now(UTC))
    finally:
        await marts.close()


async def check_measures(ask: Ask, at: At, close: date) -> None:
    """All measures of the book at its last close, of its last months, and live."""
    today, months = at(close + timedelta(days=1)), _last_months(close)
    check_portfolio(await ask("portfolio", as_of=close), at(close))
    check_portfolio(await ask("portfolio"), today)
    await _check_life(ask, at(close), close)
    await _check_periods(ask, at, close, months)
    await _check_day(ask, today)
    moves = await ask("measures/expected-credit-loss", months=1)
    told = moves["assumptions"]
    assumed = LossAssumptions(
        monthly=measures.pooled(at, [date.fromisoformat(told[name]) for name in ("first_on", "last_on")]),
        loss_given_default=Fraction(45, 100),
    )
    check_expected_loss(moves, today, assumed)


async def _check_life(ask: Ask, loans: list[Loan], close: date) -> None:
    for over_days in (30, 90):
        answer = await ask("measures/vintages", over_days=over_days, ages=_AGES)
        measures.check_vintages(answer, loans, close)
    first = await ask("measures/first-payment-default")
    measures.check_first_payments(first["total"], loans)
    groups = measures.cohorts_of(loans)
    for part in first["parts"]:
        measures.check_first_payments(part, groups[part["unit"], date.fromisoformat(part["name"])])


async def _check_periods(ask: Ask, at: At, close: date, months: dict[str, Any]) -> None:
    loans = at(close)
    rolls, missed = (
        await ask("measures/roll-rates", **months),
        await ask("measures/missed-roll-rates", **months),
    )
    measures.check_roll_rates(rolls, at)
    measures.check_missed_roll_rates(missed, at)
    cures = (await ask("measures/cures", **months))["parts"][0]["months"]
    measures.check_cures(cures, at, at)
    assert [len(rolls["months"]), len(missed["months"]), len(cures)] == [3, 3, 3]
    collection = await ask("measures/collection", **months)
    assert (collection["as_of"], collection["waiting_loans"]) == (str(close), 0)
    for month in collection["parts"][0]["months"]:
        measures.check_collection(month, loans)
    assert any(month["cash"]["amount"] != "0.00" for month in collection["parts"][0]["months"])
    for month in (await ask("measures/punctuality", **months))["parts"][0]["months"]:
        measures.check_punctuality(month, loans)
    measures.check_resolution(await ask("measures/resolution", **months), loans)
    losses = await ask("measures/write-offs", **months)
    assert [month["lost_loans"] for month in losses["parts"][0]["months"]] == [0, 0, 0]


async def _check_day(ask: Ask, loans: list[Loan]) -> None:
    for by, key in (("branch", lambda loan: loan.branch), ("borrower", lambda loan: loan.borrower_id)):
        check_concentration(await ask("measures/concentration", by=by, top=5), loans, key)
    for basis in ("principal", "outstanding"):
        check_provisions(await ask("measures/provisions", basis=basis), loans, _RATES_BPS)
    check_stages(await ask("measures/stages"), loans)


def _last_months(close: date) -> dict[str, Any]:
    """The running month of the last close and the two before it."""
    first = (close.replace(day=1) - timedelta(days=1)).replace(day=1)
    first = (first - timedelta(days=1)).replace(day=1)
    return {"from": f"{first:%Y-%m}", "to": f"{close:%Y-%m}"}
