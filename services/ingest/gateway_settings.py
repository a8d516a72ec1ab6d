"""Settings of the HTTP gateway, read from the environment in `__main__` only."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest.gateway_auth import ApiKeys, read_api_keys
from loanbook.kafka.settings import KafkaSettings


class GatewaySettings(BaseSettings):
    """How the gateway reaches Kafka, who may send, and how much at once."""

    model_config = SettingsConfigDict(env_prefix="INGEST_", extra="ignore")

    kafka_bootstrap_servers: str = Field(validation_alias="KAFKA_BOOTSTRAP_SERVERS")
    gateway_host: str = "127.0.0.1"
    gateway_port: int = 8081
    auth: Literal["keys", "off"] = "keys"
    api_keys: str = ""  # comma-separated SHA-256 hex digests; `digest@BOOK` may write that book alone
    books: str = ""  # comma-separated; empty: every book is taken and the worker knows which exist
    body_bytes_max: int = 1_048_576
    events_max: int = 5_000  # in one request
    requests_max: int = 64  # at work at the same time; what they hold in memory is bounded by it
    events_per_second_max: int = 0  # for each key; 0: no limit
    durable_timeout: timedelta = timedelta(seconds=5)  # past it an event was not confirmed: 503

    @model_validator(mode="after")
    def _keys_are_set(self) -> Self:
        if self.auth == "keys" and not self.api_keys.strip():
            msg = (
                "INGEST_API_KEYS is empty: set SHA-256 hex digests of the keys, or INGEST_AUTH=off to "
                "take events from everyone (development only)"
            )
            raise ValueError(msg)
        read_api_keys(self.api_keys)
        return self

    def keys(self) -> ApiKeys | None:
        """The keys that may send; None when everyone may."""
        return None if self.auth == "off" else read_api_keys(self.api_keys)

    def known_books(self) -> frozenset[str]:
        """The books to take events of; empty for all."""
        return frozenset(book.strip() for book in self.books.split(",") if book.strip())

    def kafka(self) -> KafkaSettings:
        """The Kafka part of the settings."""
        return KafkaSettings(
            bootstrap_servers=self.kafka_bootstrap_servers,
            client_id="loanpulse-gateway",
            request_timeout=self.durable_timeout,
        )
