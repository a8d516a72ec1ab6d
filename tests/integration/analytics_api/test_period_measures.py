"""Measures of periods and between month ends through the API against the domain, on a generated book."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import asyncpg
import pytest

from loanbook.domain import portfolio
from loanbook.domain.loan import DelinquencyBucket, Loan
from loanbook.domain.money import divide_half_even
from loanbook.domain.portfolio import Outcome, Ratio
from tests.builders import on_day
from tests.feeding import add_book
from tests.integration.analytics_api.conftest import api_on, ask, copied, execute
from tests.integration.analytics_api.telling import DAYS, Told, fill, some_stories
from tests.parts import Database

pytestmark = pytest.mark.integration
LAST_CLOSE = on_day(DAYS - 1)
BUCKETS = dict(zip(("1-30", "31-60", "61-90", "91+"), list(DelinquencyBucket)[1:], strict=True))
NOTHING: tuple[Any, ...] = ((None, []), (None, [[]]))
WHOLE = {"from": "2024-01", "to": "2024-06"}


@pytest.fixture(scope="module")
async def dsn(postgres: Database, database_template: str) -> AsyncIterator[str]:
    async for made in copied(postgres, database_template):
        yield made


@pytest.fixture(scope="module")
async def told(dsn: str) -> AsyncIterator[Told]:
    events = [event for story in some_stories(random.Random(7)) for event in story.events]
    await fill(dsn, events)
    async with api_on(dsn) as client:
        yield Told(client, events)


def shown(ratio: Ratio) -> float | None:
    """A ratio as the API writes it."""
    return None if ratio.value is None else float(ratio.rounded() or 0)


def rounded(mean: Fraction | None) -> float | None:
    """A mean as the API writes it."""
    return None if mean is None else shown(Ratio(numerator=mean.numerator, denominator=mean.denominator))


def minor(money: dict[str, Any]) -> int:
    """Minor units of an amount of the API."""
    return round(float(money["amount"]) * 100)


def days_of(month: dict[str, Any]) -> dict[str, date]:
    """The period of a month, for the domain's functions."""
    return {
        "first_on": date.fromisoformat(month["first_on"]),
        "last_on": date.fromisoformat(month["last_on"]),
    }


def each_day(first_on: date, last_on: date) -> list[date]:
    """All days of a period."""
    return [first_on + timedelta(days=number) for number in range((last_on - first_on).days + 1)]


async def of_parts(told: Told, path: str, **query: str) -> list[tuple[list[Loan], dict[str, Any]]]:
    """The loans of each part at the last close beside what the API says of each of its months."""
    answer = await ask(told.client, path, **WHOLE, **query)
    assert (answer["as_of"], answer["waiting_loans"]) == (str(LAST_CLOSE), 0)
    return [
        (told.at(LAST_CLOSE, branch=part["part"]), month)
        for part in answer["parts"]
        for month in part["months"]
    ]


@pytest.mark.parametrize("query", [{}, {"by": "branch"}])
async def test_efficiencies_are_those_of_the_domain_month_by_month(told: Told, query: dict[str, str]) -> None:
    months = await of_parts(told, "/v1/measures/collection", **query)
    assert len(months) == (18 if query else 6)
    for loans, month in months:
        expected = portfolio.collection_efficiency(loans, **days_of(month))
        assert minor(month["due"]) == expected.current.denominator == expected.total.denominator
        assert minor(month["collected"]) == expected.current.numerator
        assert month["current_efficiency"] == shown(expected.current)
        assert (minor(month["cash"]), month["total_efficiency"]) == (
            expected.total.numerator,
            shown(expected.total),
        )


async def test_a_month_names_its_loans_and_its_days(told: Told) -> None:
    for loans, month in await of_parts(told, "/v1/measures/collection"):
        days = days_of(month)
        due = [
            loan.loan_id
            for loan in loans
            for item in loan.installments
            if days["first_on"] <= item.due_on <= days["last_on"]
        ]
        assert (month["loans"], month["installments"]) == (len(set(due)), len(due))
        assert month["to_date"] is (month["month"] == "2024-06")
    assert days["last_on"] == LAST_CLOSE


@pytest.mark.parametrize("query", [{}, {"by": "branch"}])
async def test_outcomes_and_delays_are_those_of_the_domain(told: Told, query: dict[str, str]) -> None:
    for loans, month in await of_parts(told, "/v1/measures/punctuality", **query):
        days = days_of(month)
        outcomes = portfolio.outcomes(loans, **days)
        assert {
            Outcome(item["outcome"]): (item["installments"], minor(item["amount"]))
            for item in month["outcomes"]
        } == outcomes
        on_time = portfolio.on_time_rate(loans, **days)
        assert (month["on_time_rate"], month["decided"]) == (shown(on_time.count), on_time.count.denominator)
        assert month["on_time_rate_by_amount"] == shown(on_time.amount)
        assert minor(month["decided_amount"]) == on_time.amount.denominator
        delay = portfolio.average_delay(loans, **days)
        assert month["delay"] == {
            "met": delay.met,
            "late": delay.late,
            "days": delay.days,
            "mean_days": rounded(delay.mean),
            "mean_days_of_late": rounded(delay.mean_of_late),
        }


@pytest.mark.parametrize("query", [{}, {"by": "branch"}])
async def test_losses_and_recoveries_are_those_of_the_domain(told: Told, query: dict[str, str]) -> None:
    answer = await ask(told.client, "/v1/measures/write-offs", **WHOLE, **query)
    for part in answer["parts"]:
        loans = told.at(LAST_CLOSE, branch=part["part"])
        for month in part["months"]:
            days = days_of(month)
            stood = [
                portfolio.gross_loan_portfolio(told.at(day, branch=part["part"])) for day in each_day(**days)
            ]
            average = divide_half_even(sum(stood), len(stood))
            expected = portfolio.write_off_ratio(loans, **days, average_portfolio=average)
            assert (minor(month["lost"]), minor(month["average_portfolio"])) == (
                expected.numerator,
                average,
            )
            assert (month["write_off_ratio"], month["closes"], month["days"]) == (
                shown(expected),
                len(stood),
                len(stood),
            )
            yearly = Ratio(numerator=expected.numerator * 365, denominator=average * len(stood))
            assert month["annualized_ratio"] == shown(yearly)
            recovery = portfolio.recovery_rate(loans, **days)
            assert (minor(month["written_off"]), minor(month["recovered"]), month["recovery_rate"]) == (
                recovery.denominator,
                recovery.numerator,
                shown(recovery),
            )


def closes_of(told: Told, month: dict[str, Any], branch: str | None = None) -> tuple[list[Loan], list[Loan]]:
    """The loans (of a branch at the opening) at the opening, and all loans at the close."""
    opening = told.at(date.fromisoformat(month["opening_on"]), branch=branch)
    return opening, told.at(date.fromisoformat(month["closing_on"]))


@pytest.mark.parametrize("query", [{}, {"by": "branch"}])
async def test_cures_are_those_of_the_domain_bucket_by_bucket(told: Told, query: dict[str, str]) -> None:
    answer = await ask(told.client, "/v1/measures/cures", **WHOLE, **query)
    kinds: Counter[str] = Counter()
    for part in answer["parts"]:
        assert [month["month"] for month in part["months"]] == [f"2024-0{n}" for n in range(2, 7)]
        for month in part["months"]:
            opening, closing = closes_of(told, month, part["part"])
            for bucket in month["buckets"]:
                expected = portfolio.cure_rate(opening, closing, BUCKETS[bucket["bucket"]])
                cured = expected.cured
                assert bucket["opening"]["loans"] == cured.count.denominator
                assert minor(bucket["opening"]["principal"]) == cured.amount.denominator
                assert bucket["cured"]["loans"] == cured.count.numerator
                assert minor(bucket["cured"]["principal"]) == cured.amount.numerator
                assert (bucket["cure_rate_by_count"], bucket["cure_rate"]) == (
                    shown(cured.count),
                    shown(cured.amount),
                )
                apart = {
                    "by_restructure": expected.by_restructure,
                    "by_waiver": expected.by_waiver,
                    "written_off": expected.written_off,
                }
                assert {name: bucket[name]["loans"] for name in apart} == apart
                kinds.update(apart, cured=cured.count.numerator)
    assert not query or min(kinds.values()) > 0


async def test_relapses_are_those_of_the_domain_once_ninety_days_are_closed(told: Told) -> None:
    answer = await ask(told.client, "/v1/measures/cures", **WHOLE)
    relapsed = 0
    for month in answer["parts"][0]["months"]:
        opening, closing = closes_of(told, month)
        after = date.fromisoformat(month["closing_on"]) + timedelta(days=1)
        watched = each_day(after, after + timedelta(days=89))
        closes = [told.at(day) for day in watched] if watched[-1] <= LAST_CLOSE else None
        for bucket in month["buckets"]:
            if closes is None:
                assert bucket["relapsed"] is None
                continue
            cured = cured_in(opening, closing, BUCKETS[bucket["bucket"]])
            expected = portfolio.relapse_rate(cured, closes)
            found = bucket["relapsed"]
            assert (found["loans"], found["rate_by_count"]) == (expected.numerator, shown(expected))
            assert found["last_on"] == str(watched[-1])
            relapsed += expected.numerator
    assert relapsed > 0


def cured_in(opening: list[Loan], closing: list[Loan], bucket: DelinquencyBucket) -> set[str]:
    """The loans that the domain counts as cured."""
    after = {loan.loan_id: loan for loan in closing}
    return {
        loan.loan_id
        for loan in opening
        if portfolio.cure_rate([loan], [after[loan.loan_id]], bucket).cured.count.numerator
    }


async def test_moves_by_installments_missed_are_those_of_the_domain(told: Told) -> None:
    answer = await ask(told.client, "/v1/measures/missed-roll-rates", **WHOLE)
    reached: set[str] = set()
    for month in answer["months"]:
        opening, closing = closes_of(told, month)
        by_amount = portfolio.roll_rates_by_missed(opening, closing)
        by_count = portfolio.roll_rates_by_missed(opening, closing, by_amount=False)
        for row in month["rows"]:
            for move in row["to"]:
                place = move["place"] if move["place"][0].isdigit() else move["place"].upper()
                amount, count = by_amount[row["missed"]][place], by_count[row["missed"]][place]
                assert (minor(move["principal"]), minor(row["opening"]["principal"]), move["roll_rate"]) == (
                    amount.numerator,
                    amount.denominator,
                    shown(amount),
                )
                assert (move["loans"], row["opening"]["loans"], move["transition"]) == (
                    count.numerator,
                    count.denominator,
                    shown(count),
                )
                reached |= {place} if move["loans"] else set()
    assert reached >= {"0", "1", "2", "3", "CLOSED", "CHARGED_OFF", "WRITTEN_OFF"}


async def test_the_sums_are_those_of_the_loans_whatever_came_late(told: Told, dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        kept = "SELECT branch_key, product_key, day, measure, items, total FROM reporting.tally_day"
        of_loans = """
            SELECT branch_key, product_key, e.day, e.measure, sum(e.items), sum(e.total)
            FROM reporting.loan_tally t CROSS JOIN unnest(t.day, t.measure, t.items, t.total)
                AS e (day, measure, items, total)
            GROUP BY 1, 2, 3, 4"""
        sums = {tuple(row) for row in await connection.fetch(f"{kept} WHERE items <> 0 OR total <> 0")}
        assert sums == {tuple(row) for row in await connection.fetch(of_loans)}
        assert len(sums) > len(told.at(LAST_CLOSE))
    finally:
        await connection.close()


async def test_today_stands_beside_the_closed_days(told: Told) -> None:
    answer = await ask(told.client, "/v1/measures/collection", to="2024-06")
    today = answer["today"]
    assert (today["day"], minor(today["due"]), today["collected_share"]) == (str(on_day(DAYS)), 0, None)


async def test_a_book_without_a_close_has_no_month(postgres: Database, database_template: str) -> None:
    async for empty in copied(postgres, database_template):
        await add_book(empty, business_on=on_day(0))
        await execute(empty, "INSERT INTO core.currency (code, exponent) VALUES ('EUR', 2)")
        async with api_on(empty) as client:
            for path in ("collection", "punctuality", "write-offs", "cures"):
                answer = await ask(client, f"/v1/measures/{path}")
                assert (answer["as_of"], [part["months"] for part in answer["parts"]]) in NOTHING
            assert (await ask(client, "/v1/measures/missed-roll-rates"))["months"] == []
