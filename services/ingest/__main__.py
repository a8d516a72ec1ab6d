"""Starts a part of the ingest service: `python -m ingest worker` or `python -m ingest gateway`."""

from __future__ import annotations

import sys

from loanbook.domain.errors import LoanbookError


def main() -> int:
    """Run the part named on the command line; returns its exit code."""
    parts = {"worker": _worker, "gateway": _gateway}
    if len(sys.argv) != 2 or sys.argv[1] not in parts:  # noqa: PLR2004 - the program and one word
        print(f"usage: python -m ingest {'|'.join(parts)}", file=sys.stderr)  # noqa: T201
        return 2
    try:
        return parts[sys.argv[1]]()
    except LoanbookError as error:
        print(f"ingest {sys.argv[1]}: {error}", file=sys.stderr)  # noqa: T201
        return 1


def _worker() -> int:
    from ingest.app import run_worker  # noqa: PLC0415 - the gateway needs no Faust
    from ingest.settings import WorkerSettings  # noqa: PLC0415

    return run_worker(WorkerSettings())  # type: ignore[call-arg]  # the environment gives them


def _gateway() -> int:
    from ingest.gateway import run_gateway  # noqa: PLC0415 - the worker needs no FastAPI

    return run_gateway()


if __name__ == "__main__":
    sys.exit(main())
