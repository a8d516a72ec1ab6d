"""Starts the scoring worker: `python -m scoring worker`."""

from __future__ import annotations

import sys

from pydantic import ValidationError

from loanbook.domain.errors import LoanbookError
from scoring.app import run_worker
from scoring.settings import WorkerSettings


def main() -> int:
    """Run the part named on the command line; returns its exit code."""
    if sys.argv[1:] != ["worker"]:
        print("usage: python -m scoring worker", file=sys.stderr)  # noqa: T201
        return 2
    try:
        return run_worker(WorkerSettings())  # type: ignore[call-arg]  # the environment gives them
    except ValidationError as error:
        for problem in error.errors(include_input=False):  # what was given may be a secret
            name = ".".join(map(str, problem["loc"])) or "settings"
            print(f"scoring worker: {name}: {problem['msg']}", file=sys.stderr)  # noqa: T201
        return 2
    except LoanbookError as error:
        print(f"scoring worker: {error}", file=sys.stderr)  # noqa: T201
        return 1


if __name__ == "__main__":
    sys.exit(main())
