"""Case files with the figures another system's authors expect, played through the fold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.conformance.outcome import Outcome, table
from ingest.conformance.player import Player

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "golden" / "fineract"
QUOTA_PERCENT = {1: 100, 2: 95}
NOT_CLAIMED = Path(__file__).with_name("not_claimed.json")


def _cases() -> Iterator[dict[str, Any]]:
    for file in sorted(FOLDER.glob("[a-z]*.json")):
        if file.name != "products.json":
            yield from json.loads(file.read_text())["cases"]


def _play(case: dict[str, Any]) -> Outcome:
    products = json.loads((FOLDER / "products.json").read_text())
    return Player(case, products).play()


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    if not FOLDER.is_dir():
        pytest.skip("the case files are not here")
    played = [_play(case) for case in _cases()]
    print(f"\n{table(played)}")  # noqa: T201 - the table is what a reader wants to see
    return played


@pytest.mark.parametrize("tier", QUOTA_PERCENT)
def test_the_claimed_cases_of_a_tier_pass(outcomes: list[Outcome], tier: int) -> None:
    claimed = [outcome for outcome in outcomes if outcome.tier == tier and outcome.verdict != "not_claimed"]
    failed = [outcome.line() for outcome in claimed if outcome.verdict == "failed"]
    assert claimed
    assert 100 * (len(claimed) - len(failed)) >= QUOTA_PERCENT[tier] * len(claimed), failed


def test_every_miss_is_explained_beside_this_test(outcomes: list[Outcome]) -> None:
    explained = json.loads(NOT_CLAIMED.read_text())
    missed = {outcome.case_id for outcome in outcomes if outcome.verdict == "failed"}
    unclaimed = {outcome.case_id for outcome in outcomes if outcome.verdict == "not_claimed"}
    assert missed == set(explained["failed"])
    assert unclaimed == set(explained["not_claimed"])


def test_a_case_tells_the_same_state_when_its_events_come_backwards_and_twice() -> None:
    if not FOLDER.is_dir():
        pytest.skip("the case files are not here")
    products = json.loads((FOLDER / "products.json").read_text())
    for case in _cases():
        player = Player(case, products)
        player.play()
        in_order = player.loan()
        player.events = [*reversed(player.events), *player.events]
        assert player.loan() == in_order, case["id"]
