"""What boards read: the views as grafana_ro, against figures worked out by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import asyncpg
import pytest

from loanbook.postgres.pool import Connection, connect
from tests.builders import on_day
from tests.integration.analytics_api.conftest import CLOSED, TODAY, execute

pytestmark = pytest.mark.integration
ROLES_THAT_READ = ("grafana_ro", "analytics_reader", "mart_writer", "scoring_writer", "ingest_writer")


@pytest.fixture
async def boards(shared_book: str) -> AsyncIterator[Connection]:
    connection = await connect(shared_book, "grafana_ro")
    yield connection
    await connection.close()


async def views_of(connection: Connection) -> list[str]:
    rows = await connection.fetch("SELECT viewname FROM pg_views WHERE schemaname = 'reporting'")
    return [row["viewname"] for row in rows]


async def test_boards_may_read_every_view(boards: Connection) -> None:
    views = await views_of(boards)
    assert len(views) > 25
    for view in views:
        await boards.fetch(f"SELECT * FROM reporting.{view} LIMIT 1")


@pytest.mark.parametrize(
    "table", ["core.loan", "core.event", "core.borrower", "risk.score", "reporting.book_minute"]
)
async def test_boards_may_read_nothing_but_views(boards: Connection, table: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await boards.fetch(f"SELECT * FROM {table}")


async def test_nobody_may_write_through_a_view(shared_book: str) -> None:
    connection = await asyncpg.connect(shared_book)
    try:
        found = await connection.fetch(
            """SELECT v.viewname, r.role, p.privilege FROM pg_views v, unnest($1::text[]) r(role),
               unnest('{INSERT,UPDATE,DELETE,TRUNCATE}'::text[]) p(privilege)
               WHERE v.schemaname = 'reporting'
                 AND has_table_privilege(r.role, format('reporting.%I', v.viewname), p.privilege)""",
            list(ROLES_THAT_READ),
        )
    finally:
        await connection.close()
    assert [tuple(row) for row in found] == []


async def test_the_portfolio_now_is_in_major_units(boards: Connection) -> None:
    row = await boards.fetchrow("SELECT * FROM reporting.portfolio_now WHERE currency = 'EUR'")
    assert (row["principal"], row["overdue"], row["paid"]) == (Decimal("650.00"), Decimal("350.00"), 500)
    assert (row["par0"], row["par30"], row["par60"], row["par90"]) == (
        Decimal("0.846154"),
        Decimal("0.538462"),
        Decimal("0.076923"),
        0,
    )
    assert (row["loans"], row["loans_repaid"], row["loans_underperforming"]) == (4, 1, 3)
    assert row["business_on"] == on_day(TODAY)


async def test_cells_and_branches_sum_to_the_portfolio(boards: Connection) -> None:
    cells = await boards.fetchval("SELECT sum(principal) FROM reporting.portfolio_cells WHERE counts")
    branches = await boards.fetch(
        "SELECT branch, region, sum(principal) AS principal, sum(par30_principal) AS late"
        " FROM reporting.branch_now GROUP BY 1, 2 HAVING sum(loans_disbursed) > 0 ORDER BY 1"
    )
    assert cells == 650
    assert [tuple(row) for row in branches] == [("B0", "North", 400, 300), ("B1", "South", 250, 50)]


async def test_the_trend_ends_in_a_live_point(boards: Connection) -> None:
    rows = await boards.fetch(
        "SELECT business_on, live, sum(principal) AS principal, sum(par30_principal) AS late"
        " FROM reporting.portfolio_day GROUP BY 1, 2 ORDER BY 1"
    )
    days = {row["business_on"]: row for row in rows}
    assert (rows[-1]["live"], rows[-1]["business_on"], rows[-1]["principal"]) == (True, on_day(TODAY), 650)
    close = days[on_day(CLOSED)]
    assert (close["live"], close["principal"], close["late"]) == (False, 850, 50)


async def test_a_day_told_anew_is_marked_in_the_trend(book: str) -> None:
    await execute(
        book,
        "INSERT INTO core.restated_day (book_key, business_on, known_on, loans) SELECT book_key, $1, day, 1"
        " FROM core.book, unnest($2::date[]) AS day",
        on_day(CLOSED),
        [on_day(50), on_day(60)],
    )
    connection = await asyncpg.connect(book)
    try:
        rows = await connection.fetch(
            "SELECT DISTINCT business_on, restated, restated_known_on FROM reporting.portfolio_day ORDER BY 1"
        )
    finally:
        await connection.close()
    assert {row["business_on"]: row["restated_known_on"] for row in rows if row["restated"]} == {
        on_day(CLOSED): on_day(60)
    }
    assert len(rows) > 1


async def test_cash_of_a_closed_day_has_an_efficiency(boards: Connection) -> None:
    rows = await boards.fetch(
        "SELECT sum(due) AS due, sum(due_collected) AS collected, sum(cash) AS cash, bool_and(closed)"
        " FROM reporting.cash_day_now WHERE day = ANY ($1::date[]) GROUP BY day ORDER BY day",
        [on_day(30), on_day(60), on_day(90)],
    )
    # day 30: four loans owe 100; L-1 and L-3 pay that day, L-4 paid the day before
    assert tuple(rows[0]) == (400, 300, 200, True)
    # day 60: L-1 pays, L-4 has paid on day 50, L-2 and L-3 do not
    assert tuple(rows[1]) == (400, 200, 100, True)
    assert tuple(rows[2]) == (300, 0, 0, False)


async def test_one_loan_reads_as_the_api_tells_it(boards: Connection) -> None:
    row = await boards.fetchrow("SELECT * FROM reporting.loan_now WHERE book = 'demo' AND loan_id = 'L-2'")
    assert (row["status"], row["bucket"], row["days_past_due"]) == ("active", "31-60", 40)
    assert (row["principal"], row["overdue"], row["next_due_on"]) == (300, 200, on_day(90))
    assert (row["risk_band"], row["risk_score"], row["expected_loss"]) == ("HIGH", 71, Decimal("33.75"))
    assert row["as_of"] == on_day(TODAY)
    assert "borrower_id" not in dict(row)


async def test_installments_are_rows_whose_sums_are_those_of_the_loan(boards: Connection) -> None:
    rows = await boards.fetch("SELECT * FROM reporting.installments WHERE loan_id = 'L-3' ORDER BY number")
    assert [(row["number"], row["due"], row["paid"], row["outstanding"], row["state"]) for row in rows] == [
        (1, 100, 100, 0, "paid"),
        (2, 100, 0, 100, "overdue"),
        (3, 100, 0, 100, "upcoming"),
    ]


async def test_events_of_a_loan_say_what_does_not_count(boards: Connection) -> None:
    rows = await boards.fetch(
        "SELECT type, unapplied_reason FROM reporting.loan_events WHERE loan_id = 'L-7'"
    )
    assert [tuple(row) for row in rows] == [("payment.posted", "before_disbursement")]


async def test_today_shows_what_a_manager_asks_first(book: str) -> None:
    await execute(
        book,
        "INSERT INTO reporting.past_due_mart SELECT book_key, currency_key, branch_key, product_key, $1, 1,"
        " 30000, 20000 FROM core.loan_state WHERE past_due_on = $2",
        on_day(TODAY - 31),
        on_day(30),
    )
    connection = await connect(book, "grafana_ro")
    try:
        row = await connection.fetchrow(
            "SELECT sum(due) AS due, sum(newly_missed) AS missed, sum(rolled_past_30) AS rolled,"
            " sum(rolled_past_30_principal) AS principal, sum(unapplied) AS unapplied,"
            " sum(unapplied_amount) AS waiting, sum(returned) AS returned, sum(returned_amount) AS back"
            " FROM reporting.today"
        )
    finally:
        await connection.close()
    assert tuple(row) == (0, 0, 1, 300, 1, 25, 1, 100)


async def test_numbers_have_the_names_of_the_domain(boards: Connection) -> None:
    from analytics_api.flow import figures  # noqa: PLC0415  only this test compares with the API's words
    from loanbook.domain.loan import DelinquencyBucket, LoanStatus  # noqa: PLC0415
    from loanbook.postgres.ledger import TYPE_NAMES  # noqa: PLC0415

    for status in LoanStatus:
        name = await boards.fetchval("SELECT reporting.status_name($1::smallint)", int(status))
        assert name == status.name.lower() == figures.STATUS_NAMES[status]
    for bucket in DelinquencyBucket:
        name = await boards.fetchval("SELECT reporting.bucket_name($1::smallint)", int(bucket))
        assert name == figures.BUCKET_NAMES[bucket]
    for key, type_name in TYPE_NAMES.items():
        name = await boards.fetchval("SELECT reporting.event_type_name($1::smallint)", key)
        assert f"{name}.v1" == type_name
    for number, word in enumerate(figures.BAND_NAMES):
        assert await boards.fetchval("SELECT reporting.band_name($1::smallint)", number) == word
    for number, word in enumerate(figures.SEVERITY_NAMES):
        assert await boards.fetchval("SELECT reporting.severity_name($1::smallint)", number) == word


async def test_every_query_of_the_service_prepares(shared_book: str) -> None:
    from importlib import resources  # noqa: PLC0415

    files = [f for f in resources.files("analytics_api").joinpath("sql").iterdir() if f.name.endswith(".sql")]
    connection = await asyncpg.connect(shared_book)
    try:
        for file in files:
            text = file.read_text(encoding="utf-8")
            assert text.startswith("-- "), file.name
            await connection.prepare(text)
    finally:
        await connection.close()
    assert len(files) > 25
