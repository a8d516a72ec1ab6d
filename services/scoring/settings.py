"""Settings of the scoring worker, read from the environment in `__main__` only."""

from __future__ import annotations

import base64
from datetime import timedelta

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from loanbook.kafka.settings import KafkaSettings

_FETCH_BYTES = 100_000  # some thousand loans


class WorkerSettings(BaseSettings):
    """How the worker reaches its parts, what it assumes, and whom it tells."""

    model_config = SettingsConfigDict(env_prefix="SCORING_", extra="ignore", env_ignore_empty=True)

    database_url: str = Field(validation_alias="DATABASE_URL")
    kafka_bootstrap_servers: str = Field(validation_alias="KAFKA_BOOTSTRAP_SERVERS")
    worker_host: str = "127.0.0.1"
    worker_port: int = 8083
    group: str = "loanpulse-scoring"
    lanes: int = 3  # transactions side by side, never two on one slice
    batch_loans: int = 2_000  # at most in a transaction
    collect: timedelta = timedelta(milliseconds=100)  # so long the first waits for others to be scored with
    retry_wait_max: timedelta = timedelta(seconds=5)
    session_timeout: timedelta = timedelta(seconds=10)

    sweep_interval: timedelta = timedelta(seconds=1)  # a slice each; all sixteen in as many
    sweep_grace: timedelta = timedelta(seconds=2)  # younger changes are left to their notices
    backlog_loans: int = 100_000  # past it the sweep waits; notices never do

    loss_given_default: float = Field(default=0.45, ge=0, le=1)  # assumed until write-offs say better

    webhook_url: str | None = None
    webhook_secret: SecretStr | None = None  # "whsec_" and base64, as Standard Webhooks write it
    webhook_previous_secret: SecretStr | None = None  # signs too while receivers change over
    webhook_allow_private: bool = False  # also plain http
    webhook_timeout: timedelta = timedelta(seconds=10)
    notices_wait_for_cut_off: bool = False  # until 10:00 of the next business day; off for a demonstration

    @field_validator("webhook_secret", "webhook_previous_secret")
    @classmethod
    def _a_secret_is_base64(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            base64.b64decode(secret.get_secret_value().removeprefix("whsec_") + "==", validate=False)
        return secret

    @model_validator(mode="after")
    def _a_webhook_is_signed(self) -> WorkerSettings:
        if self.webhook_url and self.webhook_secret is None:
            msg = "SCORING_WEBHOOK_URL needs SCORING_WEBHOOK_SECRET: nothing is sent unsigned"
            raise ValueError(msg)
        return self

    def kafka(self) -> KafkaSettings:
        """The Kafka part of the settings."""
        return KafkaSettings(
            bootstrap_servers=self.kafka_bootstrap_servers,
            client_id="loanpulse-scoring",
            session_timeout=self.session_timeout,
            fetch_min_bytes=_FETCH_BYTES,
            fetch_max_wait=self.collect,
        )

    def webhook_secrets(self) -> list[str]:
        """The secrets that sign, the newest first."""
        given = (self.webhook_secret, self.webhook_previous_secret)
        return [secret.get_secret_value() for secret in given if secret is not None]
