"""Terms of loans kept in memory."""

from __future__ import annotations

from ingest.locked import NO_TERMS, Terms
from ingest.terms import TermsCache


def test_terms_count_only_as_of_the_version_they_were_read_under() -> None:
    cache = TermsCache(10)
    cache.keep([(7, 3, Terms("L-7"))])
    assert cache.find([7, 7, 8], [3, 4, 3]) == [Terms("L-7"), NO_TERMS, NO_TERMS]


def test_the_oldest_terms_go_when_room_is_short() -> None:
    cache = TermsCache(2)
    cache.keep((key, 1, Terms(f"L-{key}")) for key in range(3))
    assert cache.find(range(3), [1] * 3) == [NO_TERMS, Terms("L-1"), Terms("L-2")]
