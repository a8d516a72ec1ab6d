"""What clients are told of the cluster: addresses, TLS and SASL by settings, no secret in a log line."""

from __future__ import annotations

import ssl
from datetime import timedelta

from loanbook.kafka.failure import FirstFailure
from loanbook.kafka.settings import KafkaSettings, client_options


def test_plain_settings_give_address_name_and_timeout() -> None:
    settings = KafkaSettings(
        bootstrap_servers="a:1,b:2", client_id="ingest", request_timeout=timedelta(seconds=7)
    )
    assert client_options(settings) == {
        "bootstrap_servers": "a:1,b:2",
        "client_id": "ingest",
        "request_timeout_ms": 7000,
        "security_protocol": "PLAINTEXT",
    }


def test_sasl_over_tls_verifies_the_broker_and_names_the_user() -> None:
    settings = KafkaSettings(
        bootstrap_servers="a:1",
        security_protocol="SASL_SSL",
        sasl_username="ingest",
        sasl_password="secret",  # noqa: S106
    )
    options = client_options(settings)
    assert isinstance(options["ssl_context"], ssl.SSLContext)
    assert options["ssl_context"].verify_mode is ssl.CERT_REQUIRED
    assert options["ssl_context"].check_hostname
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("ingest", "secret")


def test_the_password_does_not_show_when_settings_are_printed() -> None:
    assert "secret" not in repr(KafkaSettings(bootstrap_servers="a:1", sasl_password="secret"))  # noqa: S106


async def test_the_first_failure_is_kept_and_later_ones_are_not() -> None:
    failure = FirstFailure()
    with failure:
        raise ValueError("cause")
    with failure:
        raise KeyError("echo")
    await failure.wait()
    assert str(failure.error) == "cause"
