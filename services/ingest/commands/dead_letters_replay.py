"""Sends approved corrections through the front door; what is durable is marked, what is refused is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.commands.dead_letters_steps import DeadLetter, DeadLetterError, decoded, mark_replayed
from ingest.commands.sending import open_sink
from ingest.gateway_routing import records_of
from loanbook.domain.errors import RejectedEventError, RetryableError
from loanbook.kafka.producer import EventProducer
from loanbook.kafka.settings import KafkaSettings
from loanbook.postgres.pool import Connection

_AT_ONCE = 200
Refused = list[tuple[DeadLetter, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """Where corrections go: a gateway's URL, or `kafka`."""

    target: str
    api_key: str | None = field(default=None, repr=False)
    bootstrap_servers: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Correction:
    """An approved correction as the sinks take it; a gateway finds topic and key itself."""

    letter: DeadLetter
    topic: str = ""
    key: bytes = b""

    @property
    def value(self) -> bytes:
        """The corrected event."""
        return self.letter.corrected or b""


async def replay(connection: Connection, letters: Sequence[DeadLetter], front: Front, by: str) -> Refused:
    """Send approved corrections and mark each once it is durable; gives what was refused, with the reason.

    A crash between sending and marking sends again: the ledger takes an event once.
    """
    if front.target != "kafka":
        return await _through_gateway(connection, letters, front, by)
    if not front.bootstrap_servers:
        raise DeadLetterError("set KAFKA_BOOTSTRAP_SERVERS or give --bootstrap-servers")
    return await _through_kafka(connection, letters, front.bootstrap_servers, by)


async def _through_gateway(
    connection: Connection, letters: Sequence[DeadLetter], front: Front, by: str
) -> Refused:
    refused: Refused = []
    async with open_sink(front.target, api_key=front.api_key) as sink:
        for start in range(0, len(letters), _AT_ONCE):
            chunk = [_Correction(letter=letter) for letter in letters[start : start + _AT_ONCE]]
            reasons = {id(refusal.event): refusal.reason for refusal in await sink.send(chunk)}
            refused += [(c.letter, reasons[id(c)]) for c in chunk if id(c) in reasons]
            for correction in chunk:
                if id(correction) not in reasons:
                    await mark_replayed(connection, correction.letter, by)
    return refused


async def _through_kafka(
    connection: Connection, letters: Sequence[DeadLetter], servers: str, by: str
) -> Refused:
    refused: Refused = []
    settings = KafkaSettings(bootstrap_servers=servers, client_id="loanpulse-dead-letters")
    async with EventProducer(settings) as producer:
        for letter in letters:
            outcomes = await producer.send_many(records_of(decoded(letter), letter.corrected or b""))
            for outcome in outcomes:
                if isinstance(outcome, RetryableError):
                    raise outcome
            reasons = [str(outcome) for outcome in outcomes if isinstance(outcome, RejectedEventError)]
            if reasons:
                refused.append((letter, reasons[0]))
            else:
                await mark_replayed(connection, letter, by)
    return refused
