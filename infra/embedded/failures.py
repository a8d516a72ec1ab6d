"""What can keep an embedded part from starting, told with its remedy."""

from __future__ import annotations

from pathlib import Path


class PartError(Exception):
    """An embedded part could not be started or reached; the text says what to do."""


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log file, indented, or a word that there is none."""
    if not log.exists():
        return "  (no log was written)"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
    return "\n".join(f"  {line}" for line in lines) or "  (the log is empty)"
