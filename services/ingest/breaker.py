"""The dead-letter breaker: when most records are dead, the fault is a release, not the data."""

from __future__ import annotations

from collections import defaultdict

from loanbook.kafka.batches import Partition


class DeadLetterBreaker:
    """Counts in windows of records; over the allowed share the partition must stop."""

    def __init__(self, share_max: float, window: int) -> None:
        self._share_max = share_max
        self._window = window
        self._seen: dict[Partition, tuple[int, int]] = defaultdict(lambda: (0, 0))

    def note(self, partition: Partition, records: int, dead: int) -> str | None:
        """Add a batch; returns the reason to stop the partition, or None."""
        seen, died = self._seen[partition]
        seen, died = seen + records, died + dead
        self._seen[partition] = (0, 0) if seen >= self._window else (seen, died)
        if seen >= self._window and died > self._share_max * seen:
            return f"{died} of the last {seen} records were dead letters"
        return None
