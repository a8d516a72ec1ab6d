"""A lane: takes loans that wait, scores them in one transaction, and knows what to do when that fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from loanbook.postgres.fates import RETRYABLE, Fate, fate_of
from scoring import metrics
from scoring.alerts import RULE
from scoring.backlog import Backlog, Work
from scoring.flow import Outcome, Policy, ScoreStore, score_loans

log = structlog.get_logger()
_FIRST_WAIT = timedelta(milliseconds=50)


@dataclass(slots=True, kw_only=True)
class Lane:
    """One stream of scoring transactions."""

    store: ScoreStore
    policy: Policy
    backlog: Backlog
    batch_loans: int
    retry_wait_max: timedelta
    clock: Callable[[], datetime]
    scored: Callable[[Outcome], None]  # wakes the sender
    waiting_reason: str | None = field(default=None)

    async def run(self) -> None:
        """Score what waits until cancelled; a fatal error ends the worker."""
        while True:
            work = await self.backlog.take(self.batch_loans)
            await self.apply(work.loans)
            self.backlog.done(work)
            self._observe(work)

    async def apply(self, loans: Mapping[int, int]) -> None:
        """Score loans (slices by key) in one transaction, or in halves where the data of one do not fit."""
        try:
            outcome = await self._patiently(loans)
        except RETRYABLE as error:
            if fate_of(error) is not Fate.BISECT:
                raise
            items = list(loans.items())
            if len(items) == 1:
                metrics.UNSCORABLE.inc()
                log.exception("loan_unscorable", loan_key=items[0][0], slice=items[0][1])
                return
            middle = len(items) // 2
            await self.apply(dict(items[:middle]))
            await self.apply(dict(items[middle:]))
            return
        metrics.SCORED.inc(outcome.scored)
        for move, severity in outcome.moves:
            metrics.EPISODES.labels(RULE, str(move), severity.name).inc()
        self.scored(outcome)

    async def _patiently(self, loans: Mapping[int, int]) -> Outcome:
        wait = _FIRST_WAIT
        while True:
            try:
                started = time.perf_counter()
                outcome = await score_loans(loans, self.store, self.policy)
            except RETRYABLE as error:
                if fate_of(error) is not Fate.RETRY:
                    raise
                self.waiting_reason = f"database: {type(error).__name__}: {error}"
                log.warning("scoring_retried", error=str(error), wait_s=wait.total_seconds())
                metrics.RETRIES.inc()
                await asyncio.sleep(wait.total_seconds())
                wait = min(wait * 2, self.retry_wait_max)
            else:
                self.waiting_reason = None
                metrics.SCORE_TRANSACTION_SECONDS.observe(time.perf_counter() - started)
                return outcome

    def _observe(self, work: Work) -> None:
        now = self.clock()
        for committed_at in work.committed_at:
            metrics.SCORE_LATENCY_SECONDS.observe(max((now - committed_at).total_seconds(), 0))
        metrics.BACKLOG.set(len(self.backlog))
