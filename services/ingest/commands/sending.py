"""Sends events on, straight to Kafka or through the gateway, until each is durable or refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from http import HTTPStatus
from typing import Any, Protocol

import httpx

from ingest.commands.import_rows import ImportEvent
from ingest.gateway_requests import LINES
from ingest.gateway_routing import day_closed_records
from loanbook import wire
from loanbook.domain.errors import LoanbookError, RejectedEventError, RetryableError
from loanbook.domain.events import DayClosed
from loanbook.kafka.producer import EventProducer, OutgoingRecord
from loanbook.kafka.settings import KafkaSettings

CHUNK_EVENTS = 2_000
CHUNK_BYTES = 900_000  # a gateway takes bodies of a megabyte
_WAIT_S = (0.5, 1, 2, 4, 5, 5, 5, 5, 5, 5, 5, 5)  # about a minute, then the sender gives up
_END_OF_DAY = time(23, 59, 59, tzinfo=UTC)


class SendingError(LoanbookError):
    """Events could not be made durable."""


class Outgoing(Protocol):
    """An encoded event that knows where it goes."""

    @property
    def topic(self) -> str: ...  # noqa: D102
    @property
    def key(self) -> bytes: ...  # noqa: D102
    @property
    def value(self) -> bytes: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An event that will never be taken."""

    event: Outgoing
    reason: str


class Sink(Protocol):
    """Where events go."""

    async def send(self, events: Sequence[Outgoing]) -> list[Refusal]:
        """Make events durable; returns what was refused. Raises SendingError when it cannot go on."""

    async def close_day(self, book: str, source: str, on: date) -> None:
        """Put the end of a business day into every partition; raises SendingError."""


class KafkaSink:
    """Writes to Kafka itself, in the partitions that the gateway would choose."""

    def __init__(self, producer: EventProducer) -> None:
        self._producer = producer

    async def send(self, events: Sequence[Outgoing]) -> list[Refusal]:
        """Make events durable; returns what was refused."""
        refused: list[Refusal] = []
        for start in range(0, len(events), CHUNK_EVENTS):
            chunk = events[start : start + CHUNK_EVENTS]
            errors = await self._deliver([OutgoingRecord(e.topic, e.key, e.value) for e in chunk])
            refused += [
                Refusal(event=e, reason=str(err)) for e, err in zip(chunk, errors, strict=True) if err
            ]
        return refused

    async def close_day(self, book: str, source: str, on: date) -> None:
        """Put the end of a business day into every partition."""
        errors = await self._deliver(day_closed_records(book, day_closed(book, source, on)))
        if any(errors):
            raise SendingError(f"the end of {on} was refused: {next(error for error in errors if error)}")

    async def _deliver(self, records: Iterable[OutgoingRecord]) -> list[RejectedEventError | None]:
        # Repeats go in the records' own order, so that a partition never sees a day's end before its events.
        waiting = list(records)
        errors: list[RejectedEventError | None] = [None] * len(waiting)
        places = list(range(len(waiting)))
        for wait_s in (*_WAIT_S, None):
            outcomes = await self._producer.send_many([waiting[place] for place in places])
            sent = list(zip(places, outcomes, strict=True))
            for place, outcome in sent:
                if isinstance(outcome, RejectedEventError):
                    errors[place] = outcome
            unsure = [(place, outcome) for place, outcome in sent if isinstance(outcome, RetryableError)]
            if not unsure:
                break
            if wait_s is None:
                raise SendingError(str(unsure[0][1]))
            places = [place for place, _ in unsure]
            await asyncio.sleep(wait_s)
        return errors


class GatewaySink:
    """Sends through the HTTP gateway, as NDJSON."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def send(self, events: Sequence[Outgoing]) -> list[Refusal]:
        """Make events durable; returns what was refused."""
        refused: list[Refusal] = []
        for chunk in _chunks(events):
            refused += await self._deliver(chunk)
        return refused

    async def close_day(self, book: str, source: str, on: date) -> None:
        """Put the end of a business day into every partition; the gateway does the fan-out."""
        raw = day_closed(book, source, on)
        recorded_at = datetime.combine(on, _END_OF_DAY)
        event = ImportEvent(on=on, recorded_at=recorded_at, topic="", key=b"", value=raw)
        for refusal in await self._deliver([event]):
            raise SendingError(f"the end of {on} was refused: {refusal.reason}")

    async def _deliver(self, events: list[Outgoing]) -> list[Refusal]:
        waiting, refused = events, []
        for wait_s in (*_WAIT_S, None):
            results, reason = await self._post(waiting)
            again = []
            for event, result in zip(waiting, results, strict=True):
                if result is None or result.get("retry"):
                    again.append(event)
                elif result["status"] == "refused":
                    refused.append(Refusal(event=event, reason=_reason_of(result)))
            waiting = again
            if not waiting:
                return refused
            if wait_s is None:
                raise SendingError(f"the gateway took no events: {reason}")
            await asyncio.sleep(wait_s)
        return refused

    async def _post(self, events: Sequence[Outgoing]) -> tuple[list[dict[str, Any] | None], str]:
        try:
            answer = await self._client.post(
                "/v1/events",
                content=b"\n".join(event.value for event in events),
                headers={"content-type": LINES[0]},
            )
        except httpx.HTTPError as error:
            return [None] * len(events), repr(error)
        passing = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.BAD_GATEWAY}
        body = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        if "results" in body:
            return list(body["results"]), str(body.get("detail", ""))
        if answer.status_code in passing:
            return [None] * len(events), f"{answer.status_code} {body.get('detail', '')}"
        raise SendingError(
            f"the gateway answered {answer.status_code}: {body.get('detail', answer.text[:200])}"
        )


@asynccontextmanager
async def open_sink(target: str, *, api_key: str | None = None) -> AsyncIterator[Sink]:
    """A sink for `http(s)://...`, a gateway, or for Kafka's bootstrap servers."""
    if target.startswith(("http://", "https://")):
        headers = {"x-api-key": api_key} if api_key else {}
        async with httpx.AsyncClient(base_url=target, headers=headers, timeout=30) as client:
            yield GatewaySink(client)
    else:
        settings = KafkaSettings(bootstrap_servers=target, client_id="loanpulse-import")
        async with EventProducer(
            settings, linger=timedelta(milliseconds=5), timeout=timedelta(seconds=20)
        ) as producer:
            yield KafkaSink(producer)


def day_closed(book: str, source: str, on: date) -> bytes:
    """The event that ends a business day; the same bytes whenever it is sent."""
    return wire.encode(
        DayClosed(business_on=on),
        book=book,
        subject=book,
        source=source,
        event_id=f"day-closed/{book}/{on}",
        recorded_at=datetime.combine(on, _END_OF_DAY),
    )


def _chunks(events: Sequence[Outgoing]) -> Iterable[list[Outgoing]]:
    chunk: list[Outgoing] = []
    size = 0
    for event in events:
        if chunk and (len(chunk) >= CHUNK_EVENTS or size + len(event.value) >= CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(event)
        size += len(event.value) + 1
    if chunk:
        yield chunk


def _reason_of(result: dict[str, Any]) -> str:
    field = f"{result['field']}: " if result.get("field") else ""
    return f"{field}{result.get('reason', '')}"
