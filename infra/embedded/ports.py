"""Ports on the loopback address that nobody else takes between a kill and a restart."""

from __future__ import annotations

import random
import socket

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
    if preferred and port_is_free(preferred):
        return preferred
    draw = random.SystemRandom()
    for _ in range(_TRIES):
        port = draw.randrange(_LOWEST, _HIGHEST)
        if port_is_free(port):
            return port
    msg = f"no free port found between {_LOWEST} and {_HIGHEST} in {_TRIES} tries"
    raise OSError(msg)


def answers(port: int, host: str = LOOPBACK, timeout: float = 0.5) -> bool:
    """Whether something accepts connections on this port."""
    try:
        socket.create_connection((host, port), timeout).close()
    except OSError:
        return False
    return True
