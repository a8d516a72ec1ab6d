"""The book by who the borrowers are, and the oldest arrears, through the API; live, closed and told anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import httpx
import pytest

from tests.builders import on_day
from tests.integration.analytics_api.conftest import CLOSED, TODAY, Getter, api_on, ask, execute

pytestmark = pytest.mark.integration
BORROWERS = """
INSERT INTO core.borrower
    (book_key, borrower_id, birth_year, gender, education, dependents, region, recorded_at)
SELECT b.book_key, w.*, now() FROM core.book b, (VALUES
    ('b-L-1', 1999::smallint, 'female', 'college', 0::smallint, 'Hills'),
    ('b-L-2', 2000::smallint, 'male', NULL, 2::smallint, 'Hills'),
    ('b-L-3', 1960::smallint, 'female', 'college', 2::smallint, 'Coast'),
    ('b-L-4', 2007::smallint, 'female', 'master', NULL, 'Coast')) w
"""


@pytest.fixture
async def desk(book: str) -> AsyncIterator[httpx.AsyncClient]:
    """The API on the filled book, where four of five borrowers are known."""
    await execute(book, BORROWERS)
    async with api_on(book) as client:
        yield client


async def split(desk: httpx.AsyncClient, by: str, **query: Any) -> dict[str, tuple[int, int, str]]:
    """Disbursed loans, active loans and overdue amount of each part."""
    answer = await ask(desk, "/v1/segments", by=by, **query)
    totals = {item["name"]: item["figures"]["totals"] for item in answer["items"]}
    return {
        name: (found["disbursed_loans"], found["active_loans"], found["overdue"]["amount"])
        for name, found in totals.items()
    }


async def test_every_attribute_splits_the_live_book(desk: httpx.AsyncClient) -> None:
    assert await split(desk, "gender") == {
        "female": (3, 2, "100.00"),
        "male": (1, 1, "200.00"),
        "unknown": (1, 1, "50.00"),
    }
    assert list(await split(desk, "education")) == ["college", "master", "unknown"]
    assert list(await split(desk, "region")) == ["Coast", "Hills", "unknown"]
    assert list(await split(desk, "dependents")) == ["0", "2", "unknown"]
    assert await split(desk, "housing") == await split(desk, "employment") == {"unknown": (5, 4, "350.00")}


async def test_age_is_that_of_the_day_and_unknown_is_a_band_of_its_own(desk: httpx.AsyncClient) -> None:
    bands = {name: loans for name, (loans, *_) in (await split(desk, "age_band")).items()}
    assert bands == {"18-24": 1, "25-34": 1, "55-64": 1, "under 18": 1, "unknown": 1}


@pytest.mark.parametrize("query", [{}, {"as_of": str(on_day(CLOSED))}, {"branch": "B1"}, {"product": "P2"}])
@pytest.mark.parametrize("by", ["gender", "age_band", "dependents"])
async def test_the_parts_add_up_to_the_book(desk: httpx.AsyncClient, by: str, query: dict[str, str]) -> None:
    parts = await ask(desk, "/v1/segments", by=by, **query)
    whole = (await ask(desk, "/v1/portfolio", **query))["figures"]
    found = [item["figures"] for item in parts["items"]]
    for name, value in whole["totals"].items():
        told = [part["totals"][name] for part in found]
        if isinstance(value, dict):
            assert sum(cents(amount) for amount in told) == cents(value)
        else:
            assert sum(told) == value
    for place, bucket in enumerate(whole["buckets"]):
        told = [part["buckets"][place] for part in found]
        assert sum(part["loans"] for part in told) == bucket["loans"]
        assert sum(cents(part["principal_outstanding"]) for part in told) == cents(
            bucket["principal_outstanding"]
        )


async def test_an_attribute_that_is_none_is_refused(api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/segments", params={"by": "shoe_size"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "by")


@pytest.mark.parametrize(
    ("query", "oldest_due_on"),
    [
        ({}, on_day(5)),
        ({"as_of": str(on_day(CLOSED))}, on_day(5)),
        ({"branch": "B0"}, on_day(30)),
        ({"branch": "B0", "as_of": str(on_day(CLOSED))}, on_day(30)),
        ({"product": "P1", "region": "South"}, on_day(60)),
        ({"product": "P1", "region": "South", "as_of": str(on_day(CLOSED))}, None),
    ],
)
async def test_the_oldest_arrears_are_those_of_the_part_and_the_day(
    get: Getter, query: dict[str, str], oldest_due_on: date | None
) -> None:
    as_of = on_day(CLOSED) if "as_of" in query else on_day(TODAY)
    answer = await get("/v1/portfolio", **query, oldest=True)
    assert answer["days_past_due_max"] == ((as_of - oldest_due_on).days if oldest_due_on else 0)


async def test_the_oldest_arrears_of_a_closed_day_are_told_when_asked_for(get: Getter) -> None:
    assert (await get("/v1/portfolio", as_of=str(on_day(CLOSED))))["days_past_due_max"] is None


def cents(amount: dict[str, str]) -> int:
    return int(amount["amount"].replace(".", ""))
