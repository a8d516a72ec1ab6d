"""Measures of periods and between month ends through the API against the domain, on a generated book."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import asyncpg
import pytest

from loanbook.domain.loan import Loan
from tests.builders import on_day
from tests.feeding import add_book
from tests.integration.analytics_api.conftest import api_on, ask, copied, execute
from tests.integration.analytics_api.telling import DAYS, Told, fill, some_stories
from tests.measures import (
    check_collection,
    check_cures,
    check_missed_roll_rates,
    check_punctuality,
    check_relapses,
    check_resolution,
    check_write_offs,
    days_of,
    minor,
)
from tests.parts import Database

pytestmark = pytest.mark.integration
LAST_CLOSE = on_day(DAYS - 1)
KINDS = ("cured", "by_restructure", "by_waiver", "written_off")
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
        check_collection(month, loans)


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
        check_punctuality(month, loans)


async def test_late_installments_are_met_as_soon_as_the_domain_says(told: Told) -> None:
    answer = await ask(told.client, "/v1/measures/resolution", **WHOLE)
    check_resolution(answer, told.at(LAST_CLOSE))
    curve = answer["curve"]
    assert 0 < curve[6]["met"] < curve[29]["met"]
    wanted = [point["within_days"] for point in curve if point["met"] >= 0.95 * point["late"] > 0]
    assert answer["days_to_95_percent"] == (wanted[0] if wanted else None)


@pytest.mark.parametrize("query", [{}, {"by": "branch"}])
async def test_losses_and_recoveries_are_those_of_the_domain(told: Told, query: dict[str, str]) -> None:
    answer = await ask(told.client, "/v1/measures/write-offs", **WHOLE, **query)
    for part in answer["parts"]:
        loans = told.at(LAST_CLOSE, branch=part["part"])
        for month in part["months"]:
            check_write_offs(month, loans, partial(told.at, branch=part["part"]))


@pytest.mark.parametrize("query", [{}, {"by": "branch"}])
async def test_cures_are_those_of_the_domain_bucket_by_bucket(told: Told, query: dict[str, str]) -> None:
    answer = await ask(told.client, "/v1/measures/cures", **WHOLE, **query)
    kinds: Counter[str] = Counter()
    for part in answer["parts"]:
        assert [month["month"] for month in part["months"]] == [f"2024-0{n}" for n in range(2, 7)]
        check_cures(part["months"], partial(told.at, branch=part["part"]), told.at)
        for bucket in (bucket for month in part["months"] for bucket in month["buckets"]):
            kinds.update({name: bucket[name]["loans"] for name in KINDS})
    assert not query or min(kinds[name] for name in KINDS) > 0


async def test_relapses_are_those_of_the_domain_once_ninety_days_are_closed(told: Told) -> None:
    answer = await ask(told.client, "/v1/measures/cures", **WHOLE)
    assert check_relapses(answer["parts"][0]["months"], told.at, LAST_CLOSE) > 0


async def test_moves_by_installments_missed_are_those_of_the_domain(told: Told) -> None:
    answer = await ask(told.client, "/v1/measures/missed-roll-rates", **WHOLE)
    check_missed_roll_rates(answer, told.at)
    moves = [move for month in answer["months"] for row in month["rows"] for move in row["to"]]
    reached = {move["place"] for move in moves if move["loans"]}
    assert reached >= {"0", "1", "2", "3", "closed", "charged_off", "written_off"}


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
