"""The page's own files, read once and kept compressed: nothing is fetched from elsewhere."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticFile:
    """One file with its fingerprint."""

    media_type: str
    content: bytes
    compressed: bytes
    etag: str


def load_static_files() -> dict[str, StaticFile]:
    """Every servable file under static/ by its path."""
    return dict(_walk(resources.files("analytics_api.board_viewer").joinpath("static"), ""))


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, StaticFile]]:
    found: list[tuple[str, StaticFile]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _walk(entry, f"{prefix}{entry.name}/")
        elif (media_type := _TYPES.get(entry.name.rsplit(".", 1)[-1])) is not None:
            found.append((prefix + entry.name, _load(entry.read_bytes(), media_type)))
    return found


def _load(content: bytes, media_type: str) -> StaticFile:
    return StaticFile(
        media_type=media_type,
        content=content,
        compressed=gzip.compress(content, mtime=0),
        etag=f'"{hashlib.sha256(content).hexdigest()[:20]}"',
    )
