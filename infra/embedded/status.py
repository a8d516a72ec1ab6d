"""One line a part: whether it runs, where, since when, and whether it is well."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embedded.layout import PartState, Phase, StackState
from embedded.ports import answers
from embedded.services import answers_health

if TYPE_CHECKING:
    from collections.abc import Iterator

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is told of one part."""

    name: str
    health: str
    pid: str
    address: str
    uptime: str
    note: str = ""

    @property
    def well(self) -> bool:
        """Whether the part does its work."""
        return self.health == "well"


def look(state: StackState) -> list[Line]:
    """How every part is at this moment; a part is asked itself, not its supervisor."""
    return [_line(part) for part in state.parts]


def table(lines: list[Line]) -> Iterator[str]:
    """The lines under a head, in columns."""
    rows = [("PART", "HEALTH", "PID", "ADDRESS", "UP FOR", "")]
    rows += [(line.name, line.health, line.pid, line.address, line.uptime, line.note) for line in lines]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def headline(state: StackState | None) -> str:
    """One sentence on the stack as a whole."""
    if state is None:
        return "nothing runs (`make up` starts it)"
    if not state.supervisor.alive():
        left = [part.name for part in state.parts if part.process and part.process.alive()]
        if left:
            return f"the supervisor was killed; still running: {', '.join(left)} (`make up` or `make down`)"
        ended = "failed to start" if state.phase is Phase.FAILED else "is stopped"
        return f"the stack {ended} (`make up` starts it)"
    return f"the stack is {state.phase}" + (f": {state.doing}" if state.doing else "")


def duration(seconds: float) -> str:
    """A span of time in its two largest units."""
    whole = int(seconds)
    for size, unit, part, part_unit in (
        (_DAY_S, "d", _HOUR_S, "h"),
        (_HOUR_S, "h", _MINUTE_S, "m"),
        (_MINUTE_S, "m", 1, "s"),
    ):
        if whole >= size:
            return f"{whole // size}{unit}{whole % size // part:02d}{part_unit}"
    return f"{whole}s"


def _line(part: PartState) -> Line:
    process = part.process if part.process and part.process.alive() else None
    notes = [f"restarted {part.restarts}x"] if part.restarts else []
    notes += part.problem.splitlines()[:1]
    return Line(
        name=part.name,
        health="well" if _is_well(part) else "ailing" if process or part.given else "down",
        pid=str(process.pid) if process else "given" if part.given else "-",
        address=part.address,
        uptime=duration(time.time() - process.started_at) if process else "-",
        note="; ".join(notes),
    )


def _is_well(part: PartState) -> bool:
    if part.given:
        return any(_accepts(address) for address in part.address.split(","))
    if part.process is None or not part.process.alive():
        return False
    if part.address.startswith("http"):
        return answers_health(part.address)
    return part.address == "-" or _accepts(part.address)


def _accepts(address: str) -> bool:
    # What is given may be host:port, or the end of a URL with a database and options behind it.
    host, _, port = address.partition("/")[0].rpartition(":")
    return answers(int(port), host.strip("[]")) if port.isdigit() else False
