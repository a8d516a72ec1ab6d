"""Scores, episodes and messages in Postgres; every write is set-based and in key order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, time
from typing import Any

import msgspec
import numpy as np

from loanbook.postgres.binary_copy import chosen, copy_rows, days, floats, integers, nulls, reals, rows_of
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Connection, Pool, create_pool
from scoring.alerts import RULE, Episode, EpisodeState, Move
from scoring.features import BoolArray
from scoring.reading import states_from_rows
from scoring.records import EpisodeRow, LoanFacts, Message, ScoreRows, States, joined
from scoring.terms import TermsCache
from scoring.texts import Texts
from scoring.thresholds import Severity

CUT_OFF = time(10, 0)  # of the next business day: late files are the commonest false alarm
_CLOSED_DAYS_BACK = 60
_EPOCH = date(1970, 1, 1).toordinal()
_STAGE_COLUMNS = (
    "slice", "loan_key", "book_key", "branch_key", "state_version", "as_of", "default_probability",
    "risk_score", "band", "stage", "exposure_minor", "expected_loss_minor", "basis", "strategy",
    "strategy_reason", "reasons", "changes", "contributions", "features",
)  # fmt: skip
_TERMS_KEPT = 250_000  # loans, some 200 bytes each

ROLE = "scoring_writer"
# Loans are read by their keys. The planner would work out for each transaction anew how to reach sixteen
# slices of five tables, which takes it longer than a hundred loans do; and a plan made once must not read a
# table whole because it was small at the time.
_BY_KEY = {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """Connections for transactions on loans, each with its stage, and what they all know of loans."""

    pool: Pool
    terms: TermsCache


async def open_units(dsn: str, size_max: int) -> Units:
    """Connect; behind a new connection there may be another database, so what is known is forgotten."""
    terms = TermsCache(_TERMS_KEPT)

    async def make_ready(connection: Connection) -> None:
        terms.forget()
        await connection.execute(load_sql("scoring", "make_stage"))

    pool = await create_pool(
        dsn, ROLE, size_max=size_max, init=make_ready, keep_session=True, settings=_BY_KEY
    )
    return Units(pool=pool, terms=terms)


class PostgresScoreStore:
    """Scores in the schema risk, made from the states in the schema core."""

    def __init__(self, units: Units, endpoints: Sequence[str]) -> None:
        self._units = units
        self._endpoints = tuple(endpoints)

    @asynccontextmanager
    async def transaction(self, loans: Mapping[int, int]) -> AsyncIterator[PostgresScoreUnit]:
        """One transaction over loans, slices by key; no other scorer of their slices runs meanwhile."""
        async with self._units.pool.acquire() as connection, connection.transaction():
            await connection.execute(load_sql("scoring", "lock_slices"), sorted(set(loans.values())))
            yield PostgresScoreUnit(connection, loans, self._endpoints, self._units.terms)


class PostgresScoreUnit:
    """One transaction over some loans."""

    def __init__(
        self, connection: Connection, loans: Mapping[int, int], endpoints: Sequence[str], terms: TermsCache
    ) -> None:
        self._connection = connection
        self._slice_of = loans
        self._endpoints = endpoints
        self._terms = terms

    async def select_states(self) -> States:
        """The loans with the scores that stand."""
        loan_keys = list(self._slice_of)
        states, is_changed = await self._read(loan_keys, self._terms.find(loan_keys)[:, 0] < 0)
        if is_changed.any():
            changed = states.loans.loan_key[is_changed].tolist()
            read, _ = await self._read(changed, np.ones(len(changed), np.bool_))
            states = joined(states.take(~is_changed), read)
        return states

    async def _read(self, loan_keys: list[int], is_new: BoolArray) -> tuple[States, BoolArray]:
        rows = await self._fetch("select_states", *self._found_by(loan_keys), is_new.tolist())
        return states_from_rows(rows, self._terms)

    async def upsert_scores(self, rows: ScoreRows) -> int:
        """Write scores newer than what stands; gives how many were."""
        advice = (rows.losses.strategy, rows.losses.strategy_reason)
        texts = (rows.basis, *advice, rows.reasons, rows.changes, rows.contributions)
        slices, _ = self._found_by(rows.loans.loan_key.tolist())
        await copy_rows(self._connection, "stage_score", _STAGE_COLUMNS, _stage_rows(slices, rows, texts))
        different = (text.different for text in texts)
        (written,) = await self._fetch("upsert_scores", rows.scores.model, *different)
        return int(written["count"])

    async def delete_scores(self, loan_keys: Sequence[int]) -> None:
        """Take ended loans out."""
        await self._connection.execute(load_sql("scoring", "delete_scores"), *self._found_by(loan_keys))

    async def select_episodes(self, loan_keys: Sequence[int]) -> dict[int, Episode]:
        """The latest episode of each loan that has one."""
        rows = await self._fetch("select_episodes", *self._found_by(loan_keys), RULE)
        return {row["loan_key"]: _episode(row) for row in rows}

    async def select_lateness_at(self, days: Mapping[int, date]) -> dict[int, int]:
        """Days past due of loans on a day each, as restated now."""
        if not days:
            return {}
        rows = await self._fetch("select_lateness_at", *self._found_by(list(days)), list(days.values()))
        return {row["loan_key"]: row["days_past_due"] for row in rows}

    async def select_closed_days(self, book_keys: Sequence[int]) -> dict[int, list[date]]:
        """Business days that closed lately."""
        closed: dict[int, list[date]] = {}
        slice_ = next(iter(self._slice_of.values()))
        for row in await self._fetch("select_closed_days", slice_, list(book_keys), _CLOSED_DAYS_BACK):
            closed.setdefault(row["book_key"], []).append(row["business_on"])
        return closed

    async def select_messages(self, loan_keys: Sequence[int]) -> dict[int, LoanFacts]:
        """What messages and snapshots say about loans."""
        if not loan_keys:
            return {}
        rows = await self._fetch("select_messages", *self._found_by(loan_keys), CUT_OFF)
        return {row["loan_key"]: _facts(row) for row in rows}

    async def write_episodes(self, rows: Sequence[EpisodeRow]) -> dict[int, int]:
        """Open and move episodes; gives the episode of each loan."""
        opened = [row for row in rows if row.change.move is Move.OPENED]
        moved = [row for row in rows if row.change.move is not Move.OPENED]
        episode_ids = {
            row.change.loan_key: row.change.episode_id for row in moved if row.change.episode_id is not None
        }
        if moved:
            await self._connection.execute(load_sql("scoring", "update_episodes"), *_moved_columns(moved))
            closed = [row.change.episode_id for row in moved if row.change.move is Move.CLOSED]
            await self._connection.execute(load_sql("scoring", "recall_deliveries"), closed)
        if opened:
            slices, keys = self._found_by([row.change.loan_key for row in opened])
            inserted = await self._fetch("insert_episodes", RULE, slices, keys, *_opened_columns(opened))
            episode_ids |= {row["loan_key"]: row["episode_id"] for row in inserted}
        return episode_ids

    async def insert_deliveries(self, messages: Sequence[Message]) -> None:
        """Queue what receivers are told."""
        if not messages or not self._endpoints:
            return
        columns = zip(
            *(
                (m.episode_id, self._slice_of[m.loan_key], m.kind, m.payload, m.due_at, m.told_only)
                for m in messages
            ),
            strict=True,
        )
        sql = load_sql("scoring", "insert_deliveries")
        await self._connection.execute(sql, self._endpoints, *map(list, columns))

    def _found_by(self, loan_keys: Sequence[int]) -> tuple[list[int], list[int]]:
        return [self._slice_of[loan_key] for loan_key in loan_keys], list(loan_keys)

    async def _fetch(self, name: str, *arguments: object) -> list[Mapping[str, Any]]:
        rows: list[Mapping[str, Any]] = await self._connection.fetch(load_sql("scoring", name), *arguments)
        return rows


def _stage_rows(slices: Sequence[int], rows: ScoreRows, texts: Sequence[Texts]) -> bytes:
    """What the stage takes, in the order of its columns."""
    loans, scores, losses = rows.loans, rows.scores, rows.losses
    columns = [
        integers(np.array(slices), 2),
        integers(loans.loan_key, 8),
        integers(loans.book_key, 2),
        integers(loans.branch_key, 4),
        integers(loans.version, 8),
        days(loans.as_of.astype(np.int64) + _EPOCH),
        floats(scores.default_probability),
        integers(scores.risk_score, 2),
        integers(scores.band, 2),
        integers(losses.stage, 2),
        integers(losses.exposure, 8),
        integers(losses.expected_loss, 8),
        *(integers(text.places + 1, 4) for text in texts),
    ]
    recorded = rows.recorded
    return rows_of(
        [*chosen(columns, recorded), reals(rows.features[recorded])],
        [*chosen(columns, ~recorded), nulls(int((~recorded).sum()))],
    )


def _moved_columns(rows: Sequence[EpisodeRow]) -> Iterable[list[Any]]:
    changes = [row.change for row in rows]
    return (
        [change.episode_id for change in changes],
        [str(change.move) for change in changes],
        [str(change.state) for change in changes],
        [int(change.severity) for change in changes],
        [change.leaving_since for change in changes],
        [None if change.close_reason is None else str(change.close_reason) for change in changes],
        [row.situation.as_of for row in rows],
    )


def _opened_columns(rows: Sequence[EpisodeRow]) -> Iterable[list[Any]]:
    return (
        [row.book_key for row in rows],
        [int(row.change.severity) for row in rows],
        [row.silent for row in rows],
        [row.situation.as_of for row in rows],
        [row.snapshot for row in rows],
    )


def _episode(row: Mapping[str, Any]) -> Episode:
    return Episode(
        episode_id=row["episode_id"],
        loan_key=row["loan_key"],
        state=EpisodeState(row["state"]),
        severity=Severity(row["severity"]),
        opened_on=row["opened_on"],
        reopened_on=row["reopened_on"],
        leaving_since=row["leaving_since"],
        closed_on=row["closed_on"],
        announced=row["announced"],
    )


def _facts(row: Mapping[str, Any]) -> LoanFacts:
    return LoanFacts(**{**row, "reasons": msgspec.Raw(row["reasons"] or "[]")})
