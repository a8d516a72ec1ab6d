"""Pages picked from a picture against a plain sort of the same loans; and how long a picture is kept."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from analytics_api.store.listing import DAY_0, LoanPicture, pick
from analytics_api.store.pictures import LoanPictures
from analytics_api.store.queries import LoanQuery, Selection

TODAY = date(2026, 3, 20)
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
BRANCHES = {1: ("Eastgate", "Coast"), 2: ("Amber Quay", "Coast"), 3: ("Fernhill", "North")}
PRODUCTS = {1: "Starter", 2: "Bridge"}
TYPES = {
    "slice": "i2", "loan_key": "i8", "currency_key": "i2", "branch_key": "i4", "product_key": "i4",
    "status": "i2", "bucket": "i2", "band": "i2", "past_due_on": "i4", "overdue": "i8", "risk_score": "i2",
}  # fmt: skip
NULLABLE = {"band", "past_due_on", "risk_score"}


def loans(count: int, seed: int) -> list[dict[str, Any]]:
    """Loans in the order of their ids, many of them alike."""
    draw = random.Random(seed)
    return [
        {
            "slice": number % 16,
            "loan_key": number,
            "currency_key": draw.choice((1, 1, 2)),
            "branch_key": draw.choice((0, 1, 2, 3)),
            "product_key": draw.choice((0, 1, 2)),
            "status": draw.choice((1, 1, 3, 6)),
            "bucket": draw.choice((0, 0, 0, 1, 4)),
            "band": draw.choice((None, 0, 3)),
            "past_due_on": draw.choice((None, None, 9_500, 9_570)),
            "overdue": draw.choice((0, 0, draw.randrange(10**12))),
            "risk_score": draw.choice((None, draw.randrange(100))),
        }
        for number in range(count)
    ]


def picture_of(rows: list[dict[str, Any]]) -> LoanPicture:
    columns = {
        name: np.array([_stored(row[name], kind) for row in rows], dtype=kind) for name, kind in TYPES.items()
    }
    return LoanPicture(taken_at=NOW, columns=columns, branches=BRANCHES, products=PRODUCTS)


def _stored(value: int | None, kind: str) -> int:
    return int(np.iinfo(kind).min) if value is None else value


def late(row: dict[str, Any]) -> int:
    return 0 if row["past_due_on"] is None else (TODAY - DAY_0).days - int(row["past_due_on"])


def value_of(row: dict[str, Any], sort: str) -> Any:
    match sort:
        case "loan_id":
            return row["loan_key"]
        case "days_past_due":
            return late(row)
        case "branch":
            return BRANCHES[row["branch_key"]][0] if row["branch_key"] else None
        case "product":
            return PRODUCTS.get(row["product_key"])
    return row[sort]


def plainly(rows: list[dict[str, Any]], query: LoanQuery) -> list[int]:
    """Keys of all loans that pass, in order."""
    have = [row for row in rows if value_of(row, query.sort) is not None]
    have.sort(key=lambda row: value_of(row, query.sort), reverse=query.descending)
    return [row["loan_key"] for row in (*have, *(row for row in rows if value_of(row, query.sort) is None))]


@pytest.mark.parametrize(
    "sort", ["loan_id", "branch", "product", "status", "days_past_due", "overdue", "risk_score"]
)
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("count", [0, 1, 7, 12_000])
def test_pages_are_those_of_a_plain_sort(sort: str, count: int, *, descending: bool) -> None:
    rows = loans(count, seed=count)
    picture = picture_of(rows)
    for offset, limit in ((0, 5), (3, 500), (max(0, count - 3), 9), (count // 2, 50)):
        query = LoanQuery(
            book_key=1, business_on=TODAY, sort=sort, descending=descending, offset=offset, limit=limit
        )
        picked = pick(picture, query)
        assert picked.loan_keys == plainly(rows, query)[offset : offset + limit]
        assert picked.slices == [key % 16 for key in picked.loan_keys]
        assert picked.total == count


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        ({"currency_key": 2}, lambda row: row["currency_key"] == 2),
        ({"selection": Selection(regions=["Coast"])}, lambda row: row["branch_key"] in {1, 2}),
        ({"selection": Selection(regions=["unknown", "North"])}, lambda row: row["branch_key"] in {0, 3}),
        ({"selection": Selection(regions=["Coast"], branches=["Fernhill"])}, lambda _: False),
        ({"selection": Selection(products=["Bridge", "unknown"])}, lambda row: row["product_key"] in {0, 2}),
        ({"statuses": [6, 3], "buckets": [4]}, lambda row: row["status"] != 1 and row["bucket"] == 4),
        ({"bands": [0]}, lambda row: row["band"] == 0),
        ({"days_past_due_min": 10}, lambda row: late(row) >= 10),
        ({"days_past_due_min": 0, "days_past_due_max": 9}, lambda row: late(row) <= 9),
        ({"overdue_only": True}, lambda row: row["overdue"] > 0),
    ],
)
def test_a_filter_lets_pass_what_it_says(filters: dict[str, Any], passes: Any) -> None:
    rows = loans(2_000, seed=3)
    picked = pick(
        picture_of(rows),
        LoanQuery(book_key=1, business_on=TODAY, sort="loan_id", descending=False, limit=2_000, **filters),
    )
    assert picked.loan_keys == [row["loan_key"] for row in rows if passes(row)]
    assert picked.total == len(picked.loan_keys)


@dataclass
class Camera:
    """Takes pictures that cost so many seconds of a clock that is moved by hand."""

    cost_s: float
    now_s: float = 0
    taken: list[float] = field(default_factory=list)

    async def take(self, _: int) -> LoanPicture:
        self.taken.append(self.now_s)
        await asyncio.sleep(0)
        self.now_s += self.cost_s
        return picture_of([])


async def test_a_picture_that_costs_nothing_is_taken_for_each_who_asks() -> None:
    camera = Camera(cost_s=0.01)
    pictures = LoanPictures(camera.take, clock=lambda: camera.now_s)
    first = await pictures.picture_of(1)
    assert await pictures.picture_of(1) is not first


async def test_askers_at_the_same_time_share_one_picture() -> None:
    camera = Camera(cost_s=0.01)
    pictures = LoanPictures(camera.take, clock=lambda: camera.now_s)
    first, second = await asyncio.gather(pictures.picture_of(1), pictures.picture_of(1))
    assert first is second


async def test_a_costly_picture_is_good_for_twenty_times_its_cost_and_a_minute_at_most() -> None:
    for cost_s, good_s in ((0.45, 8), (5, 60)):
        camera = Camera(cost_s=cost_s)
        pictures = LoanPictures(camera.take, clock=lambda camera=camera: camera.now_s)  # type: ignore[misc]
        first = await pictures.picture_of(1)
        camera.now_s = good_s - 0.1
        assert await pictures.picture_of(1) is first
        camera.now_s = good_s + 0.1
        assert await pictures.picture_of(1) is first  # its successor is on its way
        await asyncio.sleep(0.01)
        assert await pictures.picture_of(1) is not first
        pictures.close()


async def test_nobody_is_given_a_picture_that_is_long_past() -> None:
    camera = Camera(cost_s=1)
    pictures = LoanPictures(camera.take, clock=lambda: camera.now_s)
    first = await pictures.picture_of(1)
    camera.now_s = 600
    assert await pictures.picture_of(1) is not first
    pictures.close()


async def test_after_a_failure_the_next_who_asks_has_another_try() -> None:
    async def fails(_: int) -> LoanPicture:
        message = "away"
        raise OSError(message)

    pictures = LoanPictures(fails, clock=lambda: 0)
    for _ in range(2):
        with pytest.raises(OSError, match="away"):
            await pictures.picture_of(1)
