"""What a killed owner leaves behind: its servers and its folder, told from those still in use."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from embedded.processes import ProcessMark, end, read_mark, write_mark

_OWNER = "owner.process.json"


def claim_folder(folder: Path) -> None:
    """Write down that this process owns the folder."""
    write_mark(folder / _OWNER, ProcessMark.of(os.getpid()))


def end_servers(folder: Path) -> list[int]:
    """End every server whose mark lies under the folder; gives the ids of those that still ran."""
    ended = []
    for path in sorted(folder.rglob("*.process.json")):
        mark = read_mark(path)
        if path.name != _OWNER and mark is not None:
            if end(mark):
                ended.append(mark.pid)
            path.unlink(missing_ok=True)
    return ended


def remove_abandoned(base: Path, prefix: str) -> list[Path]:
    """Remove folders under `base` whose owner died, after ending the servers that still run in them."""
    removed = []
    for folder in sorted(base.glob(f"{prefix}*")):
        owner = read_mark(folder / _OWNER)
        if owner is None or owner.alive() or folder.stat().st_uid != os.geteuid():
            continue  # in use, just being made, or not ours
        end_servers(folder)
        shutil.rmtree(folder, ignore_errors=True)
        removed.append(folder)
    return removed
