"""`loanpulse conform`: play case files with expected figures, through the fold or through a running stack."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from ingest.commands.conform_stack import StackAddress, play_through
from ingest.conformance.outcome import Outcome, counts, table, unreadable
from ingest.conformance.player import Player
from ingest.conformance.reading import read_folder


def main(arguments: list[str]) -> int:
    """Play the cases, print a line for each and a table; exit code 1 when one fails or cannot be read."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    found = read_folder(chosen.folder)
    cases = [case for case in found.cases if not chosen.tier or case["tier"] in chosen.tier]
    players = [Player(case, found.products) for case in cases]
    outcomes = [player.play() for player in players]
    if chosen.through == "kafka":
        outcomes = asyncio.run(play_through(players, _address(parser, chosen)))
    outcomes += [unreadable(where, why) for where, why in found.unreadable]
    _show(outcomes)
    if chosen.json:
        report = {"cases": [outcome.line() for outcome in outcomes], "counts": counts(outcomes)}
        chosen.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 1 if any(outcome.verdict == "failed" for outcome in outcomes) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="loanpulse conform", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder with the case files")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write lines and counts there too")
    parser.add_argument(
        "--tier", type=int, action="append", metavar="N", help="only cases of this tier; may be repeated"
    )
    parser.add_argument(
        "--through",
        choices=["fold", "kafka"],
        default="fold",
        help="kafka: send to a running stack, ask the API",
    )
    parser.add_argument(
        "--book", help="with kafka: the new book to make (default: conform- and a random end)"
    )
    parser.add_argument("--api", default=_default_api(), metavar="URL", help="with kafka: the analytics API")
    parser.add_argument(
        "--api-key", default=os.environ.get("ANALYTICS_API_KEY"), help="for the analytics API"
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="with kafka: how long for an event to be seen",
    )
    return parser


def _default_api() -> str:
    return f"http://127.0.0.1:{os.environ.get('ANALYTICS_PORT', '8080')}"


def _address(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> StackAddress:
    given = {name: os.environ.get(name) for name in ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS")}
    missing = [name for name, value in given.items() if not value]
    if missing:
        parser.error(f"--through kafka: set {' and '.join(missing)}")
    return StackAddress(
        database_url=given["DATABASE_URL"] or "",
        bootstrap_servers=given["KAFKA_BOOTSTRAP_SERVERS"] or "",
        api=chosen.api,
        api_key=chosen.api_key,
        book=chosen.book or f"conform-{uuid4().hex[:8]}",
        patience=timedelta(seconds=chosen.wait),
    )


def _show(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        print(json.dumps(outcome.line(), ensure_ascii=False))
    print(table(outcomes))
    for outcome in outcomes:
        if outcome.verdict == "not_claimed":
            reason = outcome.not_checked[0] if outcome.not_checked else "it expects nothing"
            print(f"not claimed: {outcome.case_id}: {reason}")
