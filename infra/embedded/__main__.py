"""The command line of the embedded stack: `python -m embedded up`, and so on."""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
import sysconfig
from pathlib import Path

from embedded import control, status
from embedded.demo import demo
from embedded.failures import PartError
from embedded.layout import Layout, read_state
from embedded.logs import Follower, read_logs
from embedded.postgres import PostgresServer
from embedded.processes import ProcessMark
from embedded.settings import child_environment
from embedded.startup import DATABASE
from embedded.state import project_root, state_folder
from embedded.supervisor import Supervisor

_ALREADY_RUNNING = 3
_NOT_WELL = 4
_HANDING_ON = (["psql"], ["run"])


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it did what it says."""
    words = sys.argv[1:] if arguments is None else arguments
    handed_on = words[:1] in _HANDING_ON  # what follows these belongs to another program
    chosen = _parser().parse_args(words[:1] if handed_on else words)
    chosen.options = words[1:] if handed_on else []
    layout = Layout(root=project_root(), state=state_folder())
    try:
        return int(_COMMANDS[chosen.command](layout, chosen))
    except PartError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, BrokenPipeError):
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="embedded", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start all parts in the background")
    commands.add_parser("down", help="stop all parts")
    commands.add_parser("status", help="one line a part")
    logs = commands.add_parser("logs", help="the logs of all parts or of one")
    logs.add_argument("part", nargs="?")
    logs.add_argument("-f", "--follow", action="store_true")
    logs.add_argument("-n", "--lines", type=int, default=40, help="of each part (40)")
    commands.add_parser("psql", help="a prompt on the database; further options are psql's")
    commands.add_parser("run", help="run a command that knows the addresses of the running stack")
    commands.add_parser("clean", help="stop all parts and remove their data")
    shown = commands.add_parser("demo", help="start all parts here, send a book, stop all at Ctrl-C")
    shown.add_argument("--book", help="folder of a real book; without one a book is generated")
    supervise = commands.add_parser("supervise", help="what `up` runs in the background")
    supervise.add_argument("--owner", help="PID:STARTED; the stack ends when that process does")
    return parser


def _up(layout: Layout, _: argparse.Namespace) -> int:
    state = control.up(layout, _say)
    _print_status(layout)
    _say(f"\nBoards: {state.addresses['ANALYTICS_URL']}/boards")
    return 0


def _down(layout: Layout, _: argparse.Namespace) -> int:
    if not control.down(layout, _say):
        _say("nothing runs")
    return 0


def _status(layout: Layout, _: argparse.Namespace) -> int:
    return 0 if _print_status(layout) else _NOT_WELL


def _print_status(layout: Layout) -> bool:
    state = read_state(layout.stack_file)
    _say(status.headline(state))
    if state is None or not (state.supervisor.alive() or state.any_part_runs()):
        return False
    lines = status.look(state)
    for row in status.table(lines):
        _say(row)
    return all(line.well for line in lines)


def _logs(layout: Layout, chosen: argparse.Namespace) -> int:
    state = read_state(layout.stack_file)
    files = {"supervisor": layout.supervisor_log}
    files |= {part.name: Path(part.log) for part in state.parts if part.log} if state else {}
    if chosen.part and chosen.part not in files:
        raise PartError(f"no part {chosen.part!r} has a log; there are: {', '.join(files)}")
    names = [chosen.part] if chosen.part else list(files)
    followers = [Follower(name=name, path=files[name]) for name in names]
    for line in read_logs(followers, chosen.lines, follow=chosen.follow):
        _say(line)
    return 0


def _psql(layout: Layout, chosen: argparse.Namespace) -> int:
    state = control.running_supervisor(layout)
    if state is None or "DATABASE_URL" not in state.addresses:
        raise PartError("the stack does not run; `make up` starts it")
    part = state.part("postgres")
    if part and not part.given:
        server = PostgresServer(layout.postgres, port=int(part.address.rpartition(":")[2]))
        program, arguments = str(server.program("psql")), []
        environment = server.client_environment(DATABASE)
    else:
        program, arguments = shutil.which("psql") or "", [state.addresses["DATABASE_URL"]]
        environment = dict(os.environ)
    if not program:
        raise PartError("DATABASE_URL names a PostgreSQL of your own: its prompt needs psql on this machine")
    os.execve(program, [program, *arguments, *chosen.options], environment)  # noqa: S606


def _run(layout: Layout, chosen: argparse.Namespace) -> int:
    environment = child_environment(layout.root)
    state = control.running_supervisor(layout)
    if state:
        environment |= state.addresses
    elif not environment.get("DATABASE_URL"):
        raise PartError("the stack does not run (`make up` starts it), and DATABASE_URL names no database")
    wanted = chosen.options[0] if chosen.options else "(none named)"
    folders = os.pathsep.join([sysconfig.get_path("scripts"), environment.get("PATH", "")])
    program = shutil.which(wanted, path=folders)
    if not program:
        raise PartError(f"there is no program {wanted}")
    os.execve(program, [program, *chosen.options[1:]], environment)  # noqa: S606


def _clean(layout: Layout, _: argparse.Namespace) -> int:
    if os.environ.get("FORCE") != "1":
        if not sys.stdin.isatty():
            raise PartError(f"this removes all data in {layout.state}; say so with FORCE=1")
        if input(f"Remove all data in {layout.state}? [y/N] ").strip().lower() not in {"y", "yes"}:
            _say("nothing removed")
            return 1
    control.clean(layout, _say)
    return 0


def _demo(layout: Layout, chosen: argparse.Namespace) -> int:
    book = str(Path(chosen.book).resolve()) if chosen.book else None
    return demo(layout, _say, book)


def _supervise(layout: Layout, chosen: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stdout)
    owner = None
    if chosen.owner:
        pid, _, started_at = chosen.owner.partition(":")
        owner = ProcessMark(pid=int(pid), started_at=float(started_at))
    with control.supervisor_lock(layout) as alone:
        return Supervisor(layout, owner).run() if alone else _ALREADY_RUNNING


def _say(text: str) -> None:
    print(text, flush=True)


_COMMANDS = {
    "up": _up,
    "down": _down,
    "status": _status,
    "logs": _logs,
    "psql": _psql,
    "run": _run,
    "clean": _clean,
    "demo": _demo,
    "supervise": _supervise,
}

if __name__ == "__main__":
    raise SystemExit(main())
