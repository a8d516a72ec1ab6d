"""Named queries: one file each, beside the service that runs them."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def load_sql(package: str, name: str) -> str:
    """Text of `<package>/sql/<name>.sql`; raises FileNotFoundError."""
    return resources.files(package).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
