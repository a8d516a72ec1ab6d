"""The minute tables: what a refresh writes, and when."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from analytics_api.refresh import Refresher, RefreshPlan, refresh_once
from analytics_api.store import PostgresMartStore
from tests.builders import on_day
from tests.integration.analytics_api.conftest import CLOSED, TODAY, api_on, ask, execute

pytestmark = pytest.mark.integration
NOW = datetime(2026, 3, 1, 12, 30, 20, tzinfo=UTC)


@pytest.fixture
async def marts(book: str) -> AsyncIterator[PostgresMartStore]:
    store = await PostgresMartStore.open(book)
    yield store
    await store.close()


async def rows(dsn: str, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        found: list[asyncpg.Record] = await connection.fetch(query)
        return found
    finally:
        await connection.close()


async def test_a_refresh_fills_every_table(marts: PostgresMartStore, book: str) -> None:
    took = await refresh_once(marts, RefreshPlan(), lambda: NOW)
    assert set(took) == {
        "book_minute",
        "pipeline_minute",
        "portfolio_day",
        "cash_day",
        "past_due",
        "alerts",
        "risk",
        "reconciliation",
        "cohorts",
        "rolls",
        "stages",
        "tally_day",
        "move_month",
    }
    minute = await rows(
        book, "SELECT sum(principal) AS p, sum(par30_principal) AS late FROM reporting.book_minute_now"
    )
    assert (minute[0]["p"], minute[0]["late"]) == (650, 350)
    late = await rows(book, "SELECT days_past_due, loans, principal FROM reporting.past_due_now ORDER BY 1")
    assert [tuple(row) for row in late] == [(10, 1, 200), (40, 1, 300), (65, 1, 50)]
    risk = await rows(
        book, "SELECT branch, risk_band, loans, exposure, expected_loss FROM reporting.risk_now"
    )
    assert [tuple(map(str, row)) for row in risk] == [("B0", "HIGH", "1", "300.00", "33.75")]
    ages = await rows(book, "SELECT mart, refreshed_at FROM reporting.marts_now")
    assert {row["refreshed_at"] for row in ages} == {NOW}


async def test_cash_of_settled_days_is_the_sum_of_all_that_had_become_known(
    marts: PostgresMartStore, book: str
) -> None:
    """Of all, by rounds: what is known, the same again, and what a day more brought, of earlier days too."""
    for _ in range(2):
        await refresh_once(marts, RefreshPlan(), lambda: NOW)
    before = await rows(book, _SETTLED_CASH.format(mart="cash_total_mart", keys=""))
    await execute(book, _MORE_CASH)
    await refresh_once(marts, RefreshPlan(), lambda: NOW)
    assert await rows(book, _SETTLED_CASH.format(mart="cash_total_mart", keys="")) != before
    for mart, keys in (("cash_day_mart", ", branch_key, product_key"), ("cash_total_mart", "")):
        settled = await rows(book, _SETTLED_CASH.format(mart=mart, keys=keys))
        assert settled == await rows(book, _KNOWN_CASH.format(keys=keys))


_CASH = """
    book_key, effective_on, currency_key{keys}, sum(due_minor), sum(due_count), sum(current_minor),
    sum(arrears_minor), sum(advance_minor), sum(due_collected_minor), sum(on_time_count)
"""
_BY_CASH_CELL = "GROUP BY book_key, effective_on, currency_key{keys} ORDER BY 1, 2, 3, 4, 5"
_SETTLED_CASH = f"SELECT {_CASH} FROM reporting.{{mart}} {_BY_CASH_CELL}"
_KNOWN_CASH = f"""
SELECT {_CASH} FROM core.cash_day
WHERE known_on < (SELECT business_on FROM core.book) {_BY_CASH_CELL}
"""
_MORE_CASH = """
UPDATE core.book SET business_on = business_on + 1;
INSERT INTO core.cash_day (slice, book_key, currency_key, branch_key, product_key, effective_on, known_on,
    due_minor, due_count, current_minor, arrears_minor, advance_minor, due_collected_minor, on_time_count)
SELECT (branch_key & 15) + 16, book_key, currency_key, branch_key, product_key, effective_on + days,
       (SELECT business_on - 1 FROM core.book), 700, 3, 500, -300, 20, 100, -2
FROM core.cash_day, generate_series(0, 1) days;
"""


async def test_the_oldest_arrears_come_from_the_table_while_it_is_young(
    marts: PostgresMartStore, book: str
) -> None:
    async with api_on(book) as client:
        by_loans = await ask(client, "/v1/portfolio")
        await refresh_once(marts, RefreshPlan(), lambda: datetime.now(UTC))
        by_table = await ask(client, "/v1/portfolio")
        exact = await ask(client, "/v1/portfolio", oldest=True)
        await execute(book, "UPDATE reporting.mart_refresh SET refreshed_at = now() - interval '6 minutes'")
        by_loans_again = await ask(client, "/v1/portfolio")
    answers = (by_loans, by_table, exact, by_loans_again)
    assert [answer["days_past_due_max"] for answer in answers] == [65, 65, 65, 65]
    assert [answer["days_past_due_max_at"] is None for answer in answers] == [True, False, True, True]


async def test_the_pipeline_minute_counts_what_flowed_in_it(marts: PostgresMartStore, book: str) -> None:
    await execute(book, "UPDATE core.event SET ingested_at = '2026-03-01 12:29:30+00'")
    await execute(book, "UPDATE core.event SET ingested_at = '2026-03-01 12:30:05+00' WHERE type_key = 5")
    await execute(book, "UPDATE core.stream_position SET caught_up_at = '2026-03-01 12:30:18+00'")
    await refresh_once(marts, RefreshPlan(), lambda: NOW)
    flowed = await rows(
        book, "SELECT events, payments, data_age_ms, scores_behind FROM reporting.pipeline ORDER BY minute"
    )
    total = (await rows(book, "SELECT count(*) AS n FROM core.event"))[0]["n"]
    payments = (await rows(book, "SELECT count(*) AS n FROM core.event WHERE type_key = 5"))[0]["n"]
    assert [row["events"] for row in flowed] == [total - payments, payments]
    assert (flowed[1]["payments"], flowed[1]["data_age_ms"]) == (payments, 2000)
    assert flowed[1]["scores_behind"] == 3  # four active loans, one of them scored


async def test_what_waited_in_a_past_minute_stays_as_it_was(marts: PostgresMartStore, book: str) -> None:
    await refresh_once(marts, RefreshPlan(), lambda: NOW)
    await execute(book, "DELETE FROM risk.score")
    await refresh_once(marts, RefreshPlan(), lambda: NOW + timedelta(minutes=1))
    behind = await rows(book, "SELECT minute, scores_behind FROM reporting.pipeline ORDER BY minute")
    by_minute = {row["minute"].minute: row["scores_behind"] for row in behind}
    assert (by_minute[30], by_minute[31]) == (3, 4)


async def test_the_same_minute_twice_is_one_mark(marts: PostgresMartStore, book: str) -> None:
    await refresh_once(marts, RefreshPlan(), lambda: NOW)
    await execute(book, "UPDATE core.book_now SET principal_minor = 2 * principal_minor")
    await refresh_once(marts, RefreshPlan(), lambda: NOW + timedelta(seconds=30))
    marks = await rows(book, "SELECT at, sum(principal) AS p FROM reporting.book_minute_now GROUP BY at")
    assert [row["p"] for row in marks] == [1300]


async def test_old_minutes_are_forgotten(marts: PostgresMartStore, book: str) -> None:
    await refresh_once(marts, RefreshPlan(), lambda: NOW - timedelta(days=9))
    await refresh_once(marts, RefreshPlan(), lambda: NOW)
    marks = await rows(book, "SELECT DISTINCT at::date AS day FROM reporting.book_minute")
    minutes = await rows(book, "SELECT DISTINCT minute::date AS day FROM reporting.pipeline_minute")
    assert [row["day"] for row in marks] == [row["day"] for row in minutes] == [NOW.date()]


async def test_a_second_refresh_stands_back_while_one_is_at_it(marts: PostgresMartStore, book: str) -> None:
    other = await asyncpg.connect(book)
    try:
        async with other.transaction():
            assert await other.fetchval("SELECT pg_try_advisory_xact_lock(7205002)")
            assert await refresh_once(marts, RefreshPlan(), lambda: NOW) == {}
        assert len(await refresh_once(marts, RefreshPlan(), lambda: NOW)) == 13
    finally:
        await other.close()


async def test_tables_are_made_at_the_interval_and_when_a_business_day_begins(
    marts: PostgresMartStore, book: str
) -> None:
    refresher = Refresher(marts, RefreshPlan(interval=timedelta(seconds=60)), clock=lambda: NOW)
    assert await refresher.step(1000) is True
    assert await refresher.step(1030) is False
    assert await refresher.step(1061) is True
    await execute(book, "UPDATE core.book SET business_on = $1", on_day(TODAY + 1))
    assert (
        await refresher.step(1062) is False
    )  # however fast days go by, not more often than every few seconds
    assert await refresher.step(1065) is True
    assert await refresher.step(1070) is False


async def test_closed_days_are_summed_up_once_and_again_when_told_anew(
    marts: PostgresMartStore, book: str
) -> None:
    query = (
        "SELECT business_on, sum(principal) AS principal, sum(par30_principal) AS late"
        " FROM reporting.portfolio_day WHERE NOT live GROUP BY 1 ORDER BY 1"
    )
    straight = await rows(book, query)
    while await summed_up(book) < len(straight):
        await refresh_once(marts, RefreshPlan(), lambda: NOW)
    assert await rows(book, query) == straight
    await execute(
        book,
        """INSERT INTO core.book_day SELECT slice, business_on, $2, book_key, currency_key, branch_key,
        product_key, bucket, status, 0, 0, 0, -1000, 0, 0, 0, 0 FROM core.book_day
        WHERE business_on = $1 AND status = 1 LIMIT 1""",
        on_day(CLOSED),
        on_day(TODAY),
    )
    assert await rows(book, query) == straight
    await execute(book, "INSERT INTO core.restated_day VALUES (1, $1, $2, 1)", on_day(CLOSED), on_day(TODAY))
    await refresh_once(marts, RefreshPlan(), lambda: NOW)
    changed = [
        (before["business_on"], after["principal"] - before["principal"])
        for before, after in zip(straight, await rows(book, query), strict=True)
        if before != after
    ]
    assert changed == [(on_day(CLOSED), -10)]


async def summed_up(dsn: str) -> int:
    found = await rows(dsn, "SELECT count(*) AS days FROM reporting.portfolio_day_mark")
    count: int = found[0]["days"]
    return count
