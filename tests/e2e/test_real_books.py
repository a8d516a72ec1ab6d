"""Real loan books by import, Kafka, ingest and API: the figures that were worked out elsewhere are met."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests import real_books
from tests.real_books import BOOKS, CURRENCIES
from tests.stack import DATA, Stack

pytestmark = [pytest.mark.integration, pytest.mark.e2e]


@pytest.fixture(scope="module", autouse=True)
def running(stack: Stack) -> None:
    stack.start("ingest", "analytics")


@pytest.mark.parametrize("untidy", [False, True], ids=["in_order", "shuffled_and_repeated"])
@pytest.mark.parametrize("name", BOOKS)
async def test_a_real_book_gives_the_expected_portfolio_at_each_day(
    stack: Stack, name: str, untidy: bool
) -> None:
    if not (DATA / name).is_dir():
        pytest.skip(f"the book {name} is not here")
    expected = real_books.expected(name)
    days = sorted(expected)
    book = f"{name}-{'untidy' if untidy else 'tidy'}"
    disorder = ["--shuffle", "--duplicate-every", "10"] if untidy else []
    first_day = min(item.counts_on for item in real_books.happenings(name))
    opened = stack.command("book", "add", book, "--currency", CURRENCIES[name], "--opens-on", str(first_day))
    assert opened.returncode == 0, opened.stderr
    closings = ",".join(str(day) for day in days)
    done = stack.command(
        "import", str(DATA / name), "--mapping", name, "--book", book,
        "--until", str(days[-1]), "--close-days", closings, *disorder,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    await stack.until_day(book, days[-1] + timedelta(days=1))
    for day in days:
        assert await told(stack, book, day, expected[day]) == expected[day], f"{name} at {day}"


async def told(stack: Stack, book: str, day: date, wanted: dict[str, Any]) -> dict[str, Any]:
    """The figures that the API gives, and each split of the book that is wanted."""
    query = {"book": book, "as_of": str(day)}
    found = real_books.answered(await stack.get("/v1/portfolio", **query, oldest="true"))
    for split in (name.removeprefix("by_") for name in wanted if name.startswith("by_")):
        path, more = ("/v1/branches", {}) if split == "branch" else ("/v1/segments", {"by": split})
        found[f"by_{split}"] = real_books.answered_split(await stack.get(path, **query, **more))
    return found
