"""From a request's body to the bytes of single events, each as its sender wrote it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from ingest.gateway_problems import Problem

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON = "application/json"
LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
MEDIA_TYPES = (SINGLE, BATCH, JSON, *LINES)

_array_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_any_decoder = msgspec.json.Decoder(msgspec.Raw)


def media_type_of(content_type: str | None, content_encoding: str | None) -> str:
    """The media type of a body that we read; raises Problem 415."""
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        detail = f"{media_type or 'no content type'} is not one of {', '.join(MEDIA_TYPES)}"
        raise Problem(415, detail, headers={"Accept-Post": ", ".join(MEDIA_TYPES)})
    if content_encoding and content_encoding.strip().lower() != "identity":
        raise Problem(415, f"content encoding {content_encoding[:40]!r} is not understood: send it plain")
    return media_type


async def read_body(stream: AsyncIterator[bytes], length: str | None, limit: int) -> bytes:
    """Read a body of at most `limit` bytes, announced or not; raises Problem 413 and reads no further."""
    if length is not None and length.isdigit() and int(length) > limit:
        raise Problem(413, f"the body of {int(length)} bytes is over the limit of {limit}")
    body = bytearray()
    async for chunk in stream:
        body += chunk
        if len(body) > limit:
            raise Problem(413, f"the body is over the limit of {limit} bytes")
    return bytes(body)


def split_events(body: bytes, media_type: str, limit: int) -> list[bytes]:
    """The events of a body, byte for byte; raises Problem: 422 not JSON at all, 413 too many."""
    if media_type in LINES:
        found = [line for line in (part.strip() for part in body.splitlines()) if line]
    elif media_type == BATCH or (media_type == JSON and body.lstrip()[:1] == b"["):
        found = _elements(body)
    else:
        found = [_single(body)]
    if not found:
        raise Problem(422, "the request holds no event")
    if len(found) > limit:
        raise Problem(413, f"{len(found)} events are over the limit of {limit} in one request")
    return found


def _elements(body: bytes) -> list[bytes]:
    try:
        return [bytes(part) for part in _array_decoder.decode(body)]
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Problem(422, f"not an array of events: {_text_of(error)}") from error


def _single(body: bytes) -> bytes:
    try:
        return bytes(_any_decoder.decode(body))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Problem(422, f"not JSON: {_text_of(error)}") from error


def _text_of(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)
