"""Upstream's statements about loans against our figures at the same day, and loans nobody vouches for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analytics_api.refresh import RefreshPlan, refresh_once
from analytics_api.statements import StatementWatch
from analytics_api.store import PostgresMartStore
from ingest.store import PostgresLoanStore
from loanbook.domain.events import LoanSnapshot, PaymentPosted
from loanbook.domain.money import Minor
from tests.builders import on_day
from tests.feeding import Feed, encoded
from tests.integration.analytics_api.conftest import TODAY, api_on, ask, execute

pytestmark = pytest.mark.integration
NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
async def marts(book: str) -> AsyncIterator[PostgresMartStore]:
    store = await PostgresMartStore.open(book)
    yield store
    await store.close()


def statement(loan_id: str, day: int, **figures: Any) -> tuple[str, bytes]:
    """What upstream says of a loan at the close of a day."""
    for name in ("principal_outstanding_minor", "overdue_minor"):
        if name in figures:
            figures[name] = Minor(figures[name])
    fact = LoanSnapshot(effective_on=on_day(day), business_on=on_day(day), currency="EUR", **figures)
    return encoded(loan_id, fact, event_id=f"{loan_id}-s{day}")


async def state(dsn: str, *statements: tuple[str, bytes], cluster: str = "another-cluster") -> None:
    """Let upstream send statements; a cluster of a new name begins its partitions anew."""
    store = await PostgresLoanStore.open(dsn, cluster)
    try:
        feed = Feed(store)
        await feed.open()
        await feed.send(statements)
    finally:
        await store.close()


async def reconciled(dsn: str, **query: Any) -> Any:
    async with api_on(dsn) as client:
        return await ask(client, "/v1/reconciliation", **query)


async def looked_at(marts: PostgresMartStore, dsn: str, plan: RefreshPlan | None = None) -> Any:
    """What the API says after a refresh that looks at everything."""
    await refresh_once(marts, plan or RefreshPlan(), lambda: NOW)
    return await reconciled(dsn)


async def test_without_statements_every_running_loan_is_unconfirmed(
    marts: PostgresMartStore, book: str
) -> None:
    answer = await looked_at(marts, book)
    assert (answer["loans_stated"], answer["drifting"], answer["never_confirmed"]) == (0, 0, 4)
    assert (answer["newest_stated_on"], answer["worst"], answer["complete"]) == (None, [], True)
    assert answer["oldest_unconfirmed_on"] == str(on_day(0))
    assert answer["stale"] == []  # where upstream never makes statements, a quiet loan is merely quiet


async def test_a_statement_is_held_against_the_figures_of_its_own_day(
    marts: PostgresMartStore, book: str
) -> None:
    # L-1 paid on days 30 and 60; on day 45 it owed 200.00, today 100.00
    figures = {"principal_outstanding_minor": 20_000, "overdue_minor": 0, "days_past_due": 0}
    await state(book, statement("L-1", 45, **figures, status="Active"))
    answer = await looked_at(marts, book)
    assert (answer["loans_stated"], answer["waiting"], answer["drifting"]) == (1, 0, 0)
    assert answer["never_confirmed"] == 3
    assert answer["oldest_stated_on"] == answer["newest_stated_on"] == str(on_day(45))


async def test_drift_is_shown_figure_by_figure_the_worst_first(marts: PostgresMartStore, book: str) -> None:
    await state(
        book,
        statement("L-2", TODAY - 1, principal_outstanding_minor=29_000, overdue_minor=20_000),
        statement("L-3", TODAY - 1, principal_outstanding_minor=50, days_past_due=8, status="closed"),
        statement("L-5", TODAY - 1, principal_outstanding_minor=5_000, days_past_due=64),
    )
    answer = await looked_at(marts, book)
    assert (answer["loans_stated"], answer["drifting"]) == (3, 2)
    assert [item["loan_id"] for item in answer["worst"]] == ["L-3", "L-2"]
    worst = answer["worst"][0]
    assert worst["differs_in"] == ["status", "principal_outstanding", "days_past_due"]
    assert worst["principal_difference"] == {"amount": "199.50", "currency": "EUR"}
    assert (worst["stated"]["days_past_due"], worst["ours"]["days_past_due"], worst["age_days"]) == (8, 9, 1)
    assert worst["stated"]["overdue"] is None
    assert answer["drift"] == [{"amount": "289.50", "currency": "EUR"}]
    assert answer["drifting_in"] == {
        "status": 1,
        "principal_outstanding": 2,
        "overdue": 1,
        "days_past_due": 1,
    }
    assert [item["loan_id"] for item in (await reconciled(book, worst=1))["worst"]] == ["L-3"]


async def test_only_the_latest_statement_about_a_loan_is_held(marts: PostgresMartStore, book: str) -> None:
    await state(
        book,
        statement("L-1", 20, principal_outstanding_minor=1),
        statement("L-1", 62, principal_outstanding_minor=10_000),
    )
    assert (await looked_at(marts, book))["drifting"] == 0


async def test_what_was_booked_after_a_statement_is_no_drift(marts: PostgresMartStore, book: str) -> None:
    # L-2 paid on day 65, which was reversed on day 70: on day 66 upstream could not know that
    await state(book, statement("L-2", 66, principal_outstanding_minor=20_000))
    assert (await looked_at(marts, book))["drifting"] == 0


async def test_a_new_statement_takes_the_place_of_the_one_that_drifted(
    marts: PostgresMartStore, book: str
) -> None:
    watch = StatementWatch(marts)
    await state(book, statement("L-1", 45, principal_outstanding_minor=1))
    assert await watch.keep(lambda: NOW) == 1
    await state(book, statement("L-1", 62, principal_outstanding_minor=10_000), cluster="a-third")
    assert await watch.keep(lambda: NOW) == 1
    await refresh_once(marts, RefreshPlan(), lambda: NOW, watch)
    answer = await reconciled(book)
    assert (answer["drifting"], answer["newest_stated_on"]) == (0, str(on_day(62)))


async def test_an_event_that_upstream_had_booked_and_that_comes_late_ends_a_drift(
    marts: PostgresMartStore, book: str
) -> None:
    watch = StatementWatch(marts)
    await state(book, statement("L-3", 62, principal_outstanding_minor=10_000))
    await refresh_once(marts, RefreshPlan(), lambda: NOW, watch)
    assert (await reconciled(book))["drifting"] == 1
    late = PaymentPosted(
        effective_on=on_day(61), business_on=on_day(61), currency="EUR", amount_minor=Minor(10_000)
    )
    await state(book, encoded("L-3", late, event_id="late"), cluster="a-third")
    await refresh_once(marts, RefreshPlan(), lambda: NOW, watch)
    assert (await reconciled(book))["drifting"] == 0


async def test_a_statement_dated_ahead_waits_for_its_day(marts: PostgresMartStore, book: str) -> None:
    watch = StatementWatch(marts)
    await state(
        book,
        statement("L-1", 62, principal_outstanding_minor=10_000),
        statement("L-1", TODAY + 20, principal_outstanding_minor=1),
    )
    await refresh_once(marts, RefreshPlan(), lambda: NOW, watch)
    answer = await reconciled(book)
    assert (answer["loans_stated"], answer["drifting"]) == (1, 0)
    assert answer["newest_stated_on"] == str(on_day(62))


async def test_every_statement_is_compared_again_after_a_day(marts: PostgresMartStore, book: str) -> None:
    await state(book, statement("L-1", 62, principal_outstanding_minor=10_000))
    watch = StatementWatch(marts)
    assert await watch.keep(lambda: NOW) == 1
    assert await watch.keep(lambda: NOW + timedelta(hours=23)) <= 1  # its own batch is looked at once more
    assert await watch.keep(lambda: NOW + timedelta(hours=50)) == 1


async def test_stale_loans_are_a_bucket_of_their_own_and_the_split_sums_to_the_portfolio(
    marts: PostgresMartStore, book: str
) -> None:
    # L-2 was last heard of on day 70 but drifts, L-5 was stated on day 10 and is not heard of since
    await state(
        book,
        statement("L-2", TODAY - 1, principal_outstanding_minor=29_000),
        statement("L-5", 10, principal_outstanding_minor=5_000),
        statement("L-3", TODAY - 1, principal_outstanding_minor=20_000),
    )
    answer = await looked_at(marts, book, RefreshPlan(stale_after=timedelta(days=30)))
    assert [(item["reason"], item["loans"], item["principal"]["amount"]) for item in answer["stale"]] == [
        ("drifting", 1, "300.00"),
        ("unheard", 1, "50.00"),
    ]
    split = {item["bucket"]: (item["loans"], item["principal"]["amount"]) for item in answer["buckets"]}
    assert split == {
        "current": (1, "100.00"),
        "1-30": (1, "200.00"),
        "31-60": (0, "0.00"),
        "61-90": (0, "0.00"),
        "stale": (2, "350.00"),
    }
    assert (await looked_at(marts, book, RefreshPlan(stale_after=timedelta(days=60))))["stale"] == [
        {"reason": "drifting", "loans": 1, "principal": {"amount": "300.00", "currency": "EUR"}}
    ]


async def test_a_loan_that_was_not_brought_to_the_day_is_stale(marts: PostgresMartStore, book: str) -> None:
    await execute(
        book,
        "UPDATE core.loan_state s SET next_boundary_on = b.business_on FROM core.book b, core.loan l"
        " WHERE l.loan_key = s.loan_key AND l.loan_id = 'L-1'",
    )
    (stale,) = (await looked_at(marts, book))["stale"]
    assert (stale["reason"], stale["loans"]) == ("not_rolled", 1)


async def test_a_quarantined_loan_is_named_and_not_compared(marts: PostgresMartStore, book: str) -> None:
    await state(book, statement("L-2", 60, principal_outstanding_minor=1))
    await execute(
        book,
        "UPDATE core.loan_state s SET quarantine = 'odd' FROM core.loan l"
        " WHERE l.loan_key = s.loan_key AND l.loan_id = 'L-2'",
    )
    answer = await looked_at(marts, book)
    assert answer["not_compared"] == [{"loan_id": "L-2", "reason": "quarantined: odd"}]
    assert (answer["drifting"], answer["complete"]) == (0, True)
    async with api_on(book) as client:
        past = await client.get("/v1/loans/L-2", params={"as_of": str(on_day(60))})
    assert (past.status_code, past.json()["errors"][0]["field"]) == (409, "loan_id")


async def test_a_statement_that_our_fold_fails_on_is_shown_and_stops_nothing(
    marts: PostgresMartStore, book: str
) -> None:
    await state(
        book,
        statement("L-1", 62, principal_outstanding_minor=10_000),
        statement("L-3", TODAY - 1, principal_outstanding_minor=1),
    )
    await execute(book, "UPDATE core.product SET settings = '{\"grace_days\": \"odd\"}' WHERE product = 'P1'")
    answer = await looked_at(marts, book)
    assert {item["loan_id"]: item["differs_in"] for item in answer["worst"]} == {
        "L-1": ["fold"],
        "L-3": ["fold"],
    }
