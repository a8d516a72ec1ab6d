"""Plays a case: its steps become events, and after each the fold is held to what the case expects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from ingest.conformance.actions import PAUSING, CaseEvents
from ingest.conformance.case_settings import settings_json
from ingest.conformance.expectations import SCHEDULE, Difference, check
from ingest.conformance.outcome import Outcome, outcome_of
from ingest.conformance.planning import NotPlayableError, day_of
from loanbook.domain.errors import LoanbookError
from loanbook.domain.events import LoanEvent
from loanbook.domain.loan import Loan

_FREE_OF_AMOUNTS = {"status", "charged_off_on", "transaction_reverted", "transaction_count", "charges"}
# What a step without what its kind needs, or with settings that do not exist, ends in.
_UNREADABLE = (LookupError, ValueError, ArithmeticError, TypeError, AttributeError, LoanbookError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One step as it was played: what it sent, or the expectation it claims."""

    step: Mapping[str, Any]
    on: date
    events: tuple[LoanEvent, ...] = ()
    is_claimed: bool = False
    classed: Loan | None = None


class Player(CaseEvents):
    """One case while it is played."""

    def __init__(self, case: Mapping[str, Any], products: Mapping[str, Any]) -> None:
        super().__init__(case, products)
        self.outcome = outcome_of(case)
        self.moments: list[Moment] = []
        self.is_playable = True
        self.closes_days = any(step.get("op") == "close_of_business" for step in case["steps"])

    def play(self) -> Outcome:
        """Play every step; a case that cannot be played to its end claims nothing."""
        for step in self.case["steps"]:
            try:
                self._play_step(step)
            except NotPlayableError as error:
                self.is_playable = False
                self.outcome.not_checked.insert(0, str(error))
                self.outcome.checked = 0 if not self.outcome.differences else self.outcome.checked
                break
            except _UNREADABLE as error:
                self.is_playable = False
                what = f"step {step.get('n')} of the documented form"
                self.outcome.differences.append(
                    Difference(step=step.get("n", 0), expected=what, got=f"not readable: {error!r}")
                )
                break
        return self.outcome

    def settings_json(self) -> dict[str, Any]:
        """The product's settings as a book keeps them."""
        return settings_json(self.product, self.case, self.rules)

    def _play_step(self, step: Mapping[str, Any]) -> None:
        day = step.get("business_date") or step.get("as_of") or step.get("date")
        self.today = day_of(day) or self.today
        if "op" not in step:
            is_claimed = self._expect(step)
            moment = Moment(step=step, on=self.today, is_claimed=is_claimed, classed=self.classed)
            self.moments.append(moment)
            return
        before = len(self.events)
        self.act(step)
        told = tuple(self.events[before:])
        self.moments.append(Moment(step=step, on=self.today, events=told))
        if self.closes_days:
            self._class_anew(step, told)

    def _class_anew(self, step: Mapping[str, Any], told: tuple[LoanEvent, ...]) -> None:
        """The source sets the class with a fact, and for each missed day at a close that no pause covers."""
        if step["op"] == "close_of_business":
            day, pauses = self.today, self.loan().pauses
            while any(start <= day <= end for start, end in pauses):
                day -= timedelta(days=1)
            if self.classed is None or day >= self.classed.as_of:
                self.classed = self.loan_on(day)
        elif told and step["op"] not in PAUSING:
            self.classed = self.loan()

    def _expect(self, step: Mapping[str, Any]) -> bool:
        reason = self._reason_not_to_claim(step)
        differences = None if reason else check(step, self, self.loan())
        if differences is None:
            self.outcome.not_checked.append(reason or f"step {step['n']}: {step['expect']} is unknown")
            return False
        self.outcome.checked += 1
        self.outcome.differences += differences
        return True

    def _reason_not_to_claim(self, step: Mapping[str, Any]) -> str | None:
        if step["n"] in self.fed_steps and not self.outcome.checked and step["expect"] in SCHEDULE:
            return f"step {step['n']} is where the schedule was fed from"
        if self.has_interest and not self.fed_steps and step["expect"] not in _FREE_OF_AMOUNTS:
            return f"step {step['n']}: no schedule is stated, and interest is not ours to compute"
        return None
