"""Aggregate answers are made once a second at most, however many ask, and carry an ETag."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import msgspec
from fastapi import Request, Response

from analytics_api.metrics import ANSWERS_SHARED
from analytics_api.schemas.operations import Freshness
from analytics_api.schemas.parts import DatedSchema

_ENTRIES_MAX = 512
_TARGETS_MAX = 4096
_MADE_WITHIN = 4  # times as long as it is good, an answer may take to be made before anybody waits for it
_JSON = "application/json"
_PACKED_FROM_BYTES = 1024
_PACKED_SO_WELL = 6  # a third less to send than at level 1, for some milliseconds a megabyte once a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer's bytes; the tag covers the figures, not their age, which is a header too."""

    body: bytes
    etag: str
    data_age_s: float | None
    gzipped: bytes | None = None  # the same body, where that saves something


@dataclass(slots=True, kw_only=True)
class _Entry:
    task: asyncio.Task[Answer] = field(init=False)
    answer: Answer | None = None  # the task's, or the one before while it is being made
    is_made: bool = False
    good_until: float = 0
    is_called_for: bool = False  # somebody is on the way to have the next one made


class AnswerCache:
    """Shares answers for a short while, and the making of them while it lasts.

    An answer is good for `ttl_s`, and for as long again it is still given to those who come before the next
    one is made, so that nobody waits for what many ask for; while that takes longer, for four times as long.
    One that nobody has asked for since is not given.
    """

    def __init__(self, *, ttl_s: float, clock: Callable[[], float]) -> None:
        self._ttl_s = ttl_s
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._keys: dict[bytes, str] = {}  # by the target of a request that has been answered

    async def get(self, key: str, make: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer for a key, made by `make` where there is none; errors are not kept."""
        entry = self._entries.get(key)
        now = self._clock()
        if entry is None or (entry.is_made and entry.good_until <= now):
            entry = self._start(key, make, entry)
        else:
            ANSWERS_SHARED.inc()
        given = self._given(entry, now)
        return given if given is not None else await asyncio.shield(entry.task)

    def ready(self, target: bytes) -> Answer | None:
        """The answer to the target of an earlier request, if it can be given without making anything.

        When it is no longer good, one asker is given nothing and so has the next one made; all others are
        given it meanwhile: else everybody who asks just then would take the long way at once.
        """
        entry = self._entries.get(self._keys.get(target, ""))
        if entry is None:
            return None
        now = self._clock()
        if now >= entry.good_until and entry.is_made and not entry.is_called_for:
            entry.is_called_for = True
            return None
        return self._given(entry, now)

    def knows(self, target: bytes) -> bool:
        """Whether a request for a target has been answered."""
        return target in self._keys

    def note(self, target: bytes, key: str) -> None:
        """Remember that a request for a target is answered by a key."""
        if len(self._keys) >= _TARGETS_MAX:
            self._keys.clear()
        self._keys[target] = key

    def _given(self, entry: _Entry, now: float) -> Answer | None:
        """The answer that an entry has, if it is young enough."""
        more_s = self._ttl_s * (1 if entry.is_made else _MADE_WITHIN)
        return entry.answer if now < entry.good_until + more_s else None

    def _start(self, key: str, make: Callable[[], Awaitable[Answer]], before: _Entry | None) -> _Entry:
        self._drop_stale()
        entry = _Entry()
        if before is not None and self._given(before, self._clock()):
            entry.answer, entry.good_until = before.answer, before.good_until
        self._entries[key] = entry
        entry.task = asyncio.ensure_future(self._fill(entry, make))
        entry.task.add_done_callback(lambda task: self._forget_failed(key, entry, task))
        return entry

    async def _fill(self, entry: _Entry, make: Callable[[], Awaitable[Answer]]) -> Answer:
        """Within the task, since many ask between its end and a callback: they would find nothing to give."""
        entry.answer = await make()
        entry.good_until = self._clock() + self._ttl_s
        entry.is_made = True
        return entry.answer

    def _forget_failed(self, key: str, entry: _Entry, task: asyncio.Task[Answer]) -> None:
        failed = task.cancelled() or task.exception() is not None
        if failed and self._entries.get(key) is entry:
            del self._entries[key]

    def _drop_stale(self) -> None:
        if len(self._entries) >= _ENTRIES_MAX:
            now = self._clock()
            self._entries = {
                key: entry
                for key, entry in self._entries.items()
                if not entry.is_made or entry.good_until > now
            }


async def respond(
    request: Request, cache: AnswerCache, make: Callable[[], Awaitable[DatedSchema | Freshness]]
) -> Response:
    """The shared answer to this request, or 304 where the asker has it already."""

    async def made() -> Answer:
        return await asyncio.to_thread(_answer_of, await make())

    query = "&".join(sorted(request.url.query.split("&")))
    key = f"{request.url.path}?{query}"
    answer = await cache.get(key, made)
    cache.note(target_of(request), key)
    headers = request.headers
    return response_to(
        answer, headers.get("if-none-match", ""), gzipped=takes_gzip(headers.get("accept-encoding", ""))
    )


@lru_cache(maxsize=256)
def takes_gzip(accept_encoding: str) -> bool:
    """Whether one who sends this header would rather have less to read."""
    for part in accept_encoding.lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "").rstrip(".0") != "q="
    return False


def target_of(request: Request) -> bytes:
    """What stood in the first line of a request: its path and query as they came."""
    path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    query: bytes = request.scope["query_string"]
    return path + b"?" + query if query else path


def response_to(answer: Answer, if_none_match: str, *, gzipped: bool = False) -> Response:
    """An answer for one who may have it already, and may take it packed."""
    headers = {"ETag": answer.etag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
    if answer.data_age_s is not None:
        headers["X-Data-Age-Seconds"] = f"{answer.data_age_s:.3f}"
    if answer.etag in if_none_match:
        return Response(status_code=304, headers=headers)
    if gzipped and answer.gzipped is not None:
        return Response(answer.gzipped, media_type=_JSON, headers=headers | {"Content-Encoding": "gzip"})
    return Response(answer.body, media_type=_JSON, headers=headers)


def _answer_of(answer: DatedSchema | Freshness) -> Answer:
    if isinstance(answer, DatedSchema):
        moment, age = "data", answer.data.data_age_seconds
    else:
        moment, age = "read_at", answer.data_age_seconds
    fields = dict(answer)
    read = _encoded({moment: fields.pop(moment)})  # stands first, and is no figure
    figures = _encoded(fields)
    body = read[:-1] + b"," + figures[1:]
    return Answer(
        body=body,
        etag=f'W/"{hashlib.blake2b(figures, digest_size=12).hexdigest()}"',
        data_age_s=age,
        gzipped=gzip.compress(body, _PACKED_SO_WELL, mtime=0) if len(body) >= _PACKED_FROM_BYTES else None,
    )


def _encoded(fields: Mapping[str, object]) -> bytes:
    """JSON as the models themselves would give it, in a fraction of the time for what is made of dicts."""
    return msgspec.json.encode(fields, enc_hook=dict)
