"""Which topic, key and partition an event belongs to."""

from __future__ import annotations

from loanbook.domain.events import BorrowerProfile
from loanbook.kafka.producer import OutgoingRecord
from loanbook.topics import BOOK_REFERENCE, BORROWER_PROFILES, LOAN_EVENTS, SLICES, reference_key
from loanbook.wire import Received, ReceivedDayClosed, ReceivedReference


def records_of(
    received: Received | ReceivedDayClosed | ReceivedReference, raw: bytes
) -> tuple[OutgoingRecord, ...]:
    """The records that carry an event: one, or one in every partition for the end of a day."""
    if isinstance(received, Received):
        # The partitioner hashes the key as every Java client does, whatever the number of partitions.
        return (OutgoingRecord(LOAN_EVENTS, received.event.loan_id.encode(), raw),)
    if isinstance(received, ReceivedDayClosed):
        return day_closed_records(received.book, raw)
    value = received.value
    if isinstance(value, BorrowerProfile):
        return (OutgoingRecord(BORROWER_PROFILES, reference_key(received.book, value.borrower_id), raw),)
    return (OutgoingRecord(BOOK_REFERENCE, reference_key(received.book, value.branch), raw),)


def day_closed_records(book: str, raw: bytes) -> tuple[OutgoingRecord, ...]:
    """The end of a day stands in the log of every partition, as a barrier between that day and the next."""
    key = book.encode()
    return tuple(OutgoingRecord(LOAN_EVENTS, key, raw, partition) for partition in range(SLICES))
