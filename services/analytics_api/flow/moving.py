"""Counts how loans moved between month ends: months over or longer, and those that were told anew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

from analytics_api.flow.moves import Move, Outcome, cells_of, move_of
from analytics_api.flow.stories import Row, fold_at
from analytics_api.store import PostgresMartStore, Reading
from analytics_api.store.tallying import fetch_moves, fetch_relapsed, fetch_uncounted_month, save_moves
from loanbook.domain.loan import Loan
from loanbook.domain.portfolio.missed import RELAPSE_DAYS, RELAPSE_OVER_DAYS

LOANS_A_TIME = 500  # whose ledgers are held at once


async def count_moves(
    store: PostgresMartStore, steady_s: Callable[[], float], *, until_s: float
) -> int | None:
    """Count months, the newest first, until none is left or the time is over; gives how many.

    None while another refresh is at it. Raises StoreAwayError.
    """
    counted = 0
    while steady_s() < until_s:
        async with store.claimed() as reading:
            if reading is None:
                return None
            month = await fetch_uncounted_month(reading, RELAPSE_DAYS)
            if month is None:
                break
            await _count(reading, month)
        counted += 1
    return counted


async def _count(reading: Reading, month: Row) -> None:
    rows = await fetch_moves(reading, month["book_key"], month["opening_on"], month["closing_on"])
    folded = await _fold_changed(reading, month, [row for row in rows if row["is_changed"]])
    moves = [move_of(row, folded.get((row["slice"], row["loan_key"]))) for row in rows]
    await save_moves(reading, month, cells_of(moves, await _relapsed(reading, month, moves)))


async def _relapsed(reading: Reading, month: Row, moves: Sequence[Move]) -> set[tuple[int, int]]:
    """Cured loans that fell behind again; none before all the days for which they are watched are closed."""
    if not month["is_watched"]:
        return set()
    cured = [move.loan for move in moves if move.outcome is Outcome.CURED]
    first_on = month["closing_on"] + timedelta(days=1)
    last_on = month["closing_on"] + timedelta(days=RELAPSE_DAYS)
    return await fetch_relapsed(reading, cured, first_on, last_on, RELAPSE_OVER_DAYS)


async def _fold_changed(
    reading: Reading, month: Row, rows: Sequence[Row]
) -> dict[tuple[int, int], tuple[Loan, Loan]]:
    """Loans at both closes, by slice and loan key."""
    authorities = await reading.fetch_authorities(month["book_key"])
    days = (month["opening_on"], month["closing_on"])
    folded: dict[tuple[int, int], tuple[Loan, Loan]] = {}
    for start in range(0, len(rows), LOANS_A_TIME):
        some = rows[start : start + LOANS_A_TIME]
        ledgers = await reading.fetch_ledgers([(row["slice"], row["loan_key"]) for row in some])
        folded |= await asyncio.to_thread(_fold, some, ledgers, authorities, days)
    return folded


def _fold(
    rows: Sequence[Row],
    ledgers: Mapping[tuple[int, int], Sequence[Row]],
    authorities: Mapping[int, int],
    days: tuple[date, date],
) -> dict[tuple[int, int], tuple[Loan, Loan]]:
    folded: dict[tuple[int, int], tuple[Loan, Loan]] = {}
    for row in rows:
        loan = (row["slice"], row["loan_key"])
        stood = fold_at(row, ledgers[loan], authorities, *days)
        if stood is not None:
            folded[loan] = (stood[0], stood[1])
    return folded
