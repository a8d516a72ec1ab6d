"""Gives shared answers that are ready to known keys, as bytes: what the routes would answer, without them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.responses import Response

from analytics_api.errors import TooManyRequestsError
from analytics_api.metrics import ANSWERS_SHARED, HTTP_REQUEST_SECONDS, HTTP_REQUESTS, SERVICE
from analytics_api.routes.access import Caller, Gate
from analytics_api.routes.answers import Answer, AnswerCache, response_to, takes_gzip
from analytics_api.routes.middleware import keep_careful

_PACKED_MAX = 512
_HEADS_MAX, _HEAD_BYTES_MAX = 4096, 4096
_HEAD_DIGEST_BYTES = 16  # the bytes of a request hold a key: they are not kept
_BEARER = b"Bearer "
# A request that brings one of these is for the routes: a body, another protocol, a browser of another origin.
_FOR_ROUTES = frozenset({b"content-length", b"transfer-encoding", b"upgrade", b"expect", b"origin"})
Headers = Iterable[tuple[bytes, bytes]]
Given = tuple[int, bytes]  # status; headers and body


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that the desk understands: what for, by whom, and what counts of its headers."""

    target: bytes
    caller: Caller
    if_none_match: str
    takes_gzip: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What counts of a request's headers."""

    key: str | None
    if_none_match: str
    accept_encoding: str


class _Meters:
    """The metrics of one route, looked up once."""

    def __init__(self, route: str) -> None:
        self._seconds = HTTP_REQUEST_SECONDS.labels(SERVICE, "GET", route)
        self._requests = {
            status: HTTP_REQUESTS.labels(SERVICE, "GET", route, str(status)) for status in (200, 304)
        }

    def count(self, status: int, seconds: float) -> None:
        """Note one answer."""
        self._requests[status].inc()
        self._seconds.observe(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Packed:
    """An answer as it goes over the wire, behind the status line and the date."""

    answer: Answer
    ok: bytes
    gzipped: bytes
    not_modified: bytes
    meters: _Meters


class Desk:
    """Hands out what is ready, on the same conditions as the routes; all else is left to them."""

    def __init__(self, *, answers: AnswerCache, gate: Gate) -> None:
        self._answers = answers
        self._gate = gate
        self._packed: dict[bytes, _Packed] = {}
        self._heads: dict[tuple[bytes, str], Asked] = {}  # by the digest of a request's bytes, and address

    def understand(self, target: bytes, headers: Headers, address: str) -> Asked | None:
        """What a GET asks for; None if the routes must see to it."""
        read = _read(headers) if self._answers.knows(target) else None
        caller = self._gate.keys.caller_of(read.key, address) if read is not None else None
        if read is None or caller is None:
            return None
        return Asked(
            target=target,
            caller=caller,
            if_none_match=read.if_none_match,
            takes_gzip=takes_gzip(read.accept_encoding),
        )

    def recall(self, head: bytes, address: str) -> Asked | None:
        """What a request asks for that came before in the same bytes from the same address."""
        return self._heads.get((_digest(head), address))

    def remember(self, head: bytes, address: str, asked: Asked) -> None:
        """Have these bytes recalled from now on; they must be a whole request that was served."""
        if len(head) > _HEAD_BYTES_MAX:
            return
        if len(self._heads) >= _HEADS_MAX:
            self._heads.clear()
        self._heads[_digest(head), address] = asked

    def serve(self, asked: Asked) -> Given | None:
        """Status, and headers with body; None if the routes must see to it. Spends of the caller's rate."""
        started = time.perf_counter()
        answer = self._answers.ready(asked.target)
        if answer is None or not self._may_ask(asked.caller):
            return None
        packed = self._packed.get(asked.target)
        if packed is None or packed.answer is not answer:
            packed = self._pack(asked.target, answer)
        given = _chosen(packed, asked)
        ANSWERS_SHARED.inc()
        packed.meters.count(given[0], time.perf_counter() - started)
        return given

    def _may_ask(self, caller: Caller) -> bool:
        """Whether the caller is within its rate; one who is not hears so from the routes."""
        try:
            self._gate.limiter.spend(caller.key_id)
        except TooManyRequestsError:
            return False
        return True

    def _pack(self, target: bytes, answer: Answer) -> _Packed:
        if len(self._packed) >= _PACKED_MAX:
            self._packed.clear()
        before = self._packed.get(target)
        packed = _Packed(
            answer=answer,
            ok=_wire(response_to(answer, "")),
            gzipped=_wire(response_to(answer, "", gzipped=True)),
            not_modified=_wire(response_to(answer, answer.etag)),
            # Shared answers have no parameters in their paths: the path is the route's template.
            meters=before.meters if before else _Meters(target.partition(b"?")[0].decode()),
        )
        self._packed[target] = packed
        return packed


def _chosen(packed: _Packed, asked: Asked) -> Given:
    if packed.answer.etag in asked.if_none_match:
        return 304, packed.not_modified
    return 200, packed.gzipped if asked.takes_gzip else packed.ok


def _read(headers: Headers) -> _Read | None:
    """What counts of the headers; None for a request that only the routes understand."""
    authorization = if_none_match = accept_encoding = b""
    for name, value in headers:
        if name == b"authorization":
            if authorization:
                return None
            authorization = value
        elif name == b"if-none-match":
            if_none_match = if_none_match or value
        elif name == b"accept-encoding":
            accept_encoding = accept_encoding or value
        elif name in _FOR_ROUTES:
            return None
    if authorization and not authorization.startswith(_BEARER):
        return None
    return _Read(
        key=authorization[len(_BEARER) :].decode("latin-1") if authorization else None,
        if_none_match=if_none_match.decode("latin-1"),
        accept_encoding=accept_encoding.decode("latin-1"),
    )


def _digest(head: bytes) -> bytes:
    return hashlib.blake2b(head, digest_size=_HEAD_DIGEST_BYTES).digest()


def _wire(response: Response) -> bytes:
    """Headers and body as the routes and the middleware around them would send them."""
    headers = MutableHeaders(raw=response.raw_headers)
    keep_careful(headers)
    lines = b"".join(name.lower() + b": " + value + b"\r\n" for name, value in headers.raw)
    return lines + b"\r\n" + bytes(response.body)
