from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from embedded.failures import PartError
from embedded.layout import PartState, Phase, StackState
from embedded.ports import LOOPBACK, Reservations, answers, free_port, port_is_free
from embedded.processes import ProcessMark
from embedded.settings import StackSettings
from embedded.startup import Ports


@pytest.fixture
def reservations() -> Iterator[Reservations]:
    held = Reservations()
    yield held
    held.release()


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


def test_a_held_port_is_refused_to_another_stack_until_it_is_released(reservations: Reservations) -> None:
    other = Reservations()
    port = reservations.reserve_any()
    assert port_is_free(port)  # for the part it is held for
    assert not other.reserve(port)
    reservations.release()
    assert other.reserve(port)
    other.release()


def test_a_port_that_is_set_wins_over_the_last_and_the_usual_one(reservations: Reservations) -> None:
    fixed, last = free_port(), free_port()
    state = a_state(PartState(name="gateway", address=f"http://127.0.0.1:{last}"))
    settings = StackSettings(ingest_gateway_port=fixed)
    ports = Ports(settings=settings, last=state, reservations=reservations)
    assert ports.choose("gateway", "INGEST_GATEWAY_PORT", 8081) == fixed


def test_without_a_setting_the_last_port_wins_over_the_usual_one(reservations: Reservations) -> None:
    last, usual = free_port(), free_port()
    settings = StackSettings(ingest_gateway_port=None)
    state = a_state(PartState(name="gateway", address=f"http://127.0.0.1:{last}"))
    again = Ports(settings=settings, last=state, reservations=reservations)
    first = Ports(settings=settings, last=None, reservations=reservations)
    assert again.choose("gateway", "INGEST_GATEWAY_PORT", usual) == last
    assert first.choose("gateway", "INGEST_GATEWAY_PORT", usual) == usual


def test_a_port_that_is_set_and_taken_is_named_with_its_variable(reservations: Reservations) -> None:
    port = free_port()
    ports = Ports(settings=StackSettings(kafka_port=port), last=None, reservations=reservations)
    with (
        socket.create_server((LOOPBACK, port)),
        pytest.raises(PartError, match=f"port {port} of KAFKA_PORT is taken"),
    ):
        ports.choose("kafka", "KAFKA_PORT")
