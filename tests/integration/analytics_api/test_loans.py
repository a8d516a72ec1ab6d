"""The list of loans and one loan's story, against figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

import httpx
import pytest
from structlog.testing import capture_logs

from analytics_api.schemas.loans import SortName
from analytics_api.store import LoanQuery, PostgresAnalyticsStore, pick, take_picture
from tests.builders import on_day
from tests.integration.analytics_api.conftest import DIGEST, TODAY, Getter, api_on, ask, execute

pytestmark = pytest.mark.integration


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def ids(answer: Any) -> list[str]:
    return [item["loan_id"] for item in answer["items"]]


async def test_loans_come_latest_first_by_default(get: Getter) -> None:
    answer = await get("/v1/loans")
    assert ids(answer)[:3] == ["L-5", "L-2", "L-3"]
    assert [item["days_past_due"] for item in answer["items"]][:4] == [65, 40, 10, 0]
    assert answer["page"] == {"total": 6, "limit": 50, "offset": 0, "next_offset": None}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"branch": "B0"}, {"L-1", "L-2"}),
        ({"region": "South"}, {"L-3", "L-4", "L-5"}),
        ({"branch": "unknown"}, {"L-7"}),
        ({"product": "P2"}, {"L-4", "L-5"}),
        ({"status": "closed"}, {"L-4"}),
        ({"status": ["closed", "pending"]}, {"L-4", "L-7"}),
        ({"bucket": ["1-30", "31-60"]}, {"L-2", "L-3"}),
        ({"band": "HIGH"}, {"L-2"}),
        ({"days_past_due_min": 11}, {"L-2", "L-5"}),
        ({"days_past_due_min": 10, "days_past_due_max": 40}, {"L-2", "L-3"}),
        ({"overdue": "true"}, {"L-2", "L-3", "L-5"}),
        ({"branch": "B1", "overdue": "true"}, {"L-3", "L-5"}),
        ({"currency": "EUR", "status": "active"}, {"L-1", "L-2", "L-3", "L-5"}),
        ({"branch": "nowhere"}, set()),
    ],
)
async def test_a_filter_leaves_exactly_what_it_says(
    get: Getter, query: dict[str, Any], expected: set[str]
) -> None:
    answer = await get("/v1/loans", **query)
    assert set(ids(answer)) == expected
    assert answer["page"]["total"] == len(expected)


@pytest.mark.parametrize(
    ("sort", "order", "expected"),
    [
        ("loan_id", "asc", ["L-1", "L-2", "L-3", "L-4", "L-5", "L-7"]),
        ("principal_outstanding", "desc", ["L-2", "L-3", "L-1", "L-5"]),
        ("overdue", "desc", ["L-2", "L-3", "L-5"]),
        ("risk_score", "desc", ["L-2"]),
        ("disbursed", "asc", ["L-7", "L-5", "L-4"]),
        ("last_payment_on", "desc", ["L-1", "L-4", "L-3"]),
    ],
)
async def test_loans_are_sorted_by_the_column_asked_for(
    get: Getter, sort: str, order: str, expected: list[str]
) -> None:
    answer = await get("/v1/loans", sort=sort, order=order)
    assert ids(answer)[: len(expected)] == expected


@pytest.mark.parametrize("sort", sorted(set(get_args(SortName)) - {"status"}))
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_every_column_sorts_and_what_has_no_value_comes_last(
    get: Getter, sort: str, order: str
) -> None:
    answer = await get("/v1/loans", sort=sort, order=order)
    values = [_comparable(_value(item, sort)) for item in answer["items"]]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=order == "desc")
    assert values == known + [None] * (6 - len(known))


def _value(item: dict[str, Any], sort: str) -> Any:
    if sort == "next_due_on":
        return item["next_due"] and item["next_due"]["due_on"]
    return None if item[sort] == "unknown" else item[sort]


def _comparable(value: Any) -> Any:
    return Decimal(value["amount"]) if isinstance(value, dict) else value


async def test_loans_of_a_page_that_no_longer_pass_are_left_out(shared_book: str) -> None:
    store = await PostgresAnalyticsStore.open(shared_book, size_max=1, statement_timeout=timedelta(seconds=5))
    everything = LoanQuery(book_key=1, business_on=on_day(TODAY), sort="loan_id", descending=False)
    try:
        async with store.reading() as reading:
            picture = await take_picture(reading, 1, datetime.now(UTC))
            picked = pick(picture, everything)
            late = replace(everything, overdue_only=True)
            rows = await reading.fetch_loans(late, picked.slices[::-1], picked.loan_keys[::-1])
    finally:
        await store.close()
    assert picked.total == 6
    assert [row["loan_id"] for row in rows] == ["L-5", "L-3", "L-2"]


async def test_pages_cover_the_list_once(get: Getter) -> None:
    seen: list[str] = []
    offset: int | None = 0
    while offset is not None:
        answer = await get("/v1/loans", sort="branch", limit=4, offset=offset)
        seen += ids(answer)
        offset = answer["page"]["next_offset"]
    assert sorted(seen) == ["L-1", "L-2", "L-3", "L-4", "L-5", "L-7"]


async def test_a_page_past_the_end_still_knows_the_total(get: Getter) -> None:
    answer = await get("/v1/loans", offset=50)
    assert (answer["items"], answer["page"]["total"]) == ([], 6)


async def test_a_line_of_the_list_shows_state_and_score(get: Getter) -> None:
    line = (await get("/v1/loans", band="HIGH"))["items"][0]
    assert line["principal_outstanding"] == eur("300.00")
    assert line["overdue"] == eur("200.00")
    assert (line["bucket"], line["status"]) == ("31-60", "active")
    assert line["next_due"] == {"due_on": str(on_day(90)), "amount": eur("100.00")}
    assert (line["risk_score"], line["risk_band"]) == (71, "HIGH")
    assert line["expected_loss"] == eur("33.75")


async def test_one_loan_tells_its_facts(get: Getter) -> None:
    loan = await get("/v1/loans/L-2")
    facts = loan["facts"]
    assert (loan["borrower_id"], loan["branch"], loan["region"]) == ("b-L-2", "B0", "North")
    assert (facts["status"], facts["days_past_due"], facts["past_due_on"]) == ("active", 40, str(on_day(30)))
    assert facts["paid"] == eur("0.00")
    assert facts["overdue"] == eur("200.00")
    assert facts["returned_payments"] == 1
    assert loan["as_of"] == str(on_day(TODAY))


async def test_installments_show_what_is_met_late_and_to_come(get: Getter) -> None:
    loan = await get("/v1/loans/L-3")
    assert [(i["number"], i["state"], i["days_late"]) for i in loan["installments"]] == [
        (1, "paid", 0),
        (2, "overdue", 10),
        (3, "upcoming", 0),
    ]
    assert loan["installments"][0]["met_on"] == str(on_day(30))
    assert loan["installments"][1]["outstanding"] == eur("100.00")


async def test_transactions_carry_portions_and_what_is_left(get: Getter) -> None:
    loan = await get("/v1/loans/L-1")
    payments = [t for t in loan["transactions"] if t["type"] == "payment.posted.v1"]
    assert [p["portions"]["principal"]["amount"] for p in payments] == ["100.00", "100.00"]
    assert [p["principal_outstanding_after"]["amount"] for p in payments] == ["200.00", "100.00"]
    assert all(p["portions_estimated"] for p in payments)


async def test_a_returned_payment_is_shown_as_reversed(get: Getter) -> None:
    loan = await get("/v1/loans/L-2")
    returned = [t for t in loan["transactions"] if t["reversed"]]
    assert [t["amount"] for t in returned] == [eur("100.00")]
    kinds = {e["type"] for e in loan["events"]}
    assert {"payment.posted.v1", "payment.reversed.v1"} <= kinds


async def test_events_carry_their_three_dates(get: Getter) -> None:
    loan = await get("/v1/loans/L-7")
    event = loan["events"][0]
    assert (event["effective_on"], event["business_on"]) == (str(on_day(68)), str(on_day(69)))
    assert event["known_on"] == str(on_day(TODAY))
    assert (event["counts"], event["unapplied_reason"]) == (False, "before_disbursement")
    assert loan["unapplied"] == [
        {"event_id": "L-7-p", "reason": "before_disbursement", "amount": eur("25.00")}
    ]


async def test_the_score_comes_with_reasons_and_the_alerts(get: Getter) -> None:
    loan = await get("/v1/loans/L-2")
    assert loan["score"]["reasons"][0] == {
        "code": "days_past_due",
        "points": 18,
        "text": "40 days past due",
        "on": None,
    }
    assert loan["score"]["changes"][0]["on"] == "2024-03-11"
    assert loan["score"]["behind"] is False
    assert [(a["rule"], a["severity"], a["state"]) for a in loan["alerts"]] == [
        ("days_past_due", "HIGH", "open")
    ]
    assert (await get("/v1/loans/L-1"))["score"] is None


async def test_a_quarantined_loan_shows_why_and_keeps_its_events(book: str) -> None:
    await execute(book, "UPDATE core.loan_state SET quarantine = 'ZeroDivisionError: x' WHERE version > 2")
    async with api_on(book) as client:
        loan = await ask(client, "/v1/loans/L-2")
    assert loan["quarantine"] == "ZeroDivisionError: x"
    assert loan["transactions"] == []
    assert len(loan["events"]) == 5


async def test_reading_one_loan_is_noted_with_the_key_and_no_borrower(api: httpx.AsyncClient) -> None:
    with capture_logs() as lines:
        await api.get("/v1/loans/L-2")
    noted = [line for line in lines if line["event"] == "loan_read"]
    assert noted == [
        {
            "event": "loan_read",
            "log_level": "info",
            "key_id": DIGEST[:12],
            "book": "demo",
            "loan_id": "L-2",
            "found": True,
        }
    ]


@pytest.mark.parametrize(
    ("path", "query", "status", "field"),
    [
        ("/v1/loans", {"limit": "0"}, 422, "limit"),
        ("/v1/loans", {"limit": "501"}, 422, "limit"),
        ("/v1/loans", {"offset": "-1"}, 422, "offset"),
        ("/v1/loans", {"sort": "colour"}, 422, "sort"),
        ("/v1/loans", {"bucket": "late"}, 422, "bucket.0"),
        ("/v1/loans", {"days_past_due_min": "9", "days_past_due_max": "3"}, 422, "query"),
        ("/v1/loans", {"book": "other"}, 404, "book"),
        ("/v1/loans/nobody", {}, 404, "loan_id"),
        ("/v1/loans/L-1", {"book": "other"}, 404, "book"),
        (f"/v1/loans/{'x' * 201}", {}, 422, "loan_id"),
    ],
)
async def test_a_wrong_question_is_answered_with_its_field(
    api: httpx.AsyncClient, path: str, query: dict[str, str], status: int, field: str
) -> None:
    answer = await api.get(path, params=query)
    assert answer.status_code == status
    assert [error["field"] for error in answer.json()["errors"]] == [field]
