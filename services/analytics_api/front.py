"""The end of a connection: shared answers that are ready leave from here, all else goes to the app."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from analytics_api.routes.desk import Desk


class FrontProtocol(HttpToolsProtocol):
    """Uvicorn's protocol that asks the desk first, as soon as the headers of a request are read.

    The desk comes with the app's state, under `desk`. What it answers never becomes a task of its own, which
    costs a twentieth of the way through the routes.
    """

    _answered = False

    def on_headers_complete(self) -> None:
        """Answer at once, or start the app on the request."""
        self._answered = self._answer_ready()
        if not self._answered:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End of the request; one that is answered has no body and nobody who waits."""
        if not self._answered:
            super().on_message_complete()

    def _answer_ready(self) -> bool:
        desk: Desk | None = self.app_state.get("desk")
        if desk is None or self.client is None or not self._is_plain():
            return False
        given = desk.serve(self.url, self.headers, self.client[0])
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
            and not self.pipeline
            and (self.cycle is None or self.cycle.response_complete)
            and not self.flow.write_paused
            and not self.transport.is_closing()
        )
