"""Prints what one service needs of requirements.lock, hashes included, so that its image holds no more."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

_BLOCK_START = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==")
_REQUIREMENT_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")


def normal(name: str) -> str:
    """A package's name as every tool agrees on it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_blocks(lock: str) -> dict[str, str]:
    """Package name to its lines in the lock: requirement, hashes, and who needs it."""
    blocks: dict[str, str] = {}
    current = ""
    for line in lock.splitlines(keepends=True):
        start = _BLOCK_START.match(line)
        current = normal(start[1]) if start else current
        if current:
            blocks[current] = blocks.get(current, "") + line
    return blocks


def needed_by(block: str) -> set[str]:
    """The packages that the lock names as the reason for this one."""
    names = (line.lstrip("# ").removeprefix("via").strip() for line in block.splitlines() if "#" in line)
    return {normal(name.partition(" ")[0]) for name in names if name}


def closure(blocks: dict[str, str], roots: set[str]) -> set[str]:
    """The roots and all that they need, directly or not."""
    needed: set[str] = set()
    fresh = roots & blocks.keys()
    while fresh:
        needed |= fresh
        fresh = {name for name, block in blocks.items() if needed_by(block) & fresh} - needed
    return needed


def lock_for(extra: str, project: str, lock: str) -> str:
    """The lines of the lock for the project with one of its extras; KeyError for an unknown extra."""
    about = tomllib.loads(project)["project"]
    wanted = [*about["dependencies"], *about["optional-dependencies"][extra]]
    roots = {normal(match[0]) for text in wanted if (match := _REQUIREMENT_NAME.match(text))}
    blocks = read_blocks(lock)
    missing = sorted(roots - blocks.keys())
    if missing:
        msg = f"requirements.lock does not hold {', '.join(missing)}: compile it anew"
        raise KeyError(msg)
    return "".join(blocks[name] for name in sorted(closure(blocks, roots)))


if __name__ == "__main__":
    root = Path(sys.argv[2]) if len(sys.argv) > 2 else Path.cwd()  # noqa: PLR2004  program, extra, folder
    texts = [(root / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "requirements.lock")]
    sys.stdout.write(lock_for(sys.argv[1], *texts))
