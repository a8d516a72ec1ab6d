"""Worker processes of a test, and the ledger they write."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from pathlib import Path
from typing import Any, Self

SCRIPT = Path(__file__).with_name("ledger_worker.py")


class WorkerProcess:
    """One `ledger_worker.py` that can be told, killed and asked what it said."""

    def __init__(self, bootstrap: str, topic: str, database: Path, *options: str) -> None:
        self._arguments = [str(SCRIPT), bootstrap, topic, f"group.{topic}", str(database), *options]
        self.said = ""
        self.process: Process
        self._listening: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, *self._arguments, stdout=PIPE, stderr=STDOUT
        )
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await self._listening

    async def _listen(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.said += line.decode()

    async def says(self, word: str, times: int = 1, within_s: float = 30.0) -> None:
        """Wait until the process has said something."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self.said.count(word) < times:  # noqa: ASYNC110  a test looks, it is not told
                    await asyncio.sleep(0.02)
        assert self.said.count(word) >= times, self.said

    async def ends(self, within_s: float = 25.0) -> int:
        """Return the exit code."""
        async with asyncio.timeout(within_s):
            code = await self.process.wait()
            await self._listening
        return code


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    """Ask the ledger."""
    with contextlib.closing(sqlite3.connect(database, timeout=30)) as connection:
        return connection.execute(query).fetchall()


def recorded(database: Path) -> int:
    """Return how many different values the ledger has; 0 while it has no tables."""
    with contextlib.suppress(sqlite3.OperationalError):
        return int(rows(database, "SELECT count(DISTINCT value) FROM record")[0][0])
    return 0


async def until_recorded(database: Path, count: int, within_s: float = 60.0) -> None:
    """Wait until so many different values are in the ledger; a producer's retry may write one twice."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while recorded(database) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert recorded(database) >= count


def assert_each_once(database: Path, values: dict[int, list[bytes]]) -> None:
    """Hold the ledger to what was sent: every record once, in order, nothing ever refused for good."""
    for partition, sent in values.items():
        found = rows(database, f"SELECT value FROM record WHERE part = {partition} ORDER BY offset")
        assert [value for (value,) in found] == sent
