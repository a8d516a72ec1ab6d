"""The functions that boards ask: each gives what the views give, summed up, before and after a refresh."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import asyncpg
import pytest

from analytics_api.refresh import RefreshPlan, refresh_once
from analytics_api.store import PostgresMartStore
from loanbook.postgres.pool import Connection, connect
from tests.boards.seed import fill_book, tell
from tests.parts import Database, fresh_database

pytestmark = pytest.mark.integration
Part = tuple[Sequence[str], Sequence[str], Sequence[str]]  # regions, branches, products


@pytest.fixture(scope="module", params=["before a refresh", "after a refresh", "a day after a refresh"])
async def book(
    request: pytest.FixtureRequest, postgres: Database, database_template: str
) -> AsyncIterator[str]:
    """The book with empty tables of the refresh, with filled ones, and with more known since they were."""
    async with fresh_database(postgres, database_template) as dsn:
        await fill_book(dsn)
        if request.param != "before a refresh":
            await refresh(dsn)
        if request.param == "a day after a refresh":
            await tell(dsn, LATER)
        yield dsn


LATER = """
UPDATE core.book SET business_on = business_on + 1;
INSERT INTO core.cash_day (slice, book_key, currency_key, branch_key, product_key, effective_on, known_on,
    due_minor, current_minor, arrears_minor, due_collected_minor)
SELECT slice, book_key, currency_key, branch_key, product_key, effective_on,
       (SELECT max(business_on) FROM core.book), 700, 500, -300, 100
FROM core.cash_day WHERE effective_on > (SELECT max(business_on) - 5 FROM core.book) AND slice < 4
GROUP BY 1, 2, 3, 4, 5, 6;
UPDATE risk.alert_episode SET state = 'resolved' WHERE episode_id % 5 = 0;
INSERT INTO risk.alert_episode (book_key, slice, loan_key, rule, severity, opened_on, snapshot)
SELECT book_key, slice, loan_key, 'just_now', 3, as_of, '{}' FROM core.loan_state
WHERE overdue_minor > 0 LIMIT 3;
"""


async def refresh(dsn: str) -> None:
    store = await PostgresMartStore.open(dsn)
    try:
        await refresh_once(store, RefreshPlan(), lambda: datetime.now(UTC))
    finally:
        await store.close()


@pytest.fixture
async def boards(book: str) -> AsyncIterator[Connection]:
    connection = await connect(book, "grafana_ro")
    yield connection
    await connection.close()


@pytest.fixture
async def owner(book: str) -> AsyncIterator[Connection]:
    """One snapshot, as the owner, who may read the tables behind the views."""
    connection = await asyncpg.connect(book)
    async with connection.transaction(isolation="repeatable_read"):
        yield connection
    await connection.close()


async def parts_of(owner: Connection) -> list[Part]:
    """The whole book; a region, some branches, some products; and nothing."""
    regions, branches, products = [
        [row[0] for row in await owner.fetch(f"SELECT DISTINCT {name} FROM reporting.{view} ORDER BY 1")]
        for name, view in (("region", "branches"), ("branch", "branches"), ("product", "products"))
    ]
    return [
        (regions, branches, products),
        (["Coast"], branches, products),
        (regions, ["Eastgate", "Fernhill", "unknown"], products),
        (regions, branches, products[1:]),
        (["nowhere"], branches, products),
    ]


async def assert_alike(owner: Connection, found: str, expected: str, *, arguments: int = 3) -> None:
    """Both queries give the same rows for every part; the whole book has some."""
    for number, part in enumerate(await parts_of(owner)):
        rows = [tuple(row) for row in await owner.fetch(found, *part[:arguments])]
        assert rows == [tuple(row) for row in await owner.fetch(expected, *part[:arguments])]
        assert rows or number


IN_PART = (
    "book = 'riverside' AND currency = 'EUR' AND region = ANY ($1::text[]) AND branch = ANY ($2::text[])"
    " AND product = ANY ($3::text[])"
)
IN_PLACES = "region = ANY ($1::text[]) AND branch = ANY ($2::text[])"


@pytest.mark.parametrize(("by_branch", "branch"), [(False, "NULL::text"), (True, "branch")])
async def test_portfolio_days_are_the_sums_of_the_view(
    owner: Connection, branch: str, *, by_branch: bool
) -> None:
    await assert_alike(
        owner,
        "SELECT business_on, branch, live, loans, principal, overdue, par30_principal, par60_principal,"
        " par90_principal, restated_known_on"
        f" FROM reporting.portfolio_days('riverside', 'EUR', $1, $2, $3, 40, {by_branch}) ORDER BY 1, 2",
        f"SELECT business_on, {branch}, live, sum(loans)::bigint, sum(principal), sum(overdue),"
        " sum(par30_principal), sum(par60_principal), sum(par90_principal), max(restated_known_on)"
        f" FROM reporting.portfolio_day WHERE {IN_PART}"
        " AND business_on > (SELECT max(business_on) - 40 FROM core.book) GROUP BY 1, 2, 3 ORDER BY 1, 2",
    )


@pytest.mark.parametrize(
    ("by_branch", "branch"), [(False, "NULL::text"), (True, "coalesce(branch, 'unknown')")]
)
async def test_cash_of_days_is_the_sum_of_all_that_is_known(
    owner: Connection, branch: str, *, by_branch: bool
) -> None:
    await assert_alike(
        owner,
        "SELECT day, branch, due, due_count, on_time_count, due_collected, cash"
        f" FROM reporting.cash_days('riverside', 'EUR', $1, $2, $3, 60, 0, {by_branch}) ORDER BY 1, 2",
        f"SELECT effective_on, {branch}, sum(due_minor) / 100.0, sum(due_count)::bigint,"
        " sum(on_time_count)::bigint, sum(due_collected_minor) / 100.0,"
        " sum(current_minor + arrears_minor + advance_minor) / 100.0"
        " FROM core.cash_day d JOIN core.book b USING (book_key)"
        " LEFT JOIN core.branch br USING (branch_key) LEFT JOIN core.product p USING (product_key)"
        " WHERE effective_on BETWEEN b.business_on - 60 AND b.business_on"
        " AND coalesce(region, 'unknown') = ANY ($1) AND coalesce(branch, 'unknown') = ANY ($2)"
        " AND coalesce(product, 'unknown') = ANY ($3) GROUP BY 1, 2 ORDER BY 1, 2",
    )


async def test_cash_by_day_in_the_view_is_the_sum_of_all_that_is_known(owner: Connection) -> None:
    await assert_alike(
        owner,
        "SELECT day, sum(due), sum(cash), sum(due_count) FROM reporting.cash_day_now GROUP BY 1 ORDER BY 1",
        "SELECT effective_on, sum(due_minor) / 100.0,"
        " sum(current_minor + arrears_minor + advance_minor) / 100.0, sum(due_count)"
        " FROM core.cash_day GROUP BY 1 ORDER BY 1",
        arguments=0,
    )


async def test_the_cells_of_a_part_are_those_of_the_view(owner: Connection) -> None:
    await assert_alike(
        owner,
        "SELECT product, bucket, bucket_order, status, counts, loans, disbursed, principal"
        " FROM reporting.portfolio_part('riverside', 'EUR', $1, $2, $3) ORDER BY 1, 2, 4",
        "SELECT product, bucket, bucket_order, status, counts, sum(loans)::bigint, sum(disbursed),"
        f" sum(principal) FROM reporting.portfolio_cells WHERE {IN_PART} GROUP BY 1, 2, 3, 4, 5"
        " ORDER BY 1, 2, 4",
    )


async def test_the_costliest_loans_come_first_and_only_those_of_the_part(owner: Connection) -> None:
    await assert_alike(
        owner,
        "SELECT expected_loss FROM reporting.worst_loans('riverside', 'EUR', $1, $2, $3, 20)",
        f"SELECT expected_loss FROM reporting.loan_now WHERE {IN_PART}"
        " AND risk_band IN ('HIGH', 'CRITICAL') ORDER BY 1 DESC LIMIT 20",
    )


async def test_without_a_name_the_costliest_loan_is_shown(boards: Connection) -> None:
    chosen = await boards.fetchval("SELECT reporting.chosen_loan('riverside', ' ')")
    loss = await boards.fetchval("SELECT expected_loss FROM reporting.loan_now WHERE loan_id = $1", chosen)
    assert loss == await boards.fetchval("SELECT max(expected_loss) FROM reporting.loan_now")


async def test_open_alerts_are_those_of_the_view_the_heaviest_first(owner: Connection) -> None:
    await assert_alike(
        owner,
        "SELECT episode_id FROM reporting.open_alerts('riverside', $1, $2, 500)",
        f"SELECT episode_id FROM reporting.alerts_now WHERE {IN_PLACES}"
        " ORDER BY baseline, severity_order DESC, overdue DESC NULLS LAST, episode_id",
        arguments=2,
    )


async def test_alerts_that_wait_are_counted_as_the_view_has_them(owner: Connection) -> None:
    await assert_alike(
        owner,
        "SELECT reporting.alerts_waiting('riverside', $1, $2)",
        "SELECT count(*) FROM reporting.alerts_now"
        f" WHERE state = 'open' AND NOT baseline AND severity_order >= 1 AND {IN_PLACES}",
        arguments=2,
    )
