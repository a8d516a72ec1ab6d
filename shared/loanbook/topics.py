"""Topic names, keys and partitions: the one place where they are decided."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

SLICES = 16  # partitions of the keyed topics and slices of the tables; a loan's slice never changes

LOAN_EVENTS = "loan.events.v1"
LOAN_CHANGED = "loan.changed.v1"
DEAD_LETTERS = "loan.events.dlq.v1"
RISK_ALERTS = "risk.alerts.v1"
BORROWER_PROFILES = "borrower.profiles.v1"
BOOK_REFERENCE = "book.reference.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    """A topic as it must exist on the broker."""

    name: str
    partitions: int = SLICES
    # A replay of old events keeps its old timestamps unless the broker stamps them, and
    # retention by time would then delete them at once.
    config: dict[str, str] = field(default_factory=lambda: {"message.timestamp.type": "LogAppendTime"})


_COMPACTED = {"cleanup.policy": "compact"}
_FOREVER = {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1"}
TOPICS = (
    TopicSpec(name=LOAN_EVENTS, config=_FOREVER),
    TopicSpec(name=LOAN_CHANGED),
    TopicSpec(name=DEAD_LETTERS, config=_FOREVER),
    TopicSpec(name=RISK_ALERTS),
    TopicSpec(name=BORROWER_PROFILES, config=_COMPACTED),
    TopicSpec(name=BOOK_REFERENCE, partitions=1, config=_COMPACTED),
)


def murmur2(data: bytes) -> int:
    """Kafka's default partition hash (Java client, aiokafka), as an unsigned 32-bit integer."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    length = len(data)
    h = (0x9747B28C ^ length) & mask
    whole = length & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = (h * m & mask) ^ k
    if length & 3:
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def slice_of(loan_id: str) -> int:
    """The slice of a loan: the Kafka partition its key maps to, 0 to 15."""
    return (murmur2(loan_id.encode()) & 0x7FFFFFFF) % SLICES


def slices_of(loan_ids: Sequence[bytes]) -> NDArray[np.int64]:
    """The slices of many loans, as `slice_of` tells them, all ids of one length at once."""
    lengths = np.fromiter(map(len, loan_ids), np.int64, len(loan_ids))
    slices = np.zeros(len(loan_ids), np.int64)
    for length in set(lengths.tolist()):
        which = np.flatnonzero(lengths == length)
        joined = b"".join([loan_ids[place] for place in which.tolist()])
        hashes = _murmur2_of(np.frombuffer(joined, np.uint8).reshape(len(which), length))
        slices[which] = (hashes & 0x7FFFFFFF) % SLICES
    return slices


def _murmur2_of(ids: NDArray[np.uint8]) -> NDArray[Any]:
    """`murmur2` of each row; unsigned 32-bit columns wrap by themselves."""
    count, length = ids.shape
    m, whole = np.uint32(0x5BD1E995), length & ~3
    h: NDArray[Any] = np.full(count, 0x9747B28C ^ length, np.uint32)
    for k in np.ascontiguousarray(ids[:, :whole]).view("<u4").T:
        mixed = k * m
        h = (h * m) ^ ((mixed ^ (mixed >> 24)) * m)
    if length & 3:
        tail = np.zeros((count, 4), np.uint8)
        tail[:, : length & 3] = ids[:, whole:]
        h = (h ^ tail.view("<u4")[:, 0]) * m
    h = (h ^ (h >> 13)) * m
    h ^= h >> 15
    return h


def loan_key_of(book: str, loan_id: str) -> int:
    """Signed 64-bit key of a loan, the same in every store without a look-up."""
    (key,) = loan_keys_of([book], [loan_id.encode()]).tolist()
    return int(key)


def loan_keys_of(books: Sequence[str], loan_ids: Sequence[bytes]) -> NDArray[np.int64]:
    """The keys of many loans; what their books add to the hash is worked out once."""
    begun = {book: hashlib.blake2b(f"{book}\x1f".encode(), digest_size=8) for book in set(books)}
    digests = []
    for book, loan_id in zip(books, loan_ids, strict=True):
        whole = begun[book].copy()
        whole.update(loan_id)
        digests.append(whole.digest())
    return np.frombuffer(b"".join(digests), ">i8").astype(np.int64)


def reference_key(book: str, name: str) -> bytes:
    """Kafka key of a borrower's or a branch's attributes on a compacted topic."""
    return f"{book}\x1f{name}".encode()
