"""Any past day through the API, as known then and restated now: the six faults of mixing them are out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from loanbook.domain.events import DisbursalUndone, LoanCreated
from tests.builders import DAY_0, Story, on_day
from tests.feeding import opened_feed
from tests.integration.analytics_api.conftest import TODAY, Getter, api_on, ask
from tests.integration.ingest.test_history import live_through

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Desk:
    """Asks about one book and its loan L-1, with amounts in minor units."""

    client: httpx.AsyncClient

    async def book(self, day: int, known: str = "now") -> dict[str, Any]:
        """Figures of the whole book at a close."""
        answer = await ask(self.client, "/v1/portfolio", as_of=str(on_day(day)), known=known)
        totals = answer["figures"]["totals"]
        return {
            "active": totals["active_loans"],
            "paid_off": totals["fully_paid_loans"],
            "principal": cents(totals["principal_outstanding"]),
            "overdue": cents(totals["overdue"]),
            "restated": answer["restated"],
        }

    async def loan(self, day: int, known: str = "now") -> Any:
        """The whole loan at a day."""
        return await ask(self.client, "/v1/loans/L-1", as_of=str(on_day(day)), known=known)

    async def facts(self, day: int, known: str = "now") -> tuple[str, int, int, int]:
        """Status, principal, overdue and days past due of the loan at a day."""
        facts = (await self.loan(day, known))["facts"]
        amounts = (cents(facts["principal_outstanding"]), cents(facts["overdue"]))
        return (facts["status"], *amounts, facts["days_past_due"])


def cents(amount: dict[str, str]) -> int:
    return int(amount["amount"].replace(".", ""))


def at_close(**given: Any) -> dict[str, Any]:
    return {"active": 0, "paid_off": 0, "principal": 0, "overdue": 0, "restated": False} | given


@asynccontextmanager
async def desk_of(
    dsn: str, story: Story, days: int, late: dict[str, int] | None = None
) -> AsyncIterator[Desk]:
    """A book that lived through a story day by day, and the API on it."""
    async with opened_feed(dsn, DAY_0) as feed:
        await live_through(feed, story, days, late)
    async with api_on(dsn) as client:
        yield Desk(client)


def a_story(amounts: tuple[int, ...] = (100, 100)) -> Story:
    story = Story()
    story.tell(LoanCreated, 0, branch="B0", product="P1")
    return story.lent(amounts)


async def test_closed_loans_do_not_vanish_from_past_days(database: str) -> None:
    story = a_story()
    story.paid(20, 200)
    async with desk_of(database, story, 25) as desk:
        assert await desk.book(10) == at_close(active=1, principal=200)
        assert await desk.facts(10) == ("active", 200, 0, 0)
        assert await desk.book(22) == at_close(paid_off=1)
        assert await desk.facts(22) == ("closed", 0, 0, 0)


async def test_later_payments_do_not_shrink_earlier_balances(database: str) -> None:
    story = a_story()
    story.paid(30, 100)
    async with desk_of(database, story, 33) as desk:
        assert await desk.book(29) == at_close(active=1, principal=200)
        assert await desk.facts(29) == ("active", 200, 0, 0)
        assert await desk.facts(30) == ("active", 100, 0, 0)
        loan = await desk.loan(29)
    payment = loan["events"][-1]
    assert (payment["type"], payment["counts"]) == ("payment.posted.v1", False)
    assert [item["type"] for item in loan["transactions"]] == ["loan.disbursed.v1"]
    assert loan["unapplied"] == []


async def test_past_overdue_stays_when_it_is_paid_later(database: str) -> None:
    story = a_story()
    story.paid(35, 100)
    async with desk_of(database, story, 37) as desk:
        assert await desk.book(33) == at_close(active=1, principal=200, overdue=100)
        assert await desk.facts(33) == ("active", 200, 100, 3)
        assert (await desk.loan(33))["installments"][0]["state"] == "overdue"
        assert await desk.facts(35) == ("active", 100, 0, 0)


async def test_todays_status_does_not_pick_the_formula_of_past_days(database: str) -> None:
    story = a_story()
    late = {story.paid(33, 200): 5}
    async with desk_of(database, story, 41, late) as desk:
        assert await desk.book(35, "then") == at_close(active=1, principal=200, overdue=100)
        assert await desk.facts(35, "then") == ("active", 200, 100, 5)
        assert await desk.book(35) == at_close(paid_off=1, restated=True)
        assert await desk.facts(35) == await desk.facts(35, "booked") == ("closed", 0, 0, 0)
        assert await desk.book(32) == at_close(active=1, principal=200, overdue=100)
        assert await desk.facts(32) == ("active", 200, 100, 2)


async def test_installments_paid_in_advance_do_not_look_overdue(database: str) -> None:
    story = a_story()
    story.paid(5, 100)
    async with desk_of(database, story, 35) as desk:
        assert await desk.book(33) == at_close(active=1, principal=100)
        assert await desk.facts(33) == ("active", 100, 0, 0)


async def test_a_cancelled_disbursement_does_not_appear(database: str) -> None:
    story = a_story()
    story.tell(DisbursalUndone, 10)
    async with desk_of(database, story, 12) as desk:
        assert await desk.book(5, "then") == at_close(active=1, principal=200)
        assert await desk.facts(5, "then") == ("active", 200, 0, 0)
        assert await desk.book(5) == at_close(restated=True)
        assert (await desk.facts(5))[1:] == (0, 0, 0)


async def test_a_view_knows_by_receipt_by_booking_or_all(database: str) -> None:
    story = a_story()
    payment = story.paid(31, 100, booked=33)  # counts from 31, is booked on 33, comes on 36
    async with desk_of(database, story, 38, {payment: 3}) as desk:
        assert [(await desk.facts(32, known))[1] for known in ("now", "booked", "then")] == [100, 200, 200]
        assert [(await desk.facts(34, known))[1] for known in ("now", "booked", "then")] == [100, 100, 200]
        assert [(await desk.facts(36, known))[1] for known in ("now", "booked", "then")] == [100, 100, 100]
        then = await desk.loan(34, "then")
    assert payment not in {event["event_id"] for event in then["events"]}
    assert (then["as_of"], then["known"], then["live"]) == (str(on_day(34)), "then", False)
    assert (then["score"], then["alerts"], then["branch"]) == (None, [], "B0")


async def test_only_days_told_anew_are_marked_with_what_came_last(database: str) -> None:
    story = a_story()
    late = {story.paid(5, 100): 4}
    async with desk_of(database, story, 12, late) as desk:
        answers = {
            day: await ask(desk.client, "/v1/portfolio", as_of=str(on_day(day))) for day in (4, 5, 8, 9)
        }
        known_then = await ask(desk.client, "/v1/branches", as_of=str(on_day(8)), known_on=str(on_day(8)))
    assert {day: answer["restated_known_on"] for day, answer in answers.items()} == {
        4: None,
        5: str(on_day(9)),
        8: str(on_day(9)),
        9: None,
    }
    assert [answer["restating_loans"] for answer in answers.values()] == [0, 0, 0, 0]
    assert (known_then["restated"], known_then["known_on"]) == (False, str(on_day(8)))


@pytest.mark.parametrize("loan_id", ["L-1", "L-2", "L-3", "L-4", "L-5", "L-7"])
async def test_today_folded_from_the_ledger_is_the_stored_state(get: Getter, loan_id: str) -> None:
    stored = await get(f"/v1/loans/{loan_id}")
    folded = await get(f"/v1/loans/{loan_id}", as_of=str(on_day(TODAY)), known="then")
    same = ("facts", "installments", "transactions", "events", "unapplied", "branch", "region", "product")
    assert {name: folded[name] for name in same} == {name: stored[name] for name in same}
    assert (stored["live"], folded["live"]) == (True, False)


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({"as_of": str(on_day(TODAY + 1))}, 422, "as_of"),
        ({"as_of": "soon"}, 422, "as_of"),
        ({"known": "then"}, 422, "known"),
        ({"known": "never", "as_of": str(on_day(3))}, 422, "known"),
        ({"as_of": "2023-12-31"}, 404, "as_of"),
    ],
)
async def test_a_day_that_cannot_be_told_is_named(
    api: httpx.AsyncClient, query: dict[str, str], status: int, field: str
) -> None:
    answer = await api.get("/v1/loans/L-2", params=query)
    assert answer.status_code == status
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_before_its_first_event_a_loan_is_not_there(api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/loans/L-2", params={"as_of": "2023-12-31"})
    assert "nothing had happened to 'L-2' by 2023-12-31" in answer.json()["detail"]
