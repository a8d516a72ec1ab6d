"""Folds the loans that changed since the last close and keeps what each adds to the measures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from analytics_api.flow.stories import Row, fold_at
from analytics_api.flow.tallies import tallies_of
from analytics_api.store import PostgresMartStore, Reading
from analytics_api.store.tallying import fetch_untallied, mark_tallied, save_tallies, sum_tally_months

LOANS_A_TIME = 1000  # folded in one transaction


async def tally_changed(
    store: PostgresMartStore, steady_s: Callable[[], float], *, until_s: float
) -> int | None:
    """Fold loans until none waits or the time is over; gives how many, None while another refresh is at it.

    Raises StoreAwayError. What still waits after that is counted and shown, and comes next time.
    """
    folded, more = 0, True
    while more:
        async with store.claimed() as reading:
            if reading is None:
                return None
            loans = await fetch_untallied(reading, LOANS_A_TIME)
            if loans:
                await _tally(reading, loans)
            folded += len(loans)
            more = len(loans) == LOANS_A_TIME and steady_s() < until_s
            if not more:
                complete = len(loans) < LOANS_A_TIME
                await mark_tallied(reading, folded=folded > 0, complete=complete)
                await sum_tally_months(reading, complete=complete)
    return folded


async def _tally(reading: Reading, loans: Sequence[Row]) -> None:
    ledgers = await reading.fetch_ledgers([(row["slice"], row["loan_key"]) for row in loans])
    authorities = {key: await reading.fetch_authorities(key) for key in {row["book_key"] for row in loans}}
    # In a thread, so that the process still hears that it is to stop.
    entries = await asyncio.to_thread(_entries, loans, ledgers, authorities)
    await save_tallies(reading, loans, entries)


def _entries(
    loans: Sequence[Row],
    ledgers: Mapping[tuple[int, int], list[Row]],
    authorities: Mapping[int, Mapping[int, int]],
) -> list[tuple[Any, ...]]:
    """Of each loan by its place; one that is quarantined or cannot be folded counts nothing."""
    entries: list[tuple[Any, ...]] = []
    for place, row in enumerate(loans, start=1):
        if row["is_quarantined"]:
            continue
        ledger = ledgers[row["slice"], row["loan_key"]]
        for loan in fold_at(row, ledger, authorities[row["book_key"]], row["close"]) or ():
            told = tallies_of(loan)
            entries += [(place, entry.day, int(entry.measure), entry.items, entry.total) for entry in told]
    return entries
