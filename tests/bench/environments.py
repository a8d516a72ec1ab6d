"""Environments of their own for what is compared with, and for tools: made once, kept in the state folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from embedded.state import state_folder
from tests.bench.parts import BenchError


def environment(name: str, *packages: str) -> Path:
    """The interpreter of an environment with these packages; BenchError when they do not install."""
    folder = state_folder() / "bench" / "environments" / name
    python = folder / "bin" / "python"
    done = folder / "done"
    wanted = "\n".join(packages)
    if done.exists() and done.read_text(encoding="utf-8") == wanted:
        return python
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages],
    ):
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            raise BenchError(f"{name} does not install here: {made.stderr.strip()[-500:]}")
    done.write_text(wanted, encoding="utf-8")
    return python


def program(package: str, name: str) -> str:
    """The path of a program that a package brings."""
    return str(environment(name, package).parent / name)
