"""An ingest worker that fails where it is told to: run as a program by the fault tests.

`python dying_worker.py before_commit 3` kills itself (-9) before its third commit, `after_commit 3`
between its third commit and the ack, `drop_batch 3` loses its third fetched batch in silence.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from ingest.app import IngestWorker, run_worker
from ingest.settings import WorkerSettings
from ingest.store import PostgresLoanStore
from ingest.transaction import PostgresUnit
from loanbook.kafka.batches import RecordBatch


def die_at_commit(number: int, *, before: bool) -> None:
    """Kill this process around the commit of its Nth batch transaction."""
    transaction = PostgresLoanStore.transaction
    advance = PostgresUnit.advance
    batches = count(1)
    due: list[bool] = []

    async def counted(unit: PostgresUnit, segments: Any, *more: Any) -> None:
        await advance(unit, segments, *more)
        if segments and next(batches) == number:
            due.append(True)

    @asynccontextmanager
    async def dying(store: PostgresLoanStore) -> AsyncIterator[PostgresUnit]:
        async with transaction(store) as unit:
            yield unit
            if due and before:
                os.kill(os.getpid(), signal.SIGKILL)
        if due:
            os.kill(os.getpid(), signal.SIGKILL)

    PostgresUnit.advance = counted  # type: ignore[method-assign, assignment]
    PostgresLoanStore.transaction = dying  # type: ignore[method-assign, assignment]


def drop_batch(number: int) -> None:
    """Lose the Nth fetched batch of a partition, as a fault between fetch and write would."""
    deliver = IngestWorker.deliver
    numbers = count(1)

    async def losing(worker: IngestWorker, batches: Sequence[RecordBatch]) -> None:
        await deliver(worker, [batch for batch in batches if next(numbers) != number])

    IngestWorker.deliver = losing  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    fault, at = sys.argv[1], int(sys.argv[2])
    if fault == "drop_batch":
        drop_batch(at)
    else:
        die_at_commit(at, before=fault == "before_commit")
    sys.exit(run_worker(WorkerSettings()))  # type: ignore[call-arg]
