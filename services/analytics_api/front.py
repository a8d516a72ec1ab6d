"""The end of a connection: shared answers that are ready leave from here, all else goes to the app."""

from __future__ import annotations

import socket

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from analytics_api.routes.desk import Asked, Desk, Given

_DOORS = 64


def open_doors(config: uvicorn.Config) -> list[socket.socket]:
    """The listening socket so many times over.

    libuv takes in one connection a turn of the loop from each, and a turn lasts as long as all who ask in it:
    of hundreds who come at once, the last waited for seconds.
    """
    first = config.bind_socket()
    return [first, *(first.dup() for _ in range(_DOORS - 1))]


class FrontProtocol(HttpToolsProtocol):
    """Uvicorn's protocol that asks the desk first, as soon as the headers of a request are read.

    The desk comes with the app's state, under `desk`. What it answers never becomes a task of its own, which
    costs a twentieth of the way through the routes. And what it has answered it knows again: who asks the
    same in the same bytes is answered without reading them, at half of what is left.
    """

    _asked: Asked | None = None  # by the last request, if the desk understood it
    _is_recalled = False  # it came in bytes that are known, and there was nothing to give
    _is_answered = False
    _is_between = True  # requests: what came so far was read to the end of one
    _begun = 0  # requests in the bytes that are being read

    def data_received(self, data: bytes) -> None:
        """Answer what was asked before in the same bytes, else read them."""
        desk = self._desk()
        is_fresh = desk is not None and self._is_between and self._is_free()
        recalled = desk.recall(data, self._address()) if desk is not None and is_fresh else None
        if desk is not None and recalled is not None and self._give(desk.serve(recalled)):
            return
        self._is_recalled, self._is_answered, self._begun = recalled is not None, False, 0
        super().data_received(data)
        is_one_request = is_fresh and self._begun == 1 and self._is_between
        if desk is not None and is_one_request and self._is_answered and self._asked is not None:
            desk.remember(data, self._address(), self._asked)

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        self._begun += 1
        self._is_between = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Answer at once, or start the app on the request."""
        self._is_answered = not self._is_recalled and self._is_plain() and self._answer()
        if not self._is_answered:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End of the request; one that is answered has no body and nobody who waits."""
        self._is_between = True
        if not self._is_answered:
            super().on_message_complete()

    def _desk(self) -> Desk | None:
        return self.app_state.get("desk")

    def _address(self) -> str:
        return self.client[0] if self.client else "unknown"

    def _answer(self) -> bool:
        """Send what the desk has for the request that was just read, if it has something."""
        desk = self._desk()
        if desk is None:
            return False
        self._asked = desk.understand(self.url, self.headers, self._address())
        return self._asked is not None and self._give(desk.serve(self._asked))

    def _give(self, given: Given | None) -> bool:
        """Send an answer of the desk, if it has one."""
        if given is None:
            return False
        status, rest = given
        head = [STATUS_LINE[status]]
        for name, value in self.server_state.default_headers:
            head += (name, b": ", value, b"\r\n")
        self.transport.write(b"".join((*head, rest)))
        self.on_response_complete()
        return True

    def _is_plain(self) -> bool:
        """Whether it is a GET on a connection that stays, with nothing before it still to be answered."""
        return (
            self.parser.get_method() == b"GET"
            and self.parser.get_http_version() == "1.1"
            and bool(self.parser.should_keep_alive())
            and not self.parser.should_upgrade()
            and self._is_free()
        )

    def _is_free(self) -> bool:
        """Whether all requests so far are answered, and another answer can be sent."""
        return (
            not self.pipeline
            and (self.cycle is None or self.cycle.response_complete)
            and not self.flow.write_paused
            and not self.transport.is_closing()
        )
