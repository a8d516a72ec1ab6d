"""The user PostgreSQL runs as: itself, or nobody when root started it, and what that user can reach."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from embedded.failures import PartError

SYSTEM_STATE = Path("/var/lib/loanpulse")
_CANDIDATES = ("nobody", "postgres", "daemon")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An operating system user that a server process is started as."""

    name: str
    uid: int
    gid: int


def server_account() -> Account | None:
    """The account to drop to; None when the current user is unprivileged and stays as it is."""
    if os.geteuid() != 0:
        return None
    for name in _CANDIDATES:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=found.pw_uid, gid=found.pw_gid)
    raise PartError(
        f"PostgreSQL refuses to run as root and none of the users {', '.join(_CANDIDATES)} exists; "
        "start this as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own.",
    )


def can_enter(account: Account | None, folder: Path) -> bool:
    """Whether the account can pass through every existing folder on the way to this one."""
    if account is None:
        return True
    existing = folder
    while not existing.exists():
        existing = existing.parent
    return _as(account, "test", "-x", str(existing))


def can_run(account: Account | None, program: Path) -> bool:
    """Whether the account can start this program."""
    return account is None or _as(account, "test", "-x", str(program))


def system_copy(account: Account, package: Path, name: str) -> Path:
    """A copy of a package and its wheel's libraries where the account can reach it; made once."""
    target = SYSTEM_STATE / name
    if not can_run(account, target):
        fresh = target.with_name(f"{name}.{os.getpid()}")
        SYSTEM_STATE.mkdir(parents=True, exist_ok=True, mode=0o755)
        shutil.rmtree(fresh, ignore_errors=True)
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.exists():
                shutil.copytree(folder, fresh / folder.name, symlinks=True)
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    return target / package.name


def own(account: Account | None, folder: Path) -> None:
    """Make a folder that belongs to the account and that nobody else can look into."""
    folder.mkdir(parents=True, exist_ok=True)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)


def _as(account: Account, *command: str) -> bool:
    done = subprocess.run(
        command,
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        check=False,
        stderr=subprocess.DEVNULL,
    )
    return done.returncode == 0
