"""What a person may set for the embedded stack, by the environment or the file .env."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import dotenv_values
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from embedded.state import project_root


class StackSettings(BaseSettings):
    """Addresses that replace the embedded parts, and ports that are else drawn."""

    model_config = SettingsConfigDict(env_file=project_root() / ".env", env_ignore_empty=True, extra="ignore")

    kafka_bootstrap_servers: str | None = None
    database_url: str | None = None
    kafka_port: int | None = Field(default=None, ge=1, le=65535)
    postgres_port: int | None = Field(default=None, ge=1, le=65535)
    ingest_gateway_port: int | None = Field(default=None, ge=1, le=65535)
    analytics_port: int | None = Field(default=None, ge=1, le=65535)
    ingest_worker_port: int | None = Field(default=None, ge=1, le=65535)
    scoring_worker_port: int | None = Field(default=None, ge=1, le=65535)


def child_environment(root: Path) -> dict[str, str]:
    """The environment that the services inherit: the project's .env, overruled by the real environment."""
    from_file = {key: value for key, value in dotenv_values(root / ".env").items() if value}
    return from_file | dict(os.environ)
