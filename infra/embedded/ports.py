"""Ports on the loopback address that nobody else takes between a kill and a restart."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"
# Below the range from which kernels draw the ports of outgoing connections (Linux 32768+, macOS 49152+).
# A port inside that range can be taken by any client while its server is down, even by a client
# that is trying to reach this very server: it then connects to itself.
_LOWEST, _HIGHEST = 20_000, 32_000
_TRIES = 200


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback address now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port(preferred: int = 0) -> int:
    """The preferred port when it is free, else another free one."""
    return next(port for port in _candidates(preferred) if port_is_free(port))


@dataclass(slots=True)
class Reservations:
    """Ports that this process holds against other stacks on this machine, from choosing to the end.

    Seconds pass until a started service listens, and more while it is restarted; two stacks that start at
    once would choose the same ports. What is held is the UDP port of the same number, which no part uses.
    """

    _held: list[socket.socket] = field(default_factory=list)

    def reserve(self, port: int) -> bool:
        """Hold this port; False when something listens on it or another stack holds it."""
        if not port_is_free(port):
            return False
        token = socket.socket(type=socket.SOCK_DGRAM)
        try:
            token.bind((LOOPBACK, port))
        except OSError:
            token.close()
            return False
        self._held.append(token)
        return True

    def reserve_any(self, *preferred: int) -> int:
        """Hold the first of the preferred ports that can be held, else another one."""
        return next(port for port in _candidates(*preferred) if self.reserve(port))

    def release(self) -> None:
        """Give all ports back."""
        while self._held:
            self._held.pop().close()


def _candidates(*preferred: int) -> Iterator[int]:
    draw = random.SystemRandom()
    yield from filter(None, preferred)
    for _ in range(_TRIES):
        yield draw.randrange(_LOWEST, _HIGHEST)
    msg = f"no free port found between {_LOWEST} and {_HIGHEST} in {_TRIES} tries"
    raise OSError(msg)


def answers(port: int, host: str = LOOPBACK, timeout: float = 0.5) -> bool:
    """Whether something accepts connections on this port."""
    try:
        socket.create_connection((host, port), timeout).close()
    except OSError:
        return False
    return True
