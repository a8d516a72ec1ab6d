"""Upstream's statements about its loans against our figures at the same day."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.store import PostgresLoanStore
from loanbook.domain.events import LoanSnapshot
from loanbook.domain.money import Minor
from tests.builders import on_day
from tests.feeding import Feed, encoded
from tests.integration.analytics_api.conftest import TODAY, api_on, ask, execute

pytestmark = pytest.mark.integration


def statement(loan_id: str, day: int, **figures: Any) -> tuple[str, bytes]:
    """What upstream says of a loan at the close of a day."""
    for name in ("principal_outstanding_minor", "overdue_minor"):
        if name in figures:
            figures[name] = Minor(figures[name])
    fact = LoanSnapshot(effective_on=on_day(day), business_on=on_day(day), currency="EUR", **figures)
    return encoded(loan_id, fact, event_id=f"{loan_id}-s{day}")


async def state(dsn: str, *statements: tuple[str, bytes]) -> None:
    """Let upstream send statements."""
    store = await PostgresLoanStore.open(dsn, "another-cluster")  # whose partitions begin anew
    try:
        feed = Feed(store)
        await feed.open()
        await feed.send(statements)
    finally:
        await store.close()


async def reconciled(dsn: str, **query: Any) -> Any:
    async with api_on(dsn) as client:
        return await ask(client, "/v1/reconciliation", **query)


async def test_without_statements_every_running_loan_is_unconfirmed(book: str) -> None:
    answer = await reconciled(book)
    assert (answer["loans_stated"], answer["drifting"], answer["never_confirmed"]) == (0, 0, 4)
    assert (answer["newest_stated_on"], answer["worst"], answer["complete"]) == (None, [], True)


async def test_a_statement_is_held_against_the_figures_of_its_own_day(book: str) -> None:
    # L-1 paid on days 30 and 60; on day 45 it owed 200.00, today 100.00
    await state(
        book,
        statement(
            "L-1",
            45,
            principal_outstanding_minor=20_000,
            overdue_minor=0,
            days_past_due=0,
            status="Active",
        ),
    )
    answer = await reconciled(book)
    assert (answer["loans_compared"], answer["drifting"], answer["never_confirmed"]) == (1, 0, 3)
    assert answer["oldest_stated_on"] == answer["newest_stated_on"] == str(on_day(45))


async def test_drift_is_shown_figure_by_figure_the_worst_first(book: str) -> None:
    await state(
        book,
        statement("L-2", TODAY - 1, principal_outstanding_minor=29_000, overdue_minor=20_000),
        statement("L-3", TODAY - 1, principal_outstanding_minor=50, days_past_due=8, status="closed"),
        statement("L-5", TODAY - 1, principal_outstanding_minor=5_000, days_past_due=64),
    )
    answer = await reconciled(book)
    assert (answer["loans_compared"], answer["drifting"]) == (3, 2)
    assert [item["loan_id"] for item in answer["worst"]] == ["L-3", "L-2"]
    worst = answer["worst"][0]
    assert worst["differs_in"] == ["status", "principal_outstanding", "days_past_due"]
    assert worst["principal_difference"] == {"amount": "199.50", "currency": "EUR"}
    assert (worst["stated"]["days_past_due"], worst["ours"]["days_past_due"], worst["age_days"]) == (8, 9, 1)
    assert worst["stated"]["overdue"] is None
    assert answer["drifting_in"] == {
        "status": 1,
        "principal_outstanding": 2,
        "overdue": 1,
        "days_past_due": 1,
    }


async def test_only_the_latest_statement_about_a_loan_is_held(book: str) -> None:
    await state(
        book,
        statement("L-1", 20, principal_outstanding_minor=1),
        statement("L-1", 62, principal_outstanding_minor=10_000),
    )
    assert (await reconciled(book))["drifting"] == 0


async def test_what_was_booked_after_a_statement_is_no_drift(book: str) -> None:
    # L-2 paid on day 65, which was reversed on day 70: on day 66 upstream could not know that
    await state(book, statement("L-2", 66, principal_outstanding_minor=20_000))
    assert (await reconciled(book))["drifting"] == 0


async def test_old_statements_are_stale_and_a_limit_says_that_it_left_some_out(book: str) -> None:
    await state(
        book,
        statement("L-2", 10, principal_outstanding_minor=30_000),
        statement("L-3", TODAY - 1, principal_outstanding_minor=20_000),
    )
    answer = await reconciled(book, limit=1, stale_after_days=30)
    assert (answer["loans_stated"], answer["loans_compared"], answer["complete"]) == (2, 1, False)
    assert (answer["stale"], answer["oldest_stated_on"]) == (1, str(on_day(10)))


async def test_a_quarantined_loan_is_named_and_not_compared(book: str) -> None:
    await state(book, statement("L-2", 60, principal_outstanding_minor=1))
    await execute(
        book,
        "UPDATE core.loan_state s SET quarantine = 'odd' FROM core.loan l"
        " WHERE l.loan_key = s.loan_key AND l.loan_id = 'L-2'",
    )
    answer = await reconciled(book)
    assert answer["not_compared"] == [{"loan_id": "L-2", "reason": "quarantined: odd"}]
    assert (answer["drifting"], answer["complete"]) == (0, True)
    async with api_on(book) as client:
        past = await client.get("/v1/loans/L-2", params={"as_of": str(on_day(60))})
    assert (past.status_code, past.json()["errors"][0]["field"]) == (409, "loan_id")
