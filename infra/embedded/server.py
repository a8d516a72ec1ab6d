"""One server process with its log and its mark, as both embedded parts need it."""

from __future__ import annotations

import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from embedded.failures import PartError, last_lines
from embedded.processes import ProcessMark, end, read_mark, write_mark

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_POLL_S = 0.02


@dataclass(slots=True, kw_only=True)
class ServerProcess:
    """A child process in its own session, so that Ctrl-C reaches only who started it."""

    name: str
    log: Path
    mark_file: Path
    user: int | None = None
    group: int | None = None
    folder: Path = Path("/")
    cancel: Event = field(default_factory=Event)
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def launch(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start the process, its output into the log, which begins anew (one older copy is kept)."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".previous.log"))
        with self.log.open(
            "ab"
        ) as output:  # appending, so that a log that grew too long can be cut from outside
            self._child = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                cwd=self.folder,
                user=self.user,
                group=self.group,
                extra_groups=None if self.user is None else [],
                start_new_session=True,
            )
        write_mark(self.mark_file, ProcessMark.of(self._child.pid))

    def wait_until(self, ready: Callable[[], bool], timeout_s: float) -> None:
        """Return when `ready` holds; PartError with the end of the log when the process leaves first."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            if not self.running:
                raise PartError(f"{self.name} did not start; the end of {self.log}:\n{last_lines(self.log)}")
            if self.cancel.is_set():
                self.stop()
                raise PartError(f"{self.name} was told to stop while it started")
            if time.monotonic() > deadline:
                self.stop()
                raise PartError(
                    f"{self.name} was not ready after {timeout_s:.0f} s; the end of {self.log}:\n"
                    f"{last_lines(self.log)}",
                )
            time.sleep(_POLL_S)

    @property
    def running(self) -> bool:
        """Whether the process started here still runs."""
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._child.pid if self._child is not None and self.running else None

    def stop(self, first: int = signal.SIGTERM, patience_s: float = 30.0) -> None:
        """Ask the process to leave and wait; force it when it does not."""
        if self._child is None:
            return
        if self.running:
            self._child.send_signal(first)
            try:
                self._child.wait(patience_s)
            except subprocess.TimeoutExpired:
                self._child.kill()
        self._child.wait()
        self._child = None
        self.mark_file.unlink(missing_ok=True)

    def ask_to_stop(self) -> None:
        """Tell the process to leave, and go on; `stop` waits for it."""
        if self._child is not None and self.running:
            self._child.terminate()

    def wait(self, timeout_s: float) -> int:
        """Wait for a process that ends by itself; its exit status, or 1 when it had to be ended."""
        if self._child is None:
            return 1
        try:
            status = self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            status = 1
        self.stop()
        return status

    def kill(self) -> None:
        """End the process as a crash does: SIGKILL, nothing tidied up, the mark left behind."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def end_leftover(self, first: int = signal.SIGTERM) -> None:
        """End the process of an earlier owner that died without stopping it."""
        mark = read_mark(self.mark_file)
        if mark is not None:
            end(mark, first)
            self.mark_file.unlink(missing_ok=True)
