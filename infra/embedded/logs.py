"""The logs of all parts: read together, followed, and kept from growing without end."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LARGEST_BYTES = 50 << 20
_KEPT_BYTES = 1 << 20
_FOLLOW_EVERY_S = 0.3


def trim_log(path: Path, largest: int = _LARGEST_BYTES, kept: int = _KEPT_BYTES) -> bool:
    """Cut a log that grew too long to its end, which moves to the `.previous.log`; says whether it did."""
    if not path.exists() or path.stat().st_size <= largest:
        return False
    with path.open("rb+") as file:
        file.seek(-kept, 2)
        end = file.read()
        file.truncate(0)
    path.with_suffix(".previous.log").write_bytes(end)
    return True


@dataclass(slots=True, kw_only=True)
class Follower:
    """Reads on in one log, through being cut or begun anew."""

    name: str
    path: Path
    offset: int = 0
    inode: int = 0

    def last(self, count: int) -> list[str]:
        """The last lines; what is written later comes from `fresh`."""
        return self.fresh()[-count:]

    def fresh(self) -> list[str]:
        """The whole lines written since the last call."""
        if not self.path.exists():
            return []
        about = self.path.stat()
        if about.st_ino != self.inode or about.st_size < self.offset:
            self.inode, self.offset = about.st_ino, 0
        with self.path.open("rb") as file:
            file.seek(self.offset)
            whole = file.read().rpartition(b"\n")[0]
        self.offset += len(whole) + 1 if whole else 0
        return whole.decode("utf-8", errors="replace").splitlines()


def read_logs(followers: list[Follower], count: int, *, follow: bool) -> Iterator[str]:
    """The last lines of each log, each line behind its part's name, and on demand whatever follows."""
    width = max((len(follower.name) for follower in followers), default=0)
    for follower in followers:
        for line in follower.last(count):
            yield f"{follower.name:<{width}} | {line}"
    while follow:
        lines = [(follower.name, line) for follower in followers for line in follower.fresh()]
        for name, line in lines:
            yield f"{name:<{width}} | {line}"
        if not lines:
            time.sleep(_FOLLOW_EVERY_S)
