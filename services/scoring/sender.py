"""Sends what is queued: webhooks and the topic, at least once, in order per episode, for a day."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from loanbook.domain.errors import LoanbookError
from loanbook.kafka.producer import OutgoingRecord
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Pool
from loanbook.topics import RISK_ALERTS
from scoring import metrics
from scoring.messages import cloud_event
from scoring.webhook import DeliveryError, ReceiverGoneError

log = structlog.get_logger()
WEBHOOK = "webhook"  # the endpoint's name in the queue; where it is, the settings say
GIVE_UP_AFTER = timedelta(hours=24)
_AT_ONCE = 50
_LEASE = timedelta(seconds=60)
_FIRST_WAIT = timedelta(seconds=2)
_WAIT_MAX = timedelta(hours=1)
_LOOK_EVERY_S = 1.0


class WebhookSender(Protocol):
    """Posts a message; raises DeliveryError."""

    async def send(self, message_id: str, body: str, now: datetime) -> None:
        """Send one message under its id."""


class TopicSender(Protocol):
    """Publishes records; an outcome that is an error was not confirmed."""

    async def send_many(self, records: Sequence[OutgoingRecord]) -> Sequence[object]:
        """Publish and wait for the brokers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What became of one attempt."""

    delivery_id: object
    endpoint: str
    error: str | None = None
    dead: bool = False
    wait: timedelta = timedelta(0)

    @property
    def outcome(self) -> str:
        """The word the metric counts it under."""
        return "delivered" if self.error is None else "dead" if self.dead else "failed"


@dataclass(slots=True, kw_only=True)
class Sender:
    """Takes due messages from the queue until cancelled."""

    pool: Pool
    producer: TopicSender
    webhook: WebhookSender | None
    clock: Callable[[], datetime]
    jitter: Callable[[], float] = field(default=lambda: random.uniform(0.7, 1.3))  # noqa: S311 - spreads load
    look_every_s: float = _LOOK_EVERY_S
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Look at the queue at once."""
        self._wake.set()

    async def run(self) -> None:
        """Send what is due, then look again when woken or a second later."""
        while True:
            self._wake.clear()
            while await self.send_due() == _AT_ONCE:
                pass
            waiting = await self.pool.fetchval(load_sql("scoring", "count_waiting_deliveries"))
            metrics.DELIVERIES_WAITING.set(waiting)
            try:
                await asyncio.wait_for(self._wake.wait(), timeout=self.look_every_s)
            except TimeoutError:
                continue

    async def send_due(self) -> int:
        """Claim some messages, send them, note what became of them; gives how many there were."""
        rows = await self.pool.fetch(load_sql("scoring", "claim_deliveries"), _AT_ONCE, _LEASE)
        if not rows:
            return 0
        await asyncio.gather(
            self._post_all([row for row in rows if row["endpoint"] == WEBHOOK]),
            self._publish_all([row for row in rows if row["endpoint"] == RISK_ALERTS]),
        )
        return len(rows)

    async def _post_all(self, rows: Sequence[Mapping[str, Any]]) -> None:
        await self._settle(await asyncio.gather(*map(self._post, rows)))

    async def _post(self, row: Mapping[str, Any]) -> Settlement:
        if self.webhook is None:
            return self._failed(row, "no webhook is set")
        try:
            await self.webhook.send(str(row["delivery_id"]), row["payload"], self.clock())
        except ReceiverGoneError as error:
            return Settlement(delivery_id=row["delivery_id"], endpoint=WEBHOOK, error=str(error), dead=True)
        except DeliveryError as error:
            return self._failed(row, str(error), error.retry_after)
        return Settlement(delivery_id=row["delivery_id"], endpoint=WEBHOOK)

    async def _publish_all(self, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        records = []
        for row in rows:
            key, value = cloud_event(str(row["delivery_id"]), row["payload"])
            records.append(OutgoingRecord(RISK_ALERTS, key.encode(), value, row["slice"]))
        outcomes = await self.producer.send_many(records)
        settled = [
            self._failed(row, str(outcome))
            if isinstance(outcome, LoanbookError)
            else Settlement(delivery_id=row["delivery_id"], endpoint=RISK_ALERTS)
            for row, outcome in zip(rows, outcomes, strict=True)
        ]
        await self._settle(settled)

    def _failed(
        self, row: Mapping[str, Any], reason: str, retry_after: timedelta | None = None
    ) -> Settlement:
        wait = max(backoff(row["attempts"]) * self.jitter(), retry_after or timedelta(0))
        dead = self.clock() + wait > row["due_at"] + GIVE_UP_AFTER
        log.warning(
            "delivery_dead" if dead else "delivery_failed",
            delivery_id=str(row["delivery_id"]),
            endpoint=row["endpoint"],
            attempts=row["attempts"],
            reason=reason,
        )
        return Settlement(
            delivery_id=row["delivery_id"], endpoint=row["endpoint"], error=reason, dead=dead, wait=wait
        )

    async def _settle(self, settled: Sequence[Settlement]) -> None:
        if not settled:
            return
        await self.pool.execute(
            load_sql("scoring", "settle_deliveries"),
            [s.delivery_id for s in settled],
            [s.error is None for s in settled],
            [s.dead for s in settled],
            [s.error for s in settled],
            [s.wait.total_seconds() for s in settled],
        )
        for settlement in settled:
            metrics.DELIVERIES.labels(settlement.endpoint, settlement.outcome).inc()


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many attempts: doubling, up to an hour."""
    doublings = min(max(attempts - 1, 0), 20)
    return min(_FIRST_WAIT * (1 << doublings), _WAIT_MAX)
