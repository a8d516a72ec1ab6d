"""Score loans once each, and let their alerts follow, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

import numpy as np

from loanbook.domain.loan import LoanStatus
from scoring.alerts import Change, Episode, Move, Situation, decide, may_be_withdrawn
from scoring.exposure import losses_of
from scoring.features import BoolArray, days_past_due, features_of
from scoring.messages import is_announced, message_of, snapshot_json
from scoring.model import Scorer
from scoring.reasons import changes_json, contributions_json, reasons_json
from scoring.records import EpisodeRow, LoanFacts, Message, ScoreRows, States, is_recorded
from scoring.texts import Texts
from scoring.thresholds import Severity

BASIS_BY_RULE = "rule"


class ScoreUnit(Protocol):
    """One transaction over some loans."""

    async def select_states(self) -> States:
        """The loans with the scores that stand."""

    async def upsert_scores(self, rows: ScoreRows) -> int:
        """Write scores newer than what stands; gives how many were."""

    async def delete_scores(self, loan_keys: Sequence[int]) -> None:
        """Take ended loans out."""

    async def select_episodes(self, loan_keys: Sequence[int]) -> Mapping[int, Episode]:
        """The latest episode of each loan that has one."""

    async def select_lateness_at(self, days: Mapping[int, date]) -> Mapping[int, int]:
        """Days past due of loans on a day each, as restated now."""

    async def select_closed_days(self, book_keys: Sequence[int]) -> Mapping[int, Sequence[date]]:
        """Business days that closed lately."""

    async def select_messages(self, loan_keys: Sequence[int]) -> Mapping[int, LoanFacts]:
        """What messages and snapshots say about loans."""

    async def write_episodes(self, rows: Sequence[EpisodeRow]) -> Mapping[int, int]:
        """Open and move episodes; gives the episode of each loan."""

    async def insert_deliveries(self, messages: Sequence[Message]) -> None:
        """Queue what receivers are told."""


class ScoreStore(Protocol):
    """Where scores are kept."""

    def transaction(self, loans: Mapping[int, int]) -> AbstractAsyncContextManager[ScoreUnit]:
        """One transaction over loans, slices by key; no other scorer of their slices runs meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How scores become consequences."""

    scorer: Scorer
    loss_given_default: float
    hold_until_cut_off: bool = False  # announcements wait for the posting cut-off of the next business day


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a set of loans."""

    scored: int = 0
    ended: int = 0
    moves: tuple[tuple[Move, Severity], ...] = ()


async def score_loans(loans: Mapping[int, int], store: ScoreStore, policy: Policy) -> Outcome:
    """Score those of these loans (slices by key) whose score is behind state or day, each once."""
    async with store.transaction(loans) as unit:
        states = await unit.select_states()
        active: BoolArray = states.loans.status == LoanStatus.ACTIVE
        is_behind = active & _is_behind(states, policy.scorer.name)
        behind, ended = states.take(is_behind), states.take(~active)
        scored = await unit.upsert_scores(score_rows(behind, policy)) if len(behind.loans) else 0
        if len(ended.loans):
            await unit.delete_scores(ended.loans.loan_key.tolist())
        rows = await _episode_rows(unit, states.take(is_behind | ~active))
        await _write_alerts(unit, rows, hold=policy.hold_until_cut_off)
    moves = tuple((row.change.move, row.change.severity) for row in rows)
    return Outcome(scored=scored, ended=len(ended.loans), moves=moves)


def score_rows(states: States, policy: Policy) -> ScoreRows:
    """Features, score, consequences and reasons of a batch of loans."""
    loans, previous = states.loans, states.previous
    features = features_of(loans)
    scores = policy.scorer.score(loans, features)
    return ScoreRows(
        loans=loans,
        scores=scores,
        losses=losses_of(loans, scores, policy.loss_given_default),
        basis=Texts((policy.scorer.basis, BASIS_BY_RULE), scores.by_rule.astype(np.int64)),
        reasons=reasons_json(loans, features, scores),
        changes=changes_json(loans, features, scores, previous),
        contributions=contributions_json(scores.points),
        features=features,
        recorded=is_recorded(loans, scores, previous),
    )


def _is_behind(states: States, model: str) -> BoolArray:
    previous, loans = states.previous, states.loans
    older: BoolArray = (previous.state_version < loans.version) | (previous.as_of < loans.as_of)
    # A newer version of the worker may run beside this one: its scores are never taken back.
    older_model: BoolArray = (previous.model < model).astype(np.bool_)
    return ~previous.exists | older | older_model


async def _episode_rows(unit: ScoreUnit, states: States) -> list[EpisodeRow]:
    loans = states.loans
    if not len(loans):
        return []
    episodes = await unit.select_episodes(loans.loan_key.tolist())
    lateness = days_past_due(loans)
    concerned = (lateness > 0) | np.isin(loans.loan_key, np.fromiter(episodes, np.int64, len(episodes)))
    chosen = states.take(concerned).loans
    if not len(chosen):
        return []
    closed_days = await unit.select_closed_days(np.unique(chosen.book_key).tolist())
    situations = _situations(states.take(concerned))
    restated = await unit.select_lateness_at(_entries_in_doubt(situations, episodes))
    rows = []
    for position, situation in enumerate(situations):
        book_key = int(chosen.book_key[position])
        change = _change(situation, episodes, restated, closed_days.get(book_key, ()))
        if change is not None:
            silent = bool(chosen.silent[position])
            rows.append(EpisodeRow(change=change, situation=situation, book_key=book_key, silent=silent))
    return rows


def _situations(states: States) -> list[Situation]:
    loans = states.loans
    columns = (
        loans.loan_key.tolist(),
        loans.status.tolist(),
        loans.as_of.tolist(),
        days_past_due(loans).astype(np.int64).tolist(),
        loans.restructured_on.tolist(),
    )
    return [
        Situation(
            loan_key=loan_key,
            status=LoanStatus(status),
            as_of=as_of,
            days_past_due=lateness,
            restructured_on=restructured_on,
        )
        for loan_key, status, as_of, lateness, restructured_on in zip(*columns, strict=True)
    ]


def _entries_in_doubt(situations: Sequence[Situation], episodes: Mapping[int, Episode]) -> dict[int, date]:
    """The days on which open episodes began whose reason may have been taken back since."""
    return {
        situation.loan_key: episode.entered_on
        for situation in situations
        if (episode := episodes.get(situation.loan_key)) is not None
        and episode.is_open
        and (situation.status is not LoanStatus.ACTIVE or may_be_withdrawn(situation.days_past_due))
    }


def _change(
    situation: Situation,
    episodes: Mapping[int, Episode],
    restated: Mapping[int, int],
    closed_days: Sequence[date],
) -> Change | None:
    at_entry = restated.get(situation.loan_key)
    if at_entry is not None:
        situation = replace(situation, days_past_due_at_entry=at_entry)
    return decide(situation, episodes.get(situation.loan_key), closed_days)


async def _write_alerts(unit: ScoreUnit, rows: Sequence[EpisodeRow], *, hold: bool) -> None:
    if not rows:
        return
    told = [row.change.loan_key for row in rows if is_announced(row) or row.change.move is Move.OPENED]
    facts = await unit.select_messages(told)
    written = [
        replace(row, snapshot=snapshot_json(row.situation, facts[row.change.loan_key]))
        if row.change.move is Move.OPENED
        else row
        for row in rows
    ]
    episode_ids = await unit.write_episodes(written)
    messages = [
        message_of(row, episode_ids[row.change.loan_key], facts[row.change.loan_key], hold=hold)
        for row in rows
        if is_announced(row)
    ]
    await unit.insert_deliveries(messages)
