"""Portfolio figures of the API against figures worked out by hand."""

from __future__ import annotations

from decimal import Decimal

import httpx
import pytest

from tests.builders import on_day
from tests.integration.analytics_api.conftest import CLOSED, TODAY, Getter, api_on, ask, execute

pytestmark = pytest.mark.integration


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


async def test_totals_count_active_loans_only(get: Getter) -> None:
    answer = await get("/v1/portfolio")
    assert answer["as_of"] == str(on_day(TODAY))
    assert answer["live"] is True
    # lent: three times 300, once 200, once 50; paid: 200 + 100 + 200, the returned 100 not among it
    assert answer["figures"]["totals"] == {
        "disbursed": eur("1150.00"),
        "disbursed_loans": 5,
        "paid": eur("500.00"),
        "fully_paid_loans": 1,
        "principal_outstanding": eur("650.00"),
        "total_outstanding": eur("650.00"),
        "active_loans": 4,
        "overdue": eur("350.00"),
        "overdue_loans": 3,
    }


async def test_portfolio_at_risk_is_whole_principal_past_the_threshold(get: Getter) -> None:
    par = {item["over_days"]: item for item in (await get("/v1/portfolio"))["figures"]["portfolio_at_risk"]}
    # of 650.00: L-3 is 10 days late (200.00), L-2 40 (300.00), L-5 65 (50.00)
    assert {days: item["ratio"] for days, item in par.items()} == {
        0: 0.846154,
        30: 0.538462,
        60: 0.076923,
        90: 0,
    }
    assert {days: item["ratio_by_count"] for days, item in par.items()} == {0: 0.75, 30: 0.5, 60: 0.25, 90: 0}
    assert par[30]["numerator"] == eur("350.00")
    assert par[30]["denominator"] == eur("650.00")
    assert (par[30]["loans"], par[30]["loans_of"]) == (2, 4)


async def test_the_arrears_rate_counts_only_what_is_overdue(get: Getter) -> None:
    rate = (await get("/v1/portfolio"))["figures"]["arrears_rate"]
    assert rate == {"ratio": 0.538462, "numerator": eur("350.00"), "denominator": eur("650.00")}


async def test_buckets_sum_to_the_portfolio(get: Getter) -> None:
    buckets = (await get("/v1/portfolio"))["figures"]["buckets"]
    assert [(b["bucket"], b["loans"], b["principal_outstanding"]["amount"]) for b in buckets] == [
        ("current", 1, "100.00"),
        ("1-30", 1, "200.00"),
        ("31-60", 1, "300.00"),
        ("61-90", 1, "50.00"),
        ("91+", 0, "0.00"),
    ]


async def test_standings_share_out_all_disbursed_loans(get: Getter) -> None:
    standings = (await get("/v1/portfolio"))["figures"]["standings"]
    assert [(s["standing"], s["loans"], s["share_of_loans"]) for s in standings] == [
        ("performing", 1, 0.2),
        ("underperforming", 3, 0.6),
        ("defaulted", 0, 0),
        ("fully_paid", 1, 0.2),
        ("charged_off", 0, 0),
        ("written_off", 0, 0),
    ]
    assert sum(s["share_of_disbursed"] for s in standings) == pytest.approx(1)


async def test_a_charged_off_loan_leaves_the_portfolio_at_risk(book: str) -> None:
    await execute(book, "UPDATE core.book_now SET status = 6 WHERE bucket = 3")
    async with api_on(book) as client:
        figures = (await ask(client, "/v1/portfolio"))["figures"]
    assert figures["totals"]["principal_outstanding"] == eur("600.00")
    standing = {s["standing"]: s["loans"] for s in figures["standings"]}
    assert standing["charged_off"] == 1
    assert figures["portfolio_at_risk"][2]["ratio"] == 0


async def test_a_past_close_shows_the_book_of_that_day(get: Getter) -> None:
    answer = await get("/v1/portfolio", as_of=str(on_day(CLOSED)))
    assert (answer["live"], answer["as_of"]) == (False, str(on_day(CLOSED)))
    # day 39: L-1 200, L-2 300 (9 days), L-3 200, L-4 100, L-5 50 (34 days)
    assert answer["figures"]["totals"]["principal_outstanding"] == eur("850.00")
    par = [item["ratio"] for item in answer["figures"]["portfolio_at_risk"]]
    assert par == [0.411765, 0.058824, 0, 0]


async def test_as_known_then_and_as_restated_now_differ_by_what_came_late(book: str) -> None:
    close = on_day(CLOSED)
    await execute(
        book,
        """INSERT INTO core.book_day SELECT slice, business_on, $2, book_key, currency_key, branch_key,
        product_key, bucket, status, 0, 0, 1000, -1000, -1000, 0, 0, 0 FROM core.book_day
        WHERE business_on = $1 AND status = 1 AND bucket = 0 LIMIT 1""",
        close,
        on_day(60),
    )
    async with api_on(book) as client:
        then = await ask(client, "/v1/portfolio", as_of=str(close), known_on=str(close))
        now = await ask(client, "/v1/portfolio", as_of=str(close))
    assert then["figures"]["totals"]["principal_outstanding"] == eur("850.00")
    assert now["figures"]["totals"]["principal_outstanding"] == eur("840.00")


async def test_a_part_of_the_book_has_figures_of_its_own(get: Getter) -> None:
    north = await get("/v1/portfolio", region="North")
    assert north["figures"]["totals"]["principal_outstanding"] == eur("400.00")
    product = await get("/v1/portfolio", product="P2")
    assert product["figures"]["totals"]["principal_outstanding"] == eur("50.00")
    both = await get("/v1/portfolio", branch=["B0", "B1"])
    assert both["figures"]["totals"]["principal_outstanding"] == eur("650.00")


async def test_a_ratio_without_a_denominator_is_null(get: Getter) -> None:
    nothing = await get("/v1/portfolio", branch="nowhere")
    assert nothing["figures"]["portfolio_at_risk"][0]["ratio"] is None
    assert nothing["figures"]["arrears_rate"]["ratio"] is None


async def test_branches_are_ranked_and_compared_with_an_earlier_close(get: Getter) -> None:
    answer = await get("/v1/branches", sort="par_30", compare_to=str(on_day(CLOSED)))
    assert [item["name"] for item in answer["items"]] == ["B0", "B1"]
    first = answer["items"][0]
    assert (first["title"], first["region"]) == ("Market Street", "North")
    assert first["figures"]["portfolio_at_risk"][1]["ratio"] == 0.75  # 300 of 400
    assert first["change"]["par_30"] == 0
    assert first["change"]["par_30_change"] == 0.75
    assert first["change"]["principal_outstanding"] == eur("500.00")
    second = answer["items"][1]["figures"]["portfolio_at_risk"][1]
    assert second["ratio"] == 0.2  # 50 of 250


async def test_a_branch_whose_cells_have_changed_is_told_anew_and_the_others_as_before(book: str) -> None:
    async with api_on(book) as client:
        first = await ask(client, "/v1/branches", sort="name", order="asc")
        await execute(
            book,
            "UPDATE core.book_now SET overdue_minor = 2 * overdue_minor"
            " WHERE branch_key = (SELECT branch_key FROM core.branch WHERE branch = 'B0')",
        )
        second = await ask(client, "/v1/branches", sort="name", order="asc")
    overdue = [item["figures"]["totals"]["overdue"]["amount"] for item in first["items"]]
    assert [item["figures"]["totals"]["overdue"]["amount"] for item in second["items"]] == [
        str(2 * Decimal(overdue[0])),
        overdue[1],
    ]
    assert second["items"][1] == first["items"][1]


async def test_without_a_close_a_month_before_there_is_no_change(get: Getter) -> None:
    answer = await get("/v1/branches", as_of=str(on_day(10)))
    assert [item["change"] for item in answer["items"]] == [None, None]


@pytest.mark.parametrize(
    ("path", "names"), [("/v1/regions", ["North", "South"]), ("/v1/products", ["P1", "P2"])]
)
async def test_the_book_is_cut_by_region_and_product_too(get: Getter, path: str, names: list[str]) -> None:
    answer = await get(path, sort="name", order="asc")
    assert [item["name"] for item in answer["items"]] == names
    principal = sum(float(i["figures"]["totals"]["principal_outstanding"]["amount"]) for i in answer["items"])
    assert principal == 650


async def test_every_answer_says_how_old_its_data_are(api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/portfolio")
    data = answer.json()["data"]
    assert 1 < data["data_age_seconds"] < 600
    assert float(answer.headers["X-Data-Age-Seconds"]) == pytest.approx(data["data_age_seconds"], abs=0.01)
    assert (data["business_on"], data["day_state"]) == (str(on_day(TODAY)), "open")


async def test_who_has_the_figures_already_is_told_so(api: httpx.AsyncClient) -> None:
    first = await api.get("/v1/portfolio")
    again = await api.get("/v1/portfolio", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "X-Data-Age-Seconds" in again.headers
    other = await api.get("/v1/portfolio?branch=B0", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({"book": "other"}, 404, "book"),
        ({"currency": "USD"}, 404, "currency"),
        ({"currency": "euro"}, 422, "currency"),
        ({"as_of": "2024-02-30"}, 422, "as_of"),
        ({"as_of": "2024-12-31"}, 422, "as_of"),
        ({"as_of": "2023-12-31"}, 404, "as_of"),
        ({"known_on": "2024-02-01"}, 422, "known_on"),
        ({"known": "then"}, 422, "known"),
        ({"known": "then", "known_on": str(on_day(CLOSED)), "as_of": str(on_day(CLOSED))}, 422, "known"),
        ({"as_of": str(on_day(CLOSED)), "known_on": "2024-01-02"}, 422, "known_on"),
        ({"colour": "red"}, 422, "colour"),
    ],
)
async def test_a_wrong_question_is_answered_with_its_field(
    api: httpx.AsyncClient, query: dict[str, str], status: int, field: str
) -> None:
    answer = await api.get("/v1/portfolio", params=query)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert answer.json()["status"] == status
