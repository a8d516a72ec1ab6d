"""Vintages and first-payment defaults through the API against the domain's functions on a generated book."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from loanbook.domain.loan import Loan
from loanbook.domain.portfolio.migration import aged
from tests.integration.analytics_api.cohort_book import CLOSE, ever_over, told_on
from tests.integration.analytics_api.conftest import ask, copied
from tests.integration.analytics_api.test_measures import Told, refresh
from tests.measures import check_first_payments, check_vintages, cohorts_of, is_short, minor
from tests.parts import Database

pytestmark = pytest.mark.integration
AGES = 8


@pytest.fixture(scope="module")
async def told(postgres: Database, database_template: str) -> AsyncIterator[Told]:
    async for dsn in copied(postgres, database_template):
        async with told_on(dsn) as book:
            yield book


@pytest.mark.parametrize("over_days", [30, 90])
async def test_vintages_are_those_of_the_domain(told: Told, over_days: int) -> None:
    answer = await ask(told.client, "/v1/measures/vintages", over_days=over_days, ages=AGES)
    check_vintages(answer, told.at(CLOSE), CLOSE)


async def test_the_generated_book_is_late_in_both_kinds_of_cohort_and_has_open_cells(told: Told) -> None:
    answer = await ask(told.client, "/v1/measures/vintages", over_days=30, ages=AGES)
    late = {c["unit"] for c in answer["cohorts"] for cell in c["cells"] if cell["loans"]}
    unseen = [cell for c in answer["cohorts"] for cell in c["cells"] if cell["loans"] is None]
    assert late == {"month", "week"}
    assert unseen


async def test_ever_late_is_what_a_fold_of_every_day_says(told: Told) -> None:
    passed = ever_over(told, 30)
    answer = await ask(told.client, "/v1/measures/vintages", over_days=30, ages=AGES)
    members = cohorts_of(told.at(CLOSE))
    for cohort in answer["cohorts"]:
        by_week = cohort["unit"] == "week"
        for cell in cohort["cells"]:
            if cell["loans"] is None:
                continue
            loans = members[cohort["unit"], date.fromisoformat(cohort["cohort_on"])]
            bad = [
                loan
                for loan in loans
                if loan.disbursed_on is not None
                and loan.loan_id in passed
                and passed[loan.loan_id] <= aged(loan.disbursed_on, cell["age"], by_week=by_week)
            ]
            assert cell["loans"] == len(bad), (cohort["cohort_on"], cell["age"])


async def test_a_part_of_the_book_has_its_own_cohorts(told: Told) -> None:
    answer = await ask(told.client, "/v1/measures/vintages", branch=["B1"], product=["P1"])
    loans = [loan for loan in told.at(CLOSE) if (loan.branch, loan.product) == ("B1", "P1")]
    assert sum(cohort["loans"] for cohort in answer["cohorts"]) == len(loans) > 0


@pytest.mark.parametrize("by", ["cohort", "branch", "product", "officer", "region"])
async def test_first_payment_defaults_are_those_of_the_domain(told: Told, by: str) -> None:
    answer = await ask(told.client, "/v1/measures/first-payment-default", by=by)
    loans = told.at(CLOSE)
    regions = {"B0": "North", "B1": "North", "B2": "unknown"}
    groups: dict[str, list[Loan]] = {}
    for (_, start), members in cohorts_of(loans).items():
        for loan in members:
            owners = {
                "cohort": f"{start} {is_short(loan)}",
                "branch": loan.branch,
                "product": loan.product,
                "officer": loan.officer,
                "region": regions[str(loan.branch)],
            }
            groups.setdefault(owners[by] or "unknown", []).append(loan)
    names = [p["name"] + (f" {p['unit'] == 'week'}" if by == "cohort" else "") for p in answer["parts"]]
    assert sorted(names) == sorted(groups)
    for name, part in zip(names, answer["parts"], strict=True):
        check_first_payments(part, groups[name])
    whole = check_first_payments(answer["total"], loans)
    assert whole.numerator > 0
    assert whole.denominator < len(loans)


async def test_amounts_weigh_first_payment_defaults_by_what_was_paid_out(told: Told) -> None:
    answer = await ask(told.client, "/v1/measures/first-payment-default")
    bad = sum(loan.disbursed for loan in told.at(CLOSE) if loan.first_payment_default)
    assert minor(answer["total"]["defaulted_disbursed"]) == bad > 0


async def test_before_the_first_refresh_nothing_is_claimed(postgres: Database, filled_template: str) -> None:
    from tests.integration.analytics_api.conftest import api_on  # noqa: PLC0415

    async for dsn in copied(postgres, filled_template):
        async with api_on(dsn) as client:
            answer = await ask(client, "/v1/measures/vintages")
            assert (answer["as_of"], answer["cohorts"]) == (None, [])
            first = await ask(client, "/v1/measures/first-payment-default")
            assert (first["as_of"], first["total"]["ratio"], first["parts"]) == (None, None, [])


async def test_days_told_anew_remake_cohorts_only_after_a_while(book: str) -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    await refresh(book, now)
    connection = await asyncpg.connect(book)
    try:
        made = "SELECT made_at FROM reporting.cohort_mark"
        assert await connection.fetchval(made) == now
        day = await connection.fetchval("SELECT max(business_on) FROM core.day_roll")
        await connection.execute(
            "INSERT INTO core.restated_day VALUES (1, $1, $2, 3)", day, day + timedelta(1)
        )
        await refresh(book, now + timedelta(minutes=5))
        assert await connection.fetchval(made) == now
        await refresh(book, now + timedelta(minutes=15))
        assert await connection.fetchval(made) == now + timedelta(minutes=15)
    finally:
        await connection.close()
