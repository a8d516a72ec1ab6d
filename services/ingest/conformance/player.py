"""Plays a case file: its steps become events, and after each the fold is held to what the case expects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ingest.conformance.actions import CaseEvents
from ingest.conformance.expectations import SCHEDULE, Difference, check
from ingest.conformance.planning import NotPlayableError, day_of

_FREE_OF_AMOUNTS = {"status", "charged_off_on", "transaction_reverted", "transaction_count", "charges"}


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
        """The case as one line of a report."""
        first = self.differences[0] if self.differences else None
        return {
            "id": self.case_id,
            "passed": self.verdict == "passed",
            "verdict": self.verdict,
            "step": first.step if first else None,
            "expected": first.expected if first else None,
            "got": first.got if first else None,
        }


class Player(CaseEvents):
    """One case while it is played."""

    def __init__(self, case: Mapping[str, Any], products: Mapping[str, Any]) -> None:
        super().__init__(case, products)
        self.outcome = Outcome(case_id=case["id"], category=case["category"], tier=case["tier"])

    def play(self) -> Outcome:
        """Play every step; a case that cannot be played to its end claims nothing."""
        try:
            for step in self.case["steps"]:
                day = step.get("business_date") or step.get("as_of") or step.get("date")
                self.today = day_of(day) or self.today
                if "op" in step:
                    self.act(step)
                else:
                    self._expect(step)
        except NotPlayableError as error:
            self.outcome.not_checked.append(str(error))
            self.outcome.checked = 0 if not self.outcome.differences else self.outcome.checked
        return self.outcome

    def _expect(self, step: Mapping[str, Any]) -> None:
        reason = self._reason_not_to_claim(step)
        differences = None if reason else check(step, self)
        if differences is None:
            self.outcome.not_checked.append(reason or f"step {step['n']}: {step['expect']} is unknown")
            return
        self.outcome.checked += 1
        self.outcome.differences += differences

    def _reason_not_to_claim(self, step: Mapping[str, Any]) -> str | None:
        if step["n"] in self.fed_steps and not self.outcome.checked and step["expect"] in SCHEDULE:
            return f"step {step['n']} is where the schedule was fed from"
        if self.has_interest and not self.fed_steps and step["expect"] not in _FREE_OF_AMOUNTS:
            return f"step {step['n']}: no schedule is stated, and interest is not ours to compute"
        return None


def table(outcomes: Iterable[Outcome]) -> str:
    """Outcomes by category and tier."""
    counts: dict[tuple[str, int], Counter[str]] = {}
    for outcome in outcomes:
        counts.setdefault((outcome.category, outcome.tier), Counter())[outcome.verdict] += 1
    lines = [f"{'category':<22}{'tier':>5}{'passed':>8}{'failed':>8}{'not claimed':>13}"]
    for (category, tier), count in sorted(counts.items()):
        figures = f"{count['passed']:>8}{count['failed']:>8}{count['not_claimed']:>13}"
        lines.append(f"{category:<22}{tier:>5}{figures}")
    return "\n".join(lines)
