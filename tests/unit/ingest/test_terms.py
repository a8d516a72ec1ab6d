"""Terms of loans kept in memory."""

from __future__ import annotations

from ingest.locked import Terms
from ingest.terms import TermsCache


def test_terms_count_only_as_of_the_version_they_were_read_under() -> None:
    cache = TermsCache(10)
    cache.keep([(7, 3, Terms("L-7"))])
    assert cache.get(7, 3) == Terms("L-7")
    assert cache.get(7, 4) is None
    assert cache.get(8, 3) is None


def test_the_oldest_terms_go_when_room_is_short() -> None:
    cache = TermsCache(2)
    cache.keep((key, 1, Terms(f"L-{key}")) for key in range(3))
    assert [cache.get(key, 1) is not None for key in range(3)] == [False, True, True]
