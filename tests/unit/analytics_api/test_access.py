"""Keys and rates."""

from __future__ import annotations

import hashlib

import pytest

from analytics_api.errors import TooManyRequestsError, UnauthorizedError
from analytics_api.routes.access import Gate, KeyRing, RateLimiter

DIGEST = hashlib.sha256(b"good").hexdigest()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def gate(
    keys: frozenset[str] | None, *, per_second: float = 0, burst: int = 1, clock: Clock | None = None
) -> Gate:
    limiter = RateLimiter(per_second=per_second, burst=burst, clock=clock or Clock())
    return Gate(keys=KeyRing(keys), limiter=limiter)


def test_a_known_key_is_told_apart_by_the_head_of_its_digest() -> None:
    caller = gate(frozenset({DIGEST})).admit("good", "10.0.0.1")
    assert DIGEST.startswith(caller.key_id)
    assert len(caller.key_id) < len(DIGEST) / 2


@pytest.mark.parametrize("key", [None, "", "bad", DIGEST])
def test_no_key_a_wrong_one_and_the_digest_itself_open_nothing(key: str | None) -> None:
    with pytest.raises(UnauthorizedError):
        gate(frozenset({DIGEST})).admit(key, "10.0.0.1")


def test_no_keys_at_all_open_nothing_unless_it_is_said() -> None:
    with pytest.raises(UnauthorizedError):
        gate(frozenset()).admit("good", "10.0.0.1")
    assert gate(None).admit(None, "10.0.0.1").key_id == "open:10.0.0.1"


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    clock = Clock()
    limiter = RateLimiter(per_second=2, burst=3, clock=clock)
    for _ in range(3):
        limiter.spend("a")
    with pytest.raises(TooManyRequestsError) as refused:
        limiter.spend("a")
    assert refused.value.retry_after_s == 1
    limiter.spend("b")
    clock.now += 0.5
    limiter.spend("a")
    with pytest.raises(TooManyRequestsError):
        limiter.spend("a")


def test_a_rest_fills_the_bucket_to_its_burst_and_no_further() -> None:
    clock = Clock()
    limiter = RateLimiter(per_second=10, burst=2, clock=clock)
    clock.now += 3600
    limiter.spend("a")
    limiter.spend("a")
    with pytest.raises(TooManyRequestsError):
        limiter.spend("a")


def test_a_rate_of_nothing_is_no_limit() -> None:
    limiter = RateLimiter(per_second=0, burst=1, clock=Clock())
    for _ in range(100):
        limiter.spend("a")
    assert not limiter._buckets


def test_callers_without_end_do_not_fill_the_memory() -> None:
    limiter = RateLimiter(per_second=1, burst=1, clock=Clock())
    for number in range(10_050):
        limiter.spend(str(number))
    assert len(limiter._buckets) == 10_000
