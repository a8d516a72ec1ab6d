"""Writes the board files; `--check` only says whether they are as the source has them."""

from __future__ import annotations

import sys
from pathlib import Path

from grafana.boards import loan, measures, operations, portfolio, today
from grafana.boards.board import render

FOLDER = Path(__file__).parent.parent / "dashboards"


def board_files() -> dict[str, str]:
    """File name and text of every board."""
    specs = (today.board(), portfolio.board(), measures.board(), loan.board(), operations.board())
    return {f"{spec.uid}.json": render(spec) for spec in specs}


def differing() -> list[str]:
    """Names of files that are missing, left over, or not as the source has them."""
    wanted = board_files()
    present = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.json")}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def write() -> None:
    """Bring the folder to what the source says."""
    wanted = board_files()
    for file in FOLDER.glob("*.json"):
        if file.name not in wanted:
            file.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Exit status 1 when `--check` finds a difference."""
    if arguments != ["--check"]:
        write()
        return 0
    names = differing()
    if names:
        sys.stderr.write(f"not as generated: {', '.join(names)}; run `make boards`\n")
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
