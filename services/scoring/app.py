"""The scoring worker: joins notices, the sweep, the lanes that score and the sender of alerts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

import httpx
import structlog
import uvloop

from loanbook.collecting import collect_seldom, keep_freed_memory
from loanbook.domain.errors import RejectedEventError
from loanbook.kafka.batches import Partition, RecordBatch
from loanbook.kafka.health import Health, HealthServer
from loanbook.kafka.producer import EventProducer
from loanbook.kafka.worker import BatchWorker
from loanbook.postgres.fates import RETRYABLE, Fate, fate_of
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.migrate import require_schema
from loanbook.postgres.pool import Pool, create_pool
from loanbook.topics import LOAN_CHANGED, RISK_ALERTS
from loanbook.wire import decode_notice
from scoring import metrics
from scoring.backlog import Backlog
from scoring.flow import Outcome, Policy
from scoring.lane import Lane
from scoring.model import RulesScorer, Scorer
from scoring.scorecard import assumptions
from scoring.sender import WEBHOOK, Sender
from scoring.settings import WorkerSettings
from scoring.store import ROLE, PostgresScoreStore, Units, open_units
from scoring.sweep import Sweep
from scoring.thresholds import BAND_SCORE_MIN
from scoring.webhook import Endpoint, WebhookClient

log = structlog.get_logger()


class ScoringWorker:
    """Takes notices into the backlog; lanes score it; the sweep finds what no notice told."""

    def __init__(
        self,
        settings: WorkerSettings,
        pool: Pool,
        units: Units,
        producer: EventProducer,
        client: httpx.AsyncClient,
    ) -> None:
        self.settings = settings
        self.backlog = Backlog(settings.collect)
        self.policy = Policy(
            scorer=RulesScorer(),
            loss_given_default=settings.loss_given_default,
            hold_until_cut_off=settings.notices_wait_for_cut_off,
        )
        endpoints = (RISK_ALERTS, WEBHOOK) if settings.webhook_url else (RISK_ALERTS,)
        self.sweep = Sweep(
            pool=pool,
            backlog=self.backlog,
            model=self.policy.scorer.name,
            endpoints=endpoints,
            interval=settings.sweep_interval,
            grace=settings.sweep_grace,
            backlog_max=settings.backlog_loans,
        )
        self.sender = Sender(pool=pool, producer=producer, webhook=_webhook(settings, client), clock=_now)
        store = PostgresScoreStore(units, endpoints)
        self.lanes = [self._make_lane(store) for _ in range(settings.lanes)]
        self.worker = BatchWorker(
            settings.kafka(), self, (LOAN_CHANGED,), settings.group, tasks=self._tasks()
        )
        self._positions: dict[Partition, int] = {}

    @property
    def waiting_reason(self) -> str | None:
        """Notices are acked as they come: nothing here holds them up."""
        return None

    async def assigned(self, partitions: frozenset[Partition]) -> Mapping[Partition, int | None]:
        """Read new partitions from their ends, and look for what was missed: the states tell, not the log."""
        new = partitions - self._positions.keys()
        for partition in new:
            _, self._positions[partition] = await self.worker.log_range(partition)
        self.sweep.look_now()
        return {partition: self._positions[partition] for partition in partitions}

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        """Nothing to undo: loans on the backlog may stay, a score is right whoever writes it."""

    async def deliver(self, batches: Sequence[RecordBatch]) -> None:
        """Take the loans of all notices; a notice is a hint, so it is acked at once."""
        for batch in batches:
            self._note(batch)
        metrics.BACKLOG.set(len(self.backlog))

    def _note(self, batch: RecordBatch) -> None:
        for record in batch.records:
            try:
                notice = decode_notice(record.value or b"")
            except RejectedEventError as error:
                metrics.BAD_NOTICES.inc()
                log.warning("notice_unreadable", offset=record.offset, reason=str(error))
                continue
            has_news = not notice.of_new_day
            self.backlog.add(notice.slice, notice.loan_keys, notice.committed_at, is_first=has_news)
        self._positions[batch.partition] = batch.next_offset
        self.worker.ack(batch)

    async def health(self) -> Health:
        """Whether the worker scores, and what it assumes."""
        reasons = tuple(lane.waiting_reason for lane in self.lanes if lane.waiting_reason)
        details = {
            "model": self.policy.scorer.name,
            "basis": self.policy.scorer.basis,
            "loss_given_default": self.policy.loss_given_default,
            "backlog_loans": len(self.backlog),
        }
        return Health(reasons=reasons, details=details)

    def _make_lane(self, store: PostgresScoreStore) -> Lane:
        return Lane(
            store=store,
            policy=self.policy,
            backlog=self.backlog,
            batch_loans=self.settings.batch_loans,
            retry_wait_max=self.settings.retry_wait_max,
            clock=_now,
            scored=self._scored,
        )

    def _scored(self, outcome: Outcome) -> None:
        if outcome.moves:
            self.sender.wake()

    def _tasks(self) -> Sequence[Callable[[], Awaitable[None]]]:
        return (
            *(lane.run for lane in self.lanes),
            lambda: forever(self.sweep.run, "sweep"),
            lambda: forever(self.sender.run, "sender"),
        )


async def forever(work: Callable[[], Awaitable[None]], name: str) -> None:
    """Run background work again after passing errors; others end the worker."""
    while True:
        try:
            await work()
        except RETRYABLE as error:
            if fate_of(error) is not Fate.RETRY:
                raise
            log.warning("background_retried", work=name, error=str(error))
            await asyncio.sleep(1)


def run_worker(settings: WorkerSettings) -> int:
    """Run the worker until it is told to stop; returns the exit code."""
    collect_seldom()
    keep_freed_memory()
    exit_code: int = uvloop.run(_run(settings))
    return exit_code


async def _run(settings: WorkerSettings) -> int:
    pool = await create_pool(settings.database_url, ROLE, size_max=3, keep_session=True)
    units = await open_units(settings.database_url, settings.lanes)
    producer = EventProducer(settings.kafka())
    timeout = settings.webhook_timeout.total_seconds()
    try:
        async with httpx.AsyncClient(timeout=timeout, trust_env=False) as client:
            await require_schema(pool)
            worker = ScoringWorker(settings, pool, units, producer, client)
            await state_model(pool, worker.policy.scorer, settings.loss_given_default)
            async with HealthServer(settings.worker_port, worker.health, host=settings.worker_host):
                return await worker.worker.run()
    finally:
        await producer.stop()
        await units.pool.close()
        await pool.close()


async def state_model(pool: Pool, scorer: Scorer, loss_given_default: float) -> None:
    """Write down the running model, what it assumes, and the bands."""
    await pool.execute(
        load_sql("scoring", "upsert_model"),
        scorer.name,
        scorer.basis,
        loss_given_default,
        json.dumps(assumptions()),
        [int(band) for band in BAND_SCORE_MIN],
        [band.name for band in BAND_SCORE_MIN],
        list(BAND_SCORE_MIN.values()),
    )


def _webhook(settings: WorkerSettings, client: httpx.AsyncClient) -> WebhookClient | None:
    if not settings.webhook_url:
        return None
    endpoint = Endpoint(
        url=settings.webhook_url,
        secrets=settings.webhook_secrets(),
        allow_private=settings.webhook_allow_private,
    )
    return WebhookClient(endpoint, client)


def _now() -> datetime:
    return datetime.now(UTC)
