"""The producer of the gateway and of the outbox relay: what it confirms is durable."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from datetime import timedelta
from types import TracebackType
from typing import NamedTuple, Self

from aiokafka import AIOKafkaProducer
from aiokafka.codec import has_lz4
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from aiokafka.structs import RecordMetadata

from loanbook.domain.errors import LoanbookError, RejectedEventError, RetryableError
from loanbook.kafka.settings import KafkaSettings, client_options


class OutgoingRecord(NamedTuple):
    """A record to be sent; without a partition, murmur2 of the key chooses it as every Java client would."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None


class EventProducer:
    """Sends idempotently with acks=all: an outcome that is no error lies on every in-sync replica."""

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        linger: timedelta = timedelta(milliseconds=2),
        timeout: timedelta = timedelta(seconds=10),
        max_record_bytes: int = 1_048_576,
    ) -> None:
        """Nothing connects here; `timeout` bounds start, stop and each `send_many`."""
        self._settings = settings
        self._linger_ms = int(linger.total_seconds() * 1000)
        self._timeout_s = timeout.total_seconds()
        self._max_record_bytes = max_record_bytes
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        """Connect; RetryableError when no broker answers in time."""
        await self._running()

    async def stop(self) -> None:
        """Send what is under way and disconnect; what the brokers do not take in time was never confirmed."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await self._close(producer)

    async def __aenter__(self) -> Self:
        """Connect."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self.stop()

    async def send(
        self, topic: str, key: bytes | None, value: bytes | None, partition: int | None = None
    ) -> RecordMetadata:
        """Send one record and return where it lies; raises what `send_many` would return."""
        (outcome,) = await self.send_many([OutgoingRecord(topic, key, value, partition)])
        if isinstance(outcome, LoanbookError):
            raise outcome
        return outcome

    async def send_many(
        self, records: Iterable[OutgoingRecord | tuple[str, bytes | None, bytes | None, int | None]]
    ) -> list[RecordMetadata | LoanbookError]:
        """Send records, in order within a partition, and return for each where it lies or what became of it.

        RetryableError: not confirmed in time, though it may still arrive. RejectedEventError: never will.
        """
        wanted = [r if isinstance(r, OutgoingRecord) else OutgoingRecord(*r) for r in records]
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        try:
            async with asyncio.timeout_at(deadline):
                producer = await self._running()
        except TimeoutError:
            return [_unreachable(self._settings) for _ in wanted]
        except RetryableError as error:
            return [error for _ in wanted]
        pending = await self._enqueue(producer, wanted, deadline)
        await _settle([item for item in pending if isinstance(item, asyncio.Future)], deadline)
        outcomes = [self._outcome(item) for item in pending]
        await self._replace_if_dead(producer)
        return outcomes

    async def _replace_if_dead(self, producer: AIOKafkaProducer) -> None:
        # The sender dies of a fatal answer, a lost producer id for one; only a new producer gets a new id.
        if producer._sender.sender_task.done() and producer is self._producer:  # noqa: SLF001
            self._producer = None
            await self._close(producer)

    async def _enqueue(
        self, producer: AIOKafkaProducer, records: Sequence[OutgoingRecord], deadline: float
    ) -> list[asyncio.Future[RecordMetadata] | LoanbookError]:
        pending: list[asyncio.Future[RecordMetadata] | LoanbookError] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                for topic, key, value, partition in records:
                    try:
                        pending.append(await producer.send(topic, value, key, partition))
                    except MessageSizeTooLargeError:
                        size = len(key or b"") + len(value or b"")
                        pending.append(
                            RejectedEventError(f"{size} bytes are more than {self._max_record_bytes}")
                        )
                    except KafkaError as error:
                        pending.append(_retryable(error, self._settings))
        late = len(records) - len(pending)
        return pending + [_unreachable(self._settings)] * late

    def _outcome(
        self, item: asyncio.Future[RecordMetadata] | LoanbookError
    ) -> RecordMetadata | LoanbookError:
        if isinstance(item, LoanbookError):
            return item
        if not item.done():
            item.add_done_callback(_forget)
            return _unreachable(self._settings)
        error = item.exception()
        return item.result() if error is None else _retryable(error, self._settings)

    async def _running(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                self._producer = await self._connect()
            return self._producer

    async def _connect(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **client_options(self._settings),
            acks="all",
            enable_idempotence=True,
            linger_ms=self._linger_ms,
            max_batch_size=131_072,
            max_request_size=self._max_record_bytes,
            compression_type="lz4" if has_lz4() else None,
        )
        try:
            async with asyncio.timeout(self._timeout_s):
                await producer.start()
        except (TimeoutError, KafkaError, OSError) as error:
            await self._close(producer)
            raise _retryable(error, self._settings) from error
        return producer

    async def _close(self, producer: AIOKafkaProducer) -> None:
        # With idempotence the client retries for ever, so that its own stop would wait for a broker that
        # never comes back: past the time limit the sender is ended and then the connections.
        with contextlib.suppress(TimeoutError, KafkaError):
            async with asyncio.timeout(self._timeout_s):
                await producer.stop()
            return
        with contextlib.suppress(TimeoutError, KafkaError):
            async with asyncio.timeout(self._timeout_s):
                await producer._sender.close()  # noqa: SLF001
                await producer.client.close()


async def _settle(futures: Sequence[asyncio.Future[RecordMetadata]], deadline: float) -> None:
    if futures:
        now = asyncio.get_running_loop().time()
        await asyncio.wait(futures, timeout=max(0.0, deadline - now))


def _unreachable(settings: KafkaSettings) -> RetryableError:
    return RetryableError(f"Kafka at {settings.bootstrap_servers} did not confirm in time")


def _retryable(error: BaseException, settings: KafkaSettings) -> RetryableError:
    if isinstance(error, TimeoutError):
        return _unreachable(settings)
    failure = RetryableError(f"Kafka at {settings.bootstrap_servers}: {error!r}")
    failure.__cause__ = error
    return failure


def _forget(future: asyncio.Future[RecordMetadata]) -> None:
    # The caller has been told to try again; reading the late error keeps the loop from complaining of it.
    if not future.cancelled():
        future.exception()
