"""Who may ask, and how often: API keys kept as digests, and a token bucket for each."""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from analytics_api.errors import TooManyRequestsError, UnauthorizedError

_CALLERS_KEPT = 10_000
_KEY_ID_LENGTH = 12
bearer = HTTPBearer(auto_error=False, description="An API key of this installation.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: the head of the key's digest, which tells keys apart and opens nothing."""

    key_id: str


class RateLimiter:
    """A token bucket for each caller; the rate is in requests a second, 0 for no limit."""

    def __init__(self, *, per_second: float, burst: int, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def spend(self, caller: str) -> None:
        """Take one token; raises TooManyRequestsError."""
        if not self._per_second:
            return
        now = self._clock()
        tokens, since = self._buckets.pop(caller, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - since) * self._per_second)
        enough = tokens >= 1
        self._buckets[caller] = (tokens - 1 if enough else tokens, now)
        if len(self._buckets) > _CALLERS_KEPT:
            self._buckets.popitem(last=False)
        if not enough:
            raise TooManyRequestsError(math.ceil((1 - tokens) / self._per_second))


class KeyRing:
    """The keys that open the API; None of them: it is open, by an explicit setting."""

    def __init__(self, digests: frozenset[str] | None) -> None:
        self._digests = digests

    def caller_of(self, key: str | None, address: str) -> Caller | None:
        """Who brings this key; None for nobody known."""
        if self._digests is None:
            return Caller(key_id=f"open:{address}")
        digest = hashlib.sha256((key or "").encode()).hexdigest()
        return Caller(key_id=digest[:_KEY_ID_LENGTH]) if key and digest in self._digests else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Keys and rates together."""

    keys: KeyRing
    limiter: RateLimiter

    def admit(self, key: str | None, address: str) -> Caller:
        """Let a request in; raises UnauthorizedError, TooManyRequestsError."""
        caller = self.keys.caller_of(key, address)
        if caller is None:
            self.limiter.spend(f"address:{address}")  # guessing is slowed down too
            raise UnauthorizedError("an API key is needed: Authorization: Bearer <key>")
        self.limiter.spend(caller.key_id)
        return caller


async def admit(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)] = None
) -> Caller:
    """Dependency of every route that shows figures."""
    gate: Gate = request.app.state.gate
    address = request.client.host if request.client else "unknown"
    return gate.admit(credentials.credentials if credentials else None, address)
