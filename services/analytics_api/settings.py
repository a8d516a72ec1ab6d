"""What an installation may set; read once, in __main__."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_DIGEST = re.compile(r"^[0-9a-f]{64}$")
_PERCENT = re.compile(r"^(100|\d{1,2}(\.\d{1,2})?)$")
_BUCKETS = 5


class AnalyticsSettings(BaseSettings):
    """Settings of the API and the refresh, prefix ANALYTICS_."""

    model_config = SettingsConfigDict(env_prefix="ANALYTICS_", extra="ignore", populate_by_name=True)

    database_url: SecretStr = Field(validation_alias="DATABASE_URL")
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    auth: Literal["on", "off"] = "on"
    api_keys: Annotated[tuple[str, ...], NoDecode] = ()  # SHA-256 hex digests, comma-separated
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    pool_size_max: int = Field(default=10, ge=1, le=100)
    statement_timeout: timedelta = timedelta(seconds=10)
    cache_for: timedelta = timedelta(seconds=1)
    gauges_cache_for: timedelta = timedelta(seconds=15)
    rate_per_second: float = Field(default=50, ge=0)  # a key's steady rate; 0 switches the limit off
    rate_burst: int = Field(default=100, ge=1)
    body_bytes_max: int = Field(default=65_536, ge=256)
    refresh_interval: timedelta = timedelta(minutes=1)
    minutes_kept: timedelta = timedelta(days=8)
    stale_after: timedelta = Field(default=timedelta(days=35), ge=timedelta(days=1))
    boards_dir: Path = Path("grafana/dashboards")
    provision_percents: Annotated[tuple[str, ...], NoDecode] = ("1", "10", "25", "50", "100")  # by bucket
    loss_given_default: Decimal = Field(default=Decimal("0.45"), ge=0, le=1)

    @field_validator("api_keys", "cors_origins", "provision_percents", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("api_keys")
    @classmethod
    def _are_digests(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        lowered = tuple(key.lower() for key in keys)
        if not all(_DIGEST.match(key) for key in lowered):
            msg = "must be SHA-256 digests of keys, 64 hex digits each"
            raise ValueError(msg)
        return lowered

    @property
    def provision_rates_bps(self) -> tuple[int, ...]:
        """The percents of provisions in basis points."""
        return tuple(int(Decimal(percent) * 100) for percent in self.provision_percents)

    @field_validator("provision_percents")
    @classmethod
    def _are_percents(cls, percents: tuple[str, ...]) -> tuple[str, ...]:
        if len(percents) != _BUCKETS or not all(_PERCENT.match(percent) for percent in percents):
            msg = "must be percents, two decimals at most, of current, 1-30, 31-60, 61-90, 91+"
            raise ValueError(msg)
        return percents

    @model_validator(mode="after")
    def _is_closed_or_says_so(self) -> Self:
        if self.auth == "on" and not self.api_keys:
            msg = "set ANALYTICS_API_KEYS, or ANALYTICS_AUTH=off for development"
            raise ValueError(msg)
        return self
