"""The `loanpulse` command: finds the services' commands by entry points and imports none of them itself."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, entry_points

from loanbook.domain.errors import LoanbookError

GROUP = "loanpulse.commands"


def main(arguments: list[str] | None = None) -> int:
    """Run one command: an entry point `name = module:main`, given the arguments, gives the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    commands = {point.name: point for point in entry_points(group=GROUP)}
    if not words or words[0] in {"-h", "--help"}:
        print(_help(commands))
        return 0 if words else 2
    point = commands.get(words[0])
    if point is None:
        print(f"loanpulse: no command {words[0]!r}\n\n{_help(commands)}", file=sys.stderr)
        return 2
    try:
        return int(point.load()(words[1:]) or 0)
    except LoanbookError as error:
        print(f"loanpulse {words[0]}: {error}", file=sys.stderr)
        return 1


def _help(commands: dict[str, EntryPoint]) -> str:
    names = "\n".join(f"  {name}" for name in sorted(commands))
    return f"usage: loanpulse COMMAND [--help]\n\ncommands:\n{names}"


if __name__ == "__main__":
    sys.exit(main())
