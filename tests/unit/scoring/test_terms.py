"""What is kept of loans' terms: found under its version, bounded, forgotten as a whole."""

from __future__ import annotations

import numpy as np

from scoring.terms import TERMS, TermsCache


def test_terms_that_are_kept_are_found_in_the_order_asked_for() -> None:
    cache = TermsCache(10)
    cache.keep([7, -3], np.array([[2, 360, 1, 12, 5, 9], [4, -1, 2, 24, 6, 8]]))
    assert cache.find([-3, 7]).tolist() == [[4, -1, 2, 24, 6, 8], [2, 360, 1, 12, 5, 9]]


def test_terms_that_are_not_kept_have_a_version_that_no_state_names() -> None:
    assert TermsCache(10).find([1]).tolist() == [[-1] + [0] * (len(TERMS) - 1)]


def test_a_full_cache_begins_anew() -> None:
    cache = TermsCache(2)
    cache.keep([1, 2], np.ones((2, len(TERMS)), np.int64))
    cache.keep([3], np.ones((1, len(TERMS)), np.int64))
    assert cache.find([1, 2, 3])[:, 0].tolist() == [-1, -1, 1]
