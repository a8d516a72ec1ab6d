"""Every query of every board and control, run as grafana_ro on a filled database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from analytics_api.board_viewer.board_files import Board, Panel, read_boards
from analytics_api.board_viewer.macros import BoardQueryError, TimeRange, expand
from analytics_api.board_viewer.queries import ALL, Choice, answer_panels, resolve_variables
from analytics_api.board_viewer.store import PostgresBoardStore
from tests.boards.conftest import DASHBOARDS
from tests.boards.seed import book

__all__ = ["book"]

pytestmark = pytest.mark.integration

PANELS = [
    pytest.param(board, panel, id=f"{board.uid}-{panel.title}".replace(" ", "_"))
    for board in read_boards(DASHBOARDS).values()
    for panel in board.panels.values()
]
HAVE_ALERTS = "L-00338"


@pytest.fixture(scope="module")
async def store(book: str) -> AsyncIterator[PostgresBoardStore]:
    opened = await PostgresBoardStore.open(
        book, statement_timeout=timedelta(seconds=5), cache_for=timedelta(seconds=1), size_max=4
    )
    yield opened
    await opened.close()


def last_hour() -> TimeRange:
    now = datetime.now(UTC)
    return TimeRange(from_at=now - timedelta(hours=1), to_at=now)


async def chosen(board: Board, store: PostgresBoardStore, **wanted: list[str]) -> dict[str, Choice]:
    return await resolve_variables(board, wanted, last_hour(), store)


@pytest.mark.parametrize(("board", "panel"), PANELS)
async def test_every_panel_has_rows_and_the_columns_its_kind_needs(
    board: Board, panel: Panel, store: PostgresBoardStore
) -> None:
    answers = await answer_panels(board, [panel.panel_id], await chosen(board, store), last_hour(), store)
    answer = answers[panel.panel_id]
    assert answer.error is None
    for target in panel.targets:
        frame = answer.frames[target.ref_id]
        assert frame.rows
        assert any(value is not None for row in frame.rows for value in row)
        kinds = [kind for _, kind in frame.columns]
        assert (kinds[0] == "time") == target.is_time_series
        if panel.kind in {"timeseries", "trend", "barchart", "bargauge"}:
            assert "number" in kinds
        if panel.kind in {"timeseries", "trend"}:
            assert [row[0] for row in frame.rows] == sorted(row[0] for row in frame.rows)


async def test_every_control_offers_something_and_narrows_the_next(
    boards: dict[str, Board], store: PostgresBoardStore
) -> None:
    everything = await chosen(boards["lp-portfolio"], store)
    assert everything["book"].chosen == ("riverside",)
    assert everything["currency"].chosen == ("EUR",)
    assert everything["days"].chosen == ("90",)
    assert everything["region"].chosen == everything["branch"].chosen == (ALL,)
    assert len(everything["branch"].options) == 9  # eight branches, and what the feed does not name
    coast = await chosen(boards["lp-portfolio"], store, region=["Coast"])
    assert coast["branch"].options == ("Amber Quay", "Eastgate")


async def test_a_choice_that_is_gone_falls_back(boards: dict[str, Board], store: PostgresBoardStore) -> None:
    choices = await chosen(
        boards["lp-portfolio"], store, book=["no such book"], region=["North"], branch=["Eastgate"]
    )
    assert choices["book"].chosen == ("riverside",)
    assert choices["branch"].chosen == (ALL,)
    assert choices["branch"].value == ("Birchfield", "Copperton", "Fernhill")


@pytest.mark.parametrize("branch", ["O'Malley Cross", "Amber Quay"])
async def test_one_branch_shows_that_branch_alone(
    branch: str, boards: dict[str, Board], store: PostgresBoardStore
) -> None:
    board = boards["lp-portfolio"]
    (league,) = [panel for panel in board.panels.values() if panel.title.startswith("Branch league")]
    choices = await chosen(board, store, branch=[branch])
    answers = await answer_panels(board, [league.panel_id], choices, last_hour(), store)
    assert [row[0] for row in answers[league.panel_id].frames["A"].rows] == [branch]


@pytest.mark.parametrize("value", ["' OR ''='", "x'); DROP VIEW loan_now; --", "${book:sqlstring}", "\\"])
async def test_a_hostile_loan_id_finds_nothing_and_breaks_nothing(
    value: str, boards: dict[str, Board], store: PostgresBoardStore
) -> None:
    board = boards["lp-loan"]
    choices = await chosen(board, store, loan=[value])
    answers = await answer_panels(board, list(board.panels), choices, last_hour(), store)
    for panel_id, answer in answers.items():
        if board.panels[panel_id].title != "Data as of":
            assert answer.error is None
            assert not answer.frames["A"].rows


async def test_a_named_loan_is_the_one_that_is_shown(
    boards: dict[str, Board], store: PostgresBoardStore
) -> None:
    board = boards["lp-loan"]
    (title,) = [panel for panel in board.panels.values() if panel.title == "Loan"]
    answers = await answer_panels(
        board, [title.panel_id], await chosen(board, store, loan=["L-00042"]), last_hour(), store
    )
    assert answers[title.panel_id].frames["A"].rows == (("L-00042",),)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM core.loan",
        "SELECT count(*) FROM core.borrower",
        "SELECT count(*) FROM risk.score",
        "DELETE FROM reporting.mart_refresh RETURNING mart",
        "CREATE TABLE reporting.mine (x int)",
        "SELECT pg_sleep(60)",
        "SELECT 1; SELECT 2",
    ],
)
async def test_the_boards_role_reads_its_views_and_nothing_else(sql: str, book: str) -> None:
    hasty = await PostgresBoardStore.open(
        book, statement_timeout=timedelta(milliseconds=300), cache_for=timedelta(), size_max=1
    )
    with pytest.raises(BoardQueryError):
        await hasty.fetch_frame(sql)
    await hasty.close()


@pytest.mark.parametrize(
    "sql", ["SELECT current_date AS day", "SELECT ARRAY[1] AS list", "SELECT jsonb '{}' AS value"]
)
async def test_a_column_that_grafana_would_not_draw_alike_is_refused(
    sql: str, store: PostgresBoardStore
) -> None:
    with pytest.raises(BoardQueryError, match="no field for the type"):
        await store.fetch_frame(sql)


async def test_viewers_who_ask_the_same_within_a_second_share_one_query(store: PostgresBoardStore) -> None:
    sql = expand("SELECT random() AS draw, $__timeTo() AS at", {}, last_hour())
    first = await store.fetch_frame(sql)
    assert await store.fetch_frame(sql) is first
