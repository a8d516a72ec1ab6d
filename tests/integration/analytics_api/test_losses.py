"""Concentration, provisions, stages and expected losses through the API against the domain's functions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from loanbook.domain.loan import DelinquencyBucket, Loan
from loanbook.domain.portfolio import (
    ExpectedLoss,
    LossAssumptions,
    Matrix,
    Ratio,
    expected_credit_loss,
    exposure_at_default,
    gross_loan_portfolio,
    herfindahl,
    ifrs9_stage,
    in_portfolio,
    portfolio_at_risk,
    provision,
    risk_coverage,
    top_share,
    transition_matrix,
)
from tests.builders import on_day
from tests.integration.analytics_api.cohort_book import CLOSE, TODAY, told_on
from tests.integration.analytics_api.conftest import ask, copied
from tests.integration.analytics_api.test_measures import Told, minor, shown
from tests.parts import Database

pytestmark = pytest.mark.integration
DAYS = {"live": TODAY, "last close": CLOSE, "past close": on_day(95)}
MONTH_ENDS = (date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30))
PERCENTS = (1, 10, 25, 50, 100)


@pytest.fixture(scope="module")
async def told(postgres: Database, database_template: str) -> AsyncIterator[Told]:
    async for dsn in copied(postgres, database_template):
        async with told_on(dsn) as book:
            yield book


@pytest.fixture(params=list(DAYS))
def day(request: pytest.FixtureRequest) -> date:
    """The running day, the last close, and one long past."""
    return DAYS[request.param]


def at(day: date) -> dict[str, str]:
    """The parameters that ask for a day."""
    return {} if day == TODAY else {"as_of": str(day)}


KEYS: dict[str, Callable[[Loan], str | None]] = {
    "branch": lambda loan: loan.branch,
    "product": lambda loan: loan.product,
    "officer": lambda loan: loan.officer,
    "borrower": lambda loan: loan.borrower_id,
    "region": lambda loan: "North" if loan.branch in {"B0", "B1"} else None,
}


@pytest.mark.parametrize("by", list(KEYS))
async def test_concentration_is_that_of_the_domain(told: Told, day: date, by: str) -> None:
    answer = await ask(told.client, "/v1/measures/concentration", by=by, top=2, **at(day))
    loans, key = told.at(day), KEYS[by]
    late = [loan for loan in loans if loan.days_past_due > 30]
    assert (answer["as_of"], answer["live"]) == (str(day), day == TODAY)
    assert answer["holders"] == len({key(loan) for loan in in_portfolio(loans)})
    assert minor(answer["principal_outstanding"]) == gross_loan_portfolio(loans)
    assert minor(answer["par30_principal"]) == gross_loan_portfolio(late)
    assert answer["top_share"] == shown(top_share(loans, count=2, key=key))
    assert answer["herfindahl"] == rounded(herfindahl(loans, key=key))
    assert answer["par30_herfindahl"] == rounded(herfindahl(late, key=key))
    for holder in answer["top"]:
        held = [loan for loan in in_portfolio(loans) if (key(loan) or "unknown") == holder["name"]]
        at_risk = portfolio_at_risk(held).amount.numerator
        assert (holder["loans"], minor(holder["principal_outstanding"])) == (
            len(held),
            gross_loan_portfolio(held),
        )
        assert minor(holder["par30_principal"]) == at_risk
        assert holder["par30_share"] == shown(
            Ratio(numerator=at_risk, denominator=gross_loan_portfolio(late))
        )


@pytest.mark.parametrize("basis", ["principal", "outstanding"])
@pytest.mark.parametrize("percents", [None, "0,2.5,33.33,50.01,99.99"])
async def test_provisions_are_those_of_the_domain(
    told: Told, day: date, basis: str, percents: str | None
) -> None:
    query = at(day) | ({"percents": percents} if percents else {})
    answer = await ask(told.client, "/v1/measures/provisions", basis=basis, **query)
    loans = told.at(day)
    given = percents.split(",") if percents else [str(percent) for percent in PERCENTS]
    rates = dict(zip(DelinquencyBucket, [round(float(part) * 100) for part in given], strict=True))
    wanted = provision(loans, rates, on_total=basis == "outstanding")
    assert minor(answer["provision"]) == wanted > 0
    assert sum(minor(bucket["provision"]) for bucket in answer["buckets"]) == wanted
    assert answer["risk_coverage"] == shown(risk_coverage(loans, wanted))
    assert [bucket["percent"] for bucket in answer["buckets"]] == given
    assert minor(answer["principal_outstanding"]) == gross_loan_portfolio(loans)


@pytest.mark.parametrize("charged_off", [False, True])
async def test_stages_are_those_of_the_domain(told: Told, day: date, charged_off: bool) -> None:
    answer = await ask(told.client, "/v1/measures/stages", charged_off=charged_off, **at(day))
    loans = in_portfolio(told.at(day), charged_off=charged_off)
    assert (answer["loans"], minor(answer["principal_outstanding"])) == (
        len(loans),
        sum(loan.principal_outstanding for loan in loans),
    )
    for stage in answer["stages"]:
        mine = [loan for loan in loans if ifrs9_stage(loan) == stage["stage"]]
        assert stage["loans"] == len(mine), stage["stage"]
        assert minor(stage["principal_outstanding"]) == sum(loan.principal_outstanding for loan in mine)
        assert minor(stage["exposure"]) == sum(exposure_at_default(loan) for loan in mine)


async def test_the_book_has_loans_in_every_stage_and_eased_ones_in_the_second(told: Told) -> None:
    answer = await ask(told.client, "/v1/measures/stages")
    assert all(stage["loans"] for stage in answer["stages"])
    eased = [loan for loan in in_portfolio(told.at(TODAY)) if loan.restructured_on is not None]
    assert any(loan.days_past_due <= 30 for loan in eased)


async def test_stage_thresholds_are_settings(told: Told) -> None:
    answer = await ask(told.client, "/v1/measures/stages", impaired_from_days=61, increased_over_days=15)
    loans = in_portfolio(told.at(TODAY))
    wanted = [ifrs9_stage(loan, impaired_from=61, increased_over=15) for loan in loans]
    assert [stage["loans"] for stage in answer["stages"]] == [wanted.count(number) for number in (1, 2, 3)]
    assert answer["rules"] == {"impaired_from_days": 61, "increased_over_days": 15}


def pooled(told: Told) -> Matrix:
    """The transitions of all whole months, added up."""
    pairs = pairwise(MONTH_ENDS)
    months = [transition_matrix(told.at(opening), told.at(closing)) for opening, closing in pairs]
    return {
        bucket: {
            place: Ratio(
                numerator=sum(month[bucket][place].numerator for month in months),
                denominator=sum(month[bucket][place].denominator for month in months),
            )
            for place in months[0][bucket]
        }
        for bucket in months[0]
    }


@pytest.mark.parametrize("rate", ["0", "0.12"])
async def test_the_expected_loss_is_that_of_the_domain(told: Told, rate: str) -> None:
    answer = await ask(told.client, "/v1/measures/expected-credit-loss", annual_discount_rate=rate)
    assumed = LossAssumptions(
        monthly=pooled(told), loss_given_default=Fraction(45, 100), annual_discount_rate=Fraction(rate)
    )
    by_stage: dict[int, list[ExpectedLoss]] = {1: [], 2: [], 3: []}
    for loan in in_portfolio(told.at(TODAY)):
        loss = expected_credit_loss(loan, assumed)
        by_stage[loss.stage].append(loss)
    for stage in answer["stages"]:
        losses = by_stage[stage["stage"]]
        assert (stage["loans"], minor(stage["exposure"])) == (
            len(losses),
            sum(one.exposure for one in losses),
        )
        # The domain rounds each loan, the API each stage.
        assert abs(minor(stage["expected_loss"]) - sum(one.amount for one in losses)) <= len(losses) / 2
        weighted = sum(one.default_probability * one.exposure for one in losses)
        exposed = sum(one.exposure for one in losses)
        assert stage["default_probability"] == rounded(Fraction(weighted, exposed))
    assert minor(answer["expected_loss"]) == sum(minor(s["expected_loss"]) for s in answer["stages"]) > 0


async def test_the_expected_loss_shows_what_it_rests_on(told: Told) -> None:
    answer = await ask(told.client, "/v1/measures/expected-credit-loss", loss_given_default="0.6")
    shown_moves: dict[str, Any] = {row["bucket"]: row for row in answer["assumptions"]["monthly_moves"]}
    matrix = pooled(told)
    assert answer["label"] == "estimate"
    assert answer["assumptions"]["loss_given_default"] == 0.6
    assert answer["assumptions"]["months"] == 3
    assert (answer["assumptions"]["first_on"], answer["assumptions"]["last_on"]) == (
        "2024-01-31",
        "2024-04-30",
    )
    assert list(shown_moves["current"]["to"].values()) == [shown(part) for part in matrix["CURRENT"].values()]
    assert shown_moves["91+"]["default_probability_12m"] == 1


async def test_one_month_end_pair_is_enough_and_the_newest_counts(told: Told) -> None:
    answer = await ask(told.client, "/v1/measures/expected-credit-loss", months=1)
    month = transition_matrix(told.at(MONTH_ENDS[-2]), told.at(MONTH_ENDS[-1]))
    current = answer["assumptions"]["monthly_moves"][0]
    assert (answer["assumptions"]["months"], answer["assumptions"]["first_on"]) == (1, "2024-03-31")
    assert current["loans"] == month["CURRENT"]["CURRENT"].denominator


async def test_nothing_in_a_part_is_null_not_zero(told: Told) -> None:
    for path, field in (
        ("concentration", "herfindahl"),
        ("provisions", "risk_coverage"),
        ("expected-credit-loss", "coverage"),
    ):
        answer = await ask(told.client, f"/v1/measures/{path}", branch="Nowhere")
        assert (answer["loans"], answer[field]) == (0, None)


@pytest.mark.parametrize(
    ("path", "query", "field", "status"),
    [
        ("concentration", {"as_of": "2024-06-30"}, "as_of", 422),
        ("stages", {"as_of": "2023-06-30"}, "as_of", 404),
        ("provisions", {"percents": "1,2,3"}, "percents", 422),
        ("provisions", {"percents": "1,2,3,4,101"}, "percents", 422),
        ("expected-credit-loss", {"loss_given_default": "1.2"}, "loss_given_default", 422),
        ("concentration", {"by": "moon"}, "by", 422),
        ("stages", {"impaired_from_days": "92"}, "impaired_from_days", 422),
        ("vintages", {"over_days": "31"}, "over_days", 422),
    ],
)
async def test_what_cannot_be_asked_is_named(
    told: Told, path: str, query: dict[str, str], field: str, status: int
) -> None:
    answer = await told.client.get(f"/v1/measures/{path}", params=query)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field)


def rounded(exact: Fraction | None) -> float | None:
    """A share to six digits, half to even."""
    return None if exact is None else float(round(exact, 6))
