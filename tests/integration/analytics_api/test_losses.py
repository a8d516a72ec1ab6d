"""Concentration, provisions, stages and expected losses through the API against the domain's functions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from loanbook.domain.loan import DelinquencyBucket, Loan
from loanbook.domain.portfolio import (
    LossAssumptions,
    ifrs9_stage,
    in_portfolio,
    transition_matrix,
)
from tests.builders import on_day
from tests.integration.analytics_api.cohort_book import CLOSE, TODAY, told_on
from tests.integration.analytics_api.conftest import ask, copied
from tests.integration.analytics_api.test_measures import Told
from tests.measures import minor, pooled, shown
from tests.measures_of_a_day import check_concentration, check_expected_loss, check_provisions, check_stages
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
    assert (answer["as_of"], answer["live"]) == (str(day), day == TODAY)
    check_concentration(answer, told.at(day), KEYS[by])


@pytest.mark.parametrize("basis", ["principal", "outstanding"])
@pytest.mark.parametrize("percents", [None, "0,2.5,33.33,50.01,99.99"])
async def test_provisions_are_those_of_the_domain(
    told: Told, day: date, basis: str, percents: str | None
) -> None:
    query = at(day) | ({"percents": percents} if percents else {})
    answer = await ask(told.client, "/v1/measures/provisions", basis=basis, **query)
    given = percents.split(",") if percents else [str(percent) for percent in PERCENTS]
    rates = dict(zip(DelinquencyBucket, [round(float(part) * 100) for part in given], strict=True))
    check_provisions(answer, told.at(day), rates)
    assert minor(answer["provision"]) > 0
    assert (answer["basis"], [bucket["percent"] for bucket in answer["buckets"]]) == (basis, given)


@pytest.mark.parametrize("charged_off", [False, True])
async def test_stages_are_those_of_the_domain(told: Told, day: date, charged_off: bool) -> None:
    answer = await ask(told.client, "/v1/measures/stages", charged_off=charged_off, **at(day))
    check_stages(answer, told.at(day), charged_off=charged_off)


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


@pytest.mark.parametrize("rate", ["0", "0.12"])
async def test_the_expected_loss_is_that_of_the_domain(told: Told, rate: str) -> None:
    answer = await ask(told.client, "/v1/measures/expected-credit-loss", annual_discount_rate=rate)
    assumed = LossAssumptions(
        monthly=pooled(told.at, MONTH_ENDS),
        loss_given_default=Fraction(45, 100),
        annual_discount_rate=Fraction(rate),
    )
    check_expected_loss(answer, told.at(TODAY), assumed)
    assert minor(answer["expected_loss"]) > 0


async def test_the_expected_loss_shows_what_it_rests_on(told: Told) -> None:
    answer = await ask(told.client, "/v1/measures/expected-credit-loss", loss_given_default="0.6")
    shown_moves: dict[str, Any] = {row["bucket"]: row for row in answer["assumptions"]["monthly_moves"]}
    matrix = pooled(told.at, MONTH_ENDS)
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
