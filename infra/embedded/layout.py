"""What the stack writes about itself: the state file, read by every command, and where its files lie."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from embedded.processes import ProcessMark


class Phase(StrEnum):
    """How far the stack is."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartState:
    """One part as the supervisor last saw it."""

    name: str
    address: str
    log: str = ""
    process: ProcessMark | None = None  # none: not running, or given from outside
    given: bool = False
    restarts: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackState:
    """The whole stack as its supervisor last saw it."""

    phase: Phase
    supervisor: ProcessMark
    doing: str = ""
    parts: tuple[PartState, ...] = ()
    addresses: dict[str, str] = field(default_factory=dict)  # environment variable to value, for clients

    def any_part_runs(self) -> bool:
        """Whether a part runs, with its supervisor or without."""
        return any(part.process and part.process.alive() for part in self.parts)

    def part(self, name: str) -> PartState | None:
        """The part of this name, if it is one."""
        return next((part for part in self.parts if part.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The files of the state folder."""

    root: Path  # of the project
    state: Path

    @property
    def lock(self) -> Path:
        """Held by the supervisor as long as it lives."""
        return self.state / "supervisor.lock"

    @property
    def stack_file(self) -> Path:
        """The state file; readable by its owner alone, for it holds the database's password."""
        return self.state / "stack.json"

    @property
    def logs(self) -> Path:
        """Where the logs of the services lie."""
        return self.state / "logs"

    @property
    def supervisor_log(self) -> Path:
        """What the supervisor says."""
        return self.logs / "supervisor.log"

    @property
    def kafka(self) -> Path:
        """The broker's folder."""
        return self.state / "kafka"

    @property
    def postgres(self) -> Path:
        """The database's folder, unless it had to move."""
        return self.state / "postgres"


def write_state(path: Path, state: StackState) -> None:
    """Replace the state file so that a reader never sees half of it."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(asdict(state), indent=1), encoding="utf-8")
    fresh.replace(path)


def read_state(path: Path) -> StackState | None:
    """The state last written; None when there is none or it is of another release."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return StackState(
            phase=Phase(content["phase"]),
            supervisor=ProcessMark(**content["supervisor"]),
            doing=content["doing"],
            parts=tuple(_part(part) for part in content["parts"]),
            addresses=dict(content["addresses"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _part(content: dict[str, object]) -> PartState:
    process = content.pop("process")
    mark = ProcessMark(**process) if isinstance(process, dict) else None
    return PartState(process=mark, **content)  # type: ignore[arg-type]  # refused by TypeError above
