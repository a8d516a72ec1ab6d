"""The first failure of anything a worker runs, wherever it happens."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class FirstFailure:
    """Catches what ends a worker; as a `with` block it keeps the first error and lets none pass.

    Cancellation and the end of the interpreter are no failures and pass.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None
        self._happened = asyncio.Event()

    def set(self, error: Exception) -> None:
        """Keep the first error; later ones are mostly its echo."""
        if self.error is None:
            self.error = error
            self._happened.set()

    async def wait(self) -> None:
        """Wait until there is one."""
        await self._happened.wait()

    def __enter__(self) -> Self:
        """Watch over the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Keep an error."""
        if not isinstance(error, Exception):
            return False
        self.set(error)
        return True
