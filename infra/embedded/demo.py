"""The demonstration: the stack in the foreground, a book sent through it, all stopped at Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from embedded import control
from embedded.processes import ProcessMark
from embedded.settings import child_environment
from embedded.startup import loanpulse_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded.layout import Layout, StackState

_FAREWELL_S = 10.0


class Told(KeyboardInterrupt):
    """Only this process was told to leave, by a signal that is not Ctrl-C."""


def _leave(*_: object) -> None:
    raise Told


def demo(layout: Layout, say: Callable[[str], None], book: str | None) -> int:
    """Bring the stack up, send the book, keep on until interrupted; a stack that ran before runs on after."""
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _leave)
    ran_before = control.running_supervisor(layout) is not None
    try:
        state = control.up(layout, say, owner=None if ran_before else ProcessMark.of(os.getpid()))
        _show_addresses(state, say)
        return _send_book(layout, state, book)
    except KeyboardInterrupt:
        say("")
        return 0
    finally:
        if ran_before:
            say("the stack ran before and runs on; `make down` stops it")
        else:
            _stop(layout, say)


def _show_addresses(state: StackState, say: Callable[[str], None]) -> None:
    analytics, gateway = state.addresses["ANALYTICS_URL"], state.addresses["GATEWAY_URL"]
    say("")
    say(f"  Boards     {analytics}/boards")
    say(f"  API        {analytics}/docs")
    say(f"  Events in  {gateway}/docs")
    say("  Ctrl-C stops all; the data stays, and the next start goes on from it.")
    say("")


def _send_book(layout: Layout, state: StackState, book: str | None) -> int:
    command = [sys.executable, loanpulse_command(), "demo", *(["--book", book] if book else [])]
    environment = child_environment(layout.root) | state.addresses
    with subprocess.Popen(command, env=environment, cwd=layout.root) as child:
        try:
            return child.wait()
        except KeyboardInterrupt as interrupt:
            # At Ctrl-C the terminal has told the child as well; a second word would cut its farewell short.
            if isinstance(interrupt, Told):
                child.send_signal(signal.SIGINT)
            _see_off(child)
            raise


def _see_off(child: subprocess.Popen[bytes]) -> None:
    try:
        child.wait(_FAREWELL_S)
    except subprocess.TimeoutExpired:
        child.kill()


def _stop(layout: Layout, say: Callable[[str], None]) -> None:
    # A second Ctrl-C while stopping would leave the parts to the supervisor, who stops them as well.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    say("stopping all parts ...")
    control.down(layout, say)
