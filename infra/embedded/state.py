"""Where the embedded parts keep what they must not forget: one folder, ignored by git."""

from __future__ import annotations

import os
from pathlib import Path

STATE_VARIABLE = "LOANPULSE_STATE_DIR"
JARS_VARIABLE = "LOANPULSE_JARS_DIR"


def project_root() -> Path:
    """The folder of the checkout when the package runs from one, else the current folder."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").exists() else Path.cwd()


def state_folder() -> Path:
    """The state folder: `.loanpulse` in the project, or what LOANPULSE_STATE_DIR names."""
    return Path(os.environ.get(STATE_VARIABLE) or project_root() / ".loanpulse").resolve()


def jar_folder() -> Path:
    """Where Kafka's jars are kept, shared by the stack and the tests."""
    return Path(os.environ.get(JARS_VARIABLE) or state_folder() / "jars").resolve()
