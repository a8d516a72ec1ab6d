"""Recently folded loans with their events, bounded; a convenience that no figure rests on.

An entry counts only while the locked row still has the version it was kept under, and entries are
kept only after the commit.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

from ingest.records import ChangedLoan, LoanRef
from loanbook.domain.events import LoanEvent
from loanbook.domain.loan import Loan


class LoanCache:
    """Keeps the latest folded loans, up to a number of events in all."""

    def __init__(self, events_max: int) -> None:
        self._events_max = events_max
        self._events = 0
        self._entries: OrderedDict[LoanRef, tuple[int, list[LoanEvent], Loan]] = OrderedDict()

    def find(self, versions: Mapping[LoanRef, int]) -> dict[LoanRef, tuple[Sequence[LoanEvent], Loan]]:
        """The events and the state of those of these loans that are here as of these versions.

        To be asked once: what is here now another lane may crowd out, or a new connection, while one waits.
        """
        found = {ref: self._entries.get(ref) for ref in versions}
        return {
            ref: (entry[1], entry[2])
            for ref, entry in found.items()
            if entry is not None and entry[0] == versions[ref]
        }

    def keep(self, changes: Iterable[ChangedLoan]) -> None:
        """Take over what was committed; the loans used longest ago go when room is short."""
        for changed in changes:
            self._drop(changed.ref)
            if changed.quarantine is None:
                self._entries[changed.ref] = (changed.version, changed.events, changed.after)
                self._events += len(changed.events)
        while self._events > self._events_max:
            self._drop(next(iter(self._entries)))

    def clear(self) -> None:
        """Forget everything, as after a rebalance."""
        self._entries.clear()
        self._events = 0

    def _drop(self, ref: LoanRef) -> None:
        entry = self._entries.pop(ref, None)
        if entry is not None:
            self._events -= len(entry[1])
