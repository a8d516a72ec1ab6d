"""Takes the events of a request: checks each, makes them durable, and says of each what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import msgspec

from ingest.gateway_auth import Caller
from ingest.gateway_routing import records_of
from loanbook import wire
from loanbook.domain.errors import LoanbookError, RejectedEventError, RetryableError
from loanbook.kafka.producer import OutgoingRecord
from loanbook.wire_rules import MAX_TEXT_LENGTH

Fault = Literal["malformed", "attributes", "type", "data", "book", "not_durable"]


class Producer(Protocol):
    """What delivery needs of Kafka: for each record where it lies, or what became of it."""

    async def send_many(self, records: Iterable[OutgoingRecord]) -> Sequence[object]: ...  # noqa: D102


class EventResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one event; `retry` says that the same event may be taken later."""

    index: int
    id: str | None = None
    status: Literal["accepted", "refused"]
    field: str | None = None
    reason: str | None = None
    retry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The results of a request in its order, and the faults of the refused for the metrics."""

    results: list[EventResult]
    faults: list[Fault]

    @property
    def accepted(self) -> int:
        """How many events are durable."""
        return len(self.results) - len(self.faults)


@dataclass(frozen=True, slots=True)
class _Checked:
    id: str | None
    records: tuple[OutgoingRecord, ...] = ()
    error: RejectedEventError | None = None
    fault: Fault = "malformed"


async def deliver(
    events: Sequence[bytes], producer: Producer, caller: Caller, books: frozenset[str]
) -> Answer:
    """Check the events and send what is good; accepted is only what all in-sync replicas hold."""
    checked = [_check(raw, caller, books) for raw in events]
    outcomes = iter(await producer.send_many([record for event in checked for record in event.records]))
    results: list[EventResult] = []
    faults: list[Fault] = []
    for index, event in enumerate(checked):
        sent = [next(outcomes) for _ in event.records]
        error = event.error or next((item for item in sent if isinstance(item, LoanbookError)), None)
        results.append(_result(index, event.id, error))
        if error is not None:
            faults.append(event.fault if event.error else "not_durable")
    return Answer(results=results, faults=faults)


def _check(raw: bytes, caller: Caller, books: frozenset[str]) -> _Checked:
    try:
        received = wire.decode(raw)
        book = received.event.book if isinstance(received, wire.Received) else received.book
        _check_book(book, caller, books)
        return _Checked(_id_of(received, raw), records_of(received, raw))
    except RejectedEventError as error:
        return _Checked(_id_in(raw), error=error, fault=_fault_of(error))


def _id_of(
    received: wire.Received | wire.ReceivedDayClosed | wire.ReceivedReference, raw: bytes
) -> str | None:
    return received.event.event_id if isinstance(received, wire.Received) else _id_in(raw)


def _check_book(book: str, caller: Caller, books: frozenset[str]) -> None:
    if caller.book is not None and book != caller.book:
        raise RejectedEventError("this key may not write this book", "book")
    if books and book not in books:
        raise RejectedEventError("no such book", "book")


def _result(index: int, event_id: str | None, error: LoanbookError | None) -> EventResult:
    if error is None:
        return EventResult(index=index, id=event_id, status="accepted")
    if isinstance(error, RejectedEventError):
        return EventResult(index=index, id=event_id, status="refused", field=error.field, reason=error.reason)
    reason = "not durable: Kafka did not confirm it in time, send it again"
    return EventResult(
        index=index, id=event_id, status="refused", reason=reason, retry=isinstance(error, RetryableError)
    )


def _fault_of(error: RejectedEventError) -> Fault:
    if error.field is None:
        return "malformed"
    if error.field in {"type", "book"}:
        return "type" if error.field == "type" else "book"
    return "data" if error.field.startswith("data") else "attributes"


class _Id(msgspec.Struct, frozen=True):
    id: str | None = None


def _id_in(raw: bytes) -> str | None:
    try:
        found = msgspec.json.decode(raw, type=_Id).id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return found[:MAX_TEXT_LENGTH] if found else None
