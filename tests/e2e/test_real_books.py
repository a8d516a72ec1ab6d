"""Real loan books by import, Kafka, ingest and API: the figures that were worked out elsewhere are met.

What the figures mean stands beside the data: outstanding is scheduled less paid, and the principal
at risk is pro rata (principal x outstanding / scheduled).
"""

from __future__ import annotations

import csv
import gzip
import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.stack import DATA, Stack

pytestmark = [pytest.mark.integration, pytest.mark.e2e]
CURRENCIES = {"loan_payments_500": "USD", "superlender": "NGN", "airtime_loans": "BRL"}
AT_RISK = {0: "par0_principal", 30: "par30_principal", 60: "par60_principal", 90: "par90_principal"}
SIX_PLACES = Decimal("0.000001")


@pytest.fixture(scope="module", autouse=True)
def running(stack: Stack) -> None:
    stack.start("ingest", "analytics")


@pytest.mark.parametrize("untidy", [False, True], ids=["in_order", "shuffled_and_repeated"])
@pytest.mark.parametrize("name", ["loan_payments_500", "superlender", "airtime_loans"])
async def test_a_real_book_gives_the_expected_portfolio_at_each_day(
    stack: Stack, name: str, untidy: bool
) -> None:
    if not (DATA / name).is_dir():
        pytest.skip(f"the book {name} is not here")
    expected = expected_portfolios(name)
    days = sorted(expected)
    book = f"{name}-{'untidy' if untidy else 'tidy'}"
    disorder = ["--shuffle", "--duplicate-every", "10"] if untidy else []
    opened = stack.command(
        "book", "add", book, "--currency", CURRENCIES[name], "--opens-on", str(first_day(name))
    )
    assert opened.returncode == 0, opened.stderr
    closings = ",".join(str(day) for day in days)
    done = stack.command(
        "import", str(DATA / name), "--mapping", name, "--book", book,
        "--until", str(days[-1]), "--close-days", closings, *disorder,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    await stack.until_day(book, days[-1] + timedelta(days=1))
    for day in days:
        answer = await stack.get("/v1/portfolio", book=book, currency=CURRENCIES[name], as_of=str(day))
        assert figures_of(answer) == wanted(expected[day]), f"{name} at {day}"


def expected_portfolios(name: str) -> dict[date, dict[str, Any]]:
    """The portfolio blocks of a book, by day."""
    found = json.loads((DATA / name / "expected.json").read_text())
    blocks = found.get("portfolio") or found["figures"]["portfolio"]
    return {date.fromisoformat(day): block for day, block in blocks.items()}


def first_day(name: str) -> date:
    """The day of the first disbursement."""
    with gzip.open(DATA / name / "loans.csv.gz", "rt") as file:
        return min(date.fromisoformat(row["disbursed_at"][:10]) for row in csv.DictReader(file))


def wanted(block: dict[str, Any]) -> dict[str, Any]:
    """The expected block in the terms of `figures_of`."""
    return {
        "loans_disbursed": block["loans_disbursed"],
        "principal_disbursed": Decimal(str(block["principal_disbursed"])),
        "paid_total": Decimal(str(block["paid_total"])),
        "loans_active": block["loans_active"],
        "loans_closed": block["loans_closed"],
        "outstanding_scheduled": Decimal(str(block["outstanding_scheduled"])),
        "outstanding_principal_prorata": Decimal(str(block["outstanding_principal_prorata"])),
        "arrears": Decimal(str(block["arrears"])),
        "overdue_loans": block["overdue_loans"],
        "buckets_loans": block["buckets_loans"],
        "buckets_outstanding": {
            bucket: Decimal(str(value)) for bucket, value in block["buckets_outstanding_scheduled"].items()
        },
        "at_risk": {days: Decimal(str(block[name])).quantize(SIX_PLACES) for days, name in AT_RISK.items()},
    }


def figures_of(answer: dict[str, Any]) -> dict[str, Any]:
    """The API's answer in the terms of the expected block; no portfolio, no ratio: 0 there, null with us."""
    totals = answer["figures"]["totals"]
    buckets = answer["figures"]["buckets"]
    ratios = {part["over_days"]: part["ratio"] for part in answer["figures"]["portfolio_at_risk"]}
    return {
        "loans_disbursed": totals["disbursed_loans"],
        "principal_disbursed": amount(totals["disbursed"]),
        "paid_total": amount(totals["paid"]),
        "loans_active": totals["active_loans"],
        "loans_closed": totals["fully_paid_loans"],
        "outstanding_scheduled": amount(totals["total_outstanding"]),
        "outstanding_principal_prorata": amount(totals["principal_outstanding"]),
        "arrears": amount(totals["overdue"]),
        "overdue_loans": totals["overdue_loans"],
        "buckets_loans": {part["bucket"]: part["loans"] for part in buckets},
        "buckets_outstanding": {part["bucket"]: amount(part["total_outstanding"]) for part in buckets},
        "at_risk": {
            days: Decimal(0 if ratios[days] is None else str(ratios[days])).quantize(SIX_PLACES)
            for days in AT_RISK
        },
    }


def amount(money: dict[str, str]) -> Decimal:
    """Major units of an API amount."""
    return Decimal(money["amount"])
