"""Takes pictures of books for lists of loans, and keeps one a book for as long as it is young enough."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics_api.store.listing import Column, LoanPicture
from analytics_api.store.reading import Reading, Row
from loanbook.postgres.load_sql import load_sql

_SLICES = 16
_ARRAY_HEADER = 20  # bytes before the first element of a one-dimensional array in binary form
_IDS = "loan_id"
_PROBABILITY = "default_probability"
_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("slice", "currency_key", "status", "bucket", "band", "risk_score"), "i2"),
    **dict.fromkeys(("branch_key", "product_key"), "i4"),
    **dict.fromkeys(("past_due_on", "disbursed_on", "next_due_on", "last_payment_on"), "i4"),
    **dict.fromkeys(("disbursed", "paid", "principal_outstanding", "total_outstanding", "overdue"), "i8"),
    **dict.fromkeys(("loan_key", "expected_loss"), "i8"),
    _PROBABILITY: "f8",
}
# How long a picture is good follows from what taking it costs: at most a twentieth of a core goes into that.
_SHARE = 20
_FREE_S = 0.05  # what costs less is taken for whoever asks
_GOOD_S_MAX = 60.0
_KEPT_S = 600.0  # a costly picture is taken anew, unasked, while somebody asked within this time


async def take_picture(reading: Reading, book_key: int, at: datetime) -> LoanPicture:
    """A book's loans as one snapshot has them."""
    sql = load_sql("analytics_api", "picture_loans")
    parts = await reading.fetch("fetch_parts", book_key)
    runs: list[dict[str, NDArray[Any]]] = []
    for number in range(_SLICES):
        row = await reading.connection.fetchrow(sql, book_key, number)
        if row["loan_key"] is not None:
            runs.append(await asyncio.to_thread(_unpacked, row))
    return LoanPicture(
        taken_at=at,
        columns=await asyncio.to_thread(_in_order_of_ids, runs),
        branches={row["key"]: (row["name"], row["region"]) for row in parts if row["kind"] == "branch"},
        products={row["key"]: row["name"] for row in parts if row["kind"] == "product"},
    )


def _unpacked(row: Row) -> dict[str, NDArray[Any]]:
    """The columns of one slice."""
    columns: dict[str, NDArray[Any]] = {name: _array(row[name], kind) for name, kind in _TYPES.items()}
    columns[_IDS] = np.array(row[_IDS].split(b"\n"), dtype="S")
    return columns


def _array(sent: bytes, kind: str) -> Column:
    """Values of an array without nulls as the server sends it: each behind its length."""
    rows = np.frombuffer(sent, dtype=[("length", ">i4"), ("value", f">{kind}")], offset=_ARRAY_HEADER)
    values = rows["value"].astype(f"={kind}")
    if kind != "f8":
        return values
    bits: NDArray[np.int64] = values.view(np.int64)  # of numbers from 0 on these rise with the numbers
    bits[values < 0] = np.iinfo(np.int64).min
    return bits


def _in_order_of_ids(runs: list[dict[str, NDArray[Any]]]) -> dict[str, Column]:
    """Slices, each in the order of its ids, as one."""
    if not runs:
        return {name: np.empty(0, dtype="i8" if kind == "f8" else kind) for name, kind in _TYPES.items()}
    order = np.argsort(np.concatenate([run.pop(_IDS) for run in runs]), kind="stable")
    return {name: np.concatenate([run.pop(name) for run in runs])[order] for name in _TYPES}


@dataclass(slots=True, kw_only=True)
class _Kept:
    """What is known of a book's pictures; times by a steady clock."""

    asked_s: float
    task: asyncio.Task[LoanPicture] | None = None
    picture: LoanPicture | None = None
    taken_s: float = 0
    good_s: float = 0
    timer: asyncio.TimerHandle | None = None


class LoanPictures:
    """The latest picture of each book, shared by all who ask: a minute old at most and what one lasts.

    A book that costs nothing is looked at again for each asker; one that costs is looked at again in the
    background, as long as somebody asks from time to time, so that nobody waits for it.
    """

    def __init__(self, take: Callable[[int], Awaitable[LoanPicture]], *, clock: Callable[[], float]) -> None:
        self._take = take
        self._clock = clock
        self._kept: dict[int, _Kept] = {}

    async def picture_of(self, book_key: int) -> LoanPicture:
        """A picture of a book that is young enough."""
        now = self._clock()
        kept = self._kept.setdefault(book_key, _Kept(asked_s=now))
        kept.asked_s = now
        if kept.picture is not None and now - kept.taken_s <= kept.good_s:
            return kept.picture
        task = self._renew(book_key, kept)
        if kept.picture is not None and now - kept.taken_s <= kept.good_s + min(kept.good_s, _GOOD_S_MAX / 2):
            return kept.picture  # its successor is on its way
        return await asyncio.shield(task)

    def close(self) -> None:
        """Take no more."""
        for kept in self._kept.values():
            if kept.timer is not None:
                kept.timer.cancel()
            if kept.task is not None:
                kept.task.cancel()
        self._kept.clear()

    def _renew(self, book_key: int, kept: _Kept) -> asyncio.Task[LoanPicture]:
        if kept.task is None or kept.task.done():
            kept.task = asyncio.ensure_future(self._taken(book_key, kept))
            kept.task.add_done_callback(_look_at_its_error)
        return kept.task

    async def _taken(self, book_key: int, kept: _Kept) -> LoanPicture:
        started = self._clock()
        kept.picture = await self._take(book_key)
        cost_s = self._clock() - started
        kept.taken_s, kept.good_s = started, min(_GOOD_S_MAX, max(0.0, _SHARE * (cost_s - _FREE_S)))
        if kept.good_s > 1:
            wait_s = max(0.0, kept.good_s - cost_s)
            kept.timer = asyncio.get_running_loop().call_later(wait_s, self._renew_unasked, book_key, kept)
        return kept.picture

    def _renew_unasked(self, book_key: int, kept: _Kept) -> None:
        if self._clock() - kept.asked_s <= _KEPT_S:
            self._renew(book_key, kept)


def _look_at_its_error(task: asyncio.Task[LoanPicture]) -> None:
    """Whoever asks next hears of it; if nobody does, nobody needs to."""
    if not task.cancelled():
        task.exception()
