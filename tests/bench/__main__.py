"""The benchmark suite: `python -m tests.bench [SECTION ...] --loans N`, on parts of its own.

Each section is the module of its name with a `measure(session)`; without one named, those of SECTIONS run.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
import time
from pathlib import Path

from tests.bench.book import BookSpec
from tests.bench.parts import RUN_DATABASE, BenchError, Parts, started_parts
from tests.bench.report import Report
from tests.bench.session import Session

SECTIONS = (
    "rate", "plain", "ceiling", "profile", "latency", "day_roll", "refold", "catch_up", "scoring", "growth",
    "refreshing", "reads",
)  # fmt: skip
_EVENTS = {100_000: 300_000, 1_000_000: 500_000}  # from so many loans on; else
_EVENTS_LEAST = 100_000


def main() -> int:
    """Measure, print the table, write the file."""
    chosen = _parser().parse_args()
    spec = BookSpec(loans=chosen.loans, seed=chosen.seed)
    events = chosen.events or max(
        (count for loans, count in _EVENTS.items() if chosen.loans >= loans), default=_EVENTS_LEAST
    )
    report = Report(book={"loans": spec.loans, "seed": spec.seed, "events": events})
    try:
        with started_parts() as parts:
            asyncio.run(_measure(chosen, parts, spec, events, report))
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    finally:
        if report.figures:
            report.write(chosen.out)
    print(report.table())
    print(f"\nwritten to {chosen.out}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("sections", nargs="*", default=SECTIONS, help=f"of {', '.join(SECTIONS)}, or another")
    parser.add_argument("--loans", type=int, default=10_000)
    parser.add_argument("--events", type=int, help="of a run")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    return parser


async def _measure(
    chosen: argparse.Namespace, parts: Parts, spec: BookSpec, events: int, report: Report
) -> None:
    session = Session(
        parts=parts, spec=spec, events=events, runs=chosen.runs, report=report, folder=chosen.out.parent
    )
    for name in chosen.sections:
        print(f"{name}, {spec.loans:,} loans", flush=True)
        started = time.perf_counter()
        await importlib.import_module(f"tests.bench.{name}").measure(session)
        await parts.drop(RUN_DATABASE)
        print(f"  took {time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
