"""How cases went: one line for each, and a table by category and tier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ingest.conformance.expectations import Difference

_COLUMNS = ("passed", "failed", "not_claimed")


@dataclass(kw_only=True)
class Outcome:
    """How a case went."""

    case_id: str
    category: str
    tier: int
    checked: int = 0
    not_checked: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """One of passed, failed, not_claimed."""
        if self.differences:
            return "failed"
        return "passed" if self.checked else "not_claimed"

    def line(self) -> dict[str, Any]:
        """The case as one line of a report; `passed` is null where nothing was left to check."""
        first = self.differences[0] if self.differences else None
        return {
            "id": self.case_id,
            "passed": None if self.verdict == "not_claimed" else self.verdict == "passed",
            "step": first.step if first else None,
            "expected": first.expected if first else None,
            "got": first.got if first else None,
            "verdict": self.verdict,
        }


def outcome_of(case: Mapping[str, Any]) -> Outcome:
    """An outcome with nothing in it yet."""
    return Outcome(case_id=case["id"], category=case["category"], tier=case["tier"])


def unreadable(where: str, why: str) -> Outcome:
    """What could not be read counts as a failed case of no tier."""
    difference = Difference(step=0, expected="the documented form", got=why)
    return Outcome(case_id=where, category="unreadable", tier=0, differences=[difference])


def counts(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """How many passed, failed and were not claimed, by category and tier."""
    found: dict[tuple[str, int], Counter[str]] = {}
    for outcome in outcomes:
        found.setdefault((outcome.category, outcome.tier), Counter())[outcome.verdict] += 1
    return [
        {"category": category, "tier": tier} | {name: count[name] for name in _COLUMNS}
        for (category, tier), count in sorted(found.items())
    ]


def table(outcomes: Iterable[Outcome]) -> str:
    """The counts as text, with their sum."""
    rows = counts(outcomes)
    total = {"category": "all", "tier": ""} | {name: sum(row[name] for row in rows) for name in _COLUMNS}
    lines = [f"{'category':<22}{'tier':>5}{'passed':>8}{'failed':>8}{'not claimed':>13}"]
    for row in [*rows, total]:
        figures = f"{row['passed']:>8}{row['failed']:>8}{row['not_claimed']:>13}"
        lines.append(f"{row['category']:<22}{row['tier']:>5}{figures}")
    return "\n".join(lines)
