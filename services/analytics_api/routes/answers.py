"""Aggregate answers are made once a second at most, however many ask, and carry an ETag."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import Request, Response

from analytics_api.metrics import ANSWERS_SHARED
from analytics_api.schemas.parts import DatedSchema

_ENTRIES_MAX = 512
_JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer's bytes; the tag covers the figures, not their age, which is a header too."""

    body: bytes
    etag: str
    data_age_s: float | None


@dataclass(slots=True, kw_only=True)
class _Entry:
    task: asyncio.Task[Answer]
    good_until: float | None = None


class AnswerCache:
    """Shares answers for a short while, and the making of them while it lasts."""

    def __init__(self, *, ttl_s: float, clock: Callable[[], float]) -> None:
        self._ttl_s = ttl_s
        self._clock = clock
        self._entries: dict[str, _Entry] = {}

    async def get(self, key: str, make: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer for a key, made by `make` where there is none; errors are not kept."""
        entry = self._entries.get(key)
        if entry is not None and self._is_good(entry):
            ANSWERS_SHARED.inc()
        else:
            entry = self._start(key, make)
        return await asyncio.shield(entry.task)

    def _is_good(self, entry: _Entry) -> bool:
        return not entry.task.done() or (entry.good_until or 0) > self._clock()

    def _start(self, key: str, make: Callable[[], Awaitable[Answer]]) -> _Entry:
        self._drop_stale()
        entry = _Entry(task=asyncio.ensure_future(_run(make)))
        self._entries[key] = entry
        entry.task.add_done_callback(lambda _: self._finish(key, entry))
        return entry

    def _finish(self, key: str, entry: _Entry) -> None:
        if entry.task.cancelled() or entry.task.exception() is not None:
            if self._entries.get(key) is entry:
                del self._entries[key]
            return
        entry.good_until = self._clock() + self._ttl_s

    def _drop_stale(self) -> None:
        if len(self._entries) >= _ENTRIES_MAX:
            self._entries = {key: entry for key, entry in self._entries.items() if self._is_good(entry)}


async def _run(make: Callable[[], Awaitable[Answer]]) -> Answer:
    return await make()


async def respond(
    request: Request, cache: AnswerCache, make: Callable[[], Awaitable[DatedSchema]]
) -> Response:
    """The shared answer to this request, or 304 where the asker has it already."""

    async def made() -> Answer:
        return _answer_of(await make())

    query = "&".join(sorted(request.url.query.split("&")))
    answer = await cache.get(f"{request.url.path}?{query}", made)
    headers = {"ETag": answer.etag, "Cache-Control": "private, no-cache"}
    if answer.data_age_s is not None:
        headers["X-Data-Age-Seconds"] = f"{answer.data_age_s:.3f}"
    if answer.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(answer.body, media_type=_JSON, headers=headers)


def _answer_of(answer: DatedSchema) -> Answer:
    figures = answer.model_dump_json(exclude={"data"}).encode()
    digest = hashlib.blake2b(figures, digest_size=12).hexdigest()
    return Answer(
        body=answer.model_dump_json().encode(),
        etag=f'W/"{digest}"',
        data_age_s=answer.data.data_age_seconds,
    )
