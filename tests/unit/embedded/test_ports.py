from __future__ import annotations

import socket

import pytest

from embedded.failures import PartError
from embedded.layout import PartState, Phase, StackState
from embedded.ports import LOOPBACK, answers, free_port, port_is_free
from embedded.processes import ProcessMark
from embedded.settings import StackSettings
from embedded.startup import Ports


def a_state(*parts: PartState) -> StackState:
    return StackState(phase=Phase.READY, supervisor=ProcessMark(pid=1, started_at=0.0), parts=parts)


def test_a_drawn_port_lies_below_those_of_outgoing_connections() -> None:
    assert all(20_000 <= free_port() < 32_000 for _ in range(20))


def test_the_preferred_port_is_taken_when_it_is_free_and_replaced_when_it_is_not() -> None:
    port = free_port()
    assert free_port(preferred=port) == port
    with socket.create_server((LOOPBACK, port)):
        assert not port_is_free(port)
        assert answers(port)
        assert free_port(preferred=port) != port
    assert not answers(port)


def test_a_port_that_is_set_wins_over_the_last_and_the_usual_one() -> None:
    fixed, last = free_port(), free_port()
    state = a_state(PartState(name="gateway", address=f"http://127.0.0.1:{last}"))
    settings = StackSettings(ingest_gateway_port=fixed)
    assert Ports(settings=settings, last=state).choose("gateway", "INGEST_GATEWAY_PORT", 8081) == fixed


def test_without_a_setting_the_last_port_wins_over_the_usual_one() -> None:
    last, usual = free_port(), free_port()
    settings = StackSettings(ingest_gateway_port=None)
    state = a_state(PartState(name="gateway", address=f"http://127.0.0.1:{last}"))
    assert Ports(settings=settings, last=state).choose("gateway", "INGEST_GATEWAY_PORT", usual) == last
    assert Ports(settings=settings, last=None).choose("gateway", "INGEST_GATEWAY_PORT", usual) == usual


def test_a_port_that_is_set_and_taken_is_named_with_its_variable() -> None:
    port = free_port()
    with (
        socket.create_server((LOOPBACK, port)),
        pytest.raises(PartError, match=f"port {port} of KAFKA_PORT is taken"),
    ):
        Ports(settings=StackSettings(kafka_port=port), last=None).choose("kafka", "KAFKA_PORT")
