"""Terms of recently read loans, bounded; a convenience that no figure rests on.

They count only while the locked row still names the version of the terms that it named when they were read.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from itertools import repeat

from ingest.locked import NO_TERMS, Terms

_NOTHING = (-1, NO_TERMS)


class TermsCache:
    """Keeps the terms that were read last, of up to so many loans."""

    def __init__(self, loans_max: int) -> None:
        self._loans_max = loans_max
        self._terms: OrderedDict[int, tuple[int, Terms]] = OrderedDict()

    def find(self, loan_keys: Iterable[int], versions: Iterable[int]) -> list[Terms]:
        """Of each loan its terms, NO_TERMS if they are not here as of this version."""
        kept = map(self._terms.get, loan_keys, repeat(_NOTHING))
        return [
            terms if at == version else NO_TERMS for (at, terms), version in zip(kept, versions, strict=True)
        ]

    def keep(self, terms: Iterable[tuple[int, int, Terms]]) -> None:
        """Take over what was read of locked loans: key, version, terms; the oldest go when room is short."""
        for loan_key, version, loan_terms in terms:
            self._terms[loan_key] = (version, loan_terms)
        while len(self._terms) > self._loans_max:
            self._terms.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        self._terms.clear()
