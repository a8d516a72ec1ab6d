"""Who may send events: API keys known by their digests, and how fast each may send."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from dataclasses import dataclass, field

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """One who sends events; `name` tells keys apart in logs and is no secret."""

    name: str
    book: str | None = None  # the only book it may write; None: every book


EVERYONE = Caller(name="everyone")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeys:
    """The digests of the keys that may send, each with its scope."""

    callers: dict[str, Caller] = field(repr=False)

    def caller_of(self, key: str) -> Caller | None:
        """The owner of a key, or None; takes the same time whichever key it is."""
        given = hashlib.sha256(key.encode()).hexdigest()
        found = None
        for digest, caller in self.callers.items():
            if hmac.compare_digest(digest, given):
                found = caller
        return found


def read_api_keys(text: str) -> ApiKeys:
    """Read comma-separated `digest` or `digest@BOOK`; raises ValueError, which shows no digest."""
    callers = {}
    for number, entry in enumerate((part.strip() for part in text.split(",") if part.strip()), start=1):
        digest, _, book = entry.partition("@")
        if not _DIGEST.fullmatch(digest.lower()):
            msg = f"API key {number} is no SHA-256 digest of 64 hex digits"
            raise ValueError(msg)
        callers[digest.lower()] = Caller(name=digest[:8].lower(), book=book or None)
    return ApiKeys(callers=callers)


def key_in(authorization: str | None, api_key: str | None) -> str | None:
    """The key of `Authorization: Bearer KEY` or `X-Api-Key: KEY`."""
    if api_key:
        return api_key.strip()
    scheme, _, key = (authorization or "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" and key.strip() else None


class RateLimit:
    """A token bucket a caller: `per_second` events go on, and as many more at once."""

    def __init__(self, per_second: int, burst: int) -> None:
        self._per_second = per_second
        self._burst = max(burst, per_second)
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait_s(self, caller: Caller, events: int, at: float) -> int:
        """Seconds to wait before these events may come, 0 if they may now; `at` is a monotonic time."""
        if not self._per_second:
            return 0
        tokens, since = self._buckets.get(caller.name, (float(self._burst), at))
        tokens = min(float(self._burst), tokens + (at - since) * self._per_second)
        if tokens < events:
            self._buckets[caller.name] = (tokens, at)
            return max(1, math.ceil((events - tokens) / self._per_second))
        self._buckets[caller.name] = (tokens - events, at)
        return 0
