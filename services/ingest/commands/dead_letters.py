"""`loanpulse dead-letters`: look at what could not be taken, correct it, approve it, send it again."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ingest.commands.database import add_database, database_url, table
from ingest.commands.dead_letters_replay import Front, replay
from ingest.commands.dead_letters_steps import (
    Choice,
    DeadLetter,
    DeadLetterError,
    Place,
    approve,
    correct,
    select_dead_letters,
)
from ingest.store import ROLE
from loanbook.postgres.pool import Connection, connect

_LISTED = 200
_COLUMNS = ("place", "age", "state", "field", "reason", "author", "approved_by")
_DAY_S, _HOUR_S, _MINUTE_S = 86_400, 3_600, 60


def main(arguments: list[str]) -> int:
    """Run one verb; exit code 1 when a replayed event was refused."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    run = {"list": _list, "show": _show, "correct": _correct, "approve": _approve, "replay": _replay}
    return asyncio.run(_connected(database_url(parser, chosen), run[chosen.verb], chosen))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="loanpulse dead-letters", description=__doc__)
    add_database(parser)
    verbs = parser.add_subparsers(dest="verb", required=True)
    listing = verbs.add_parser("list", help="where, since when, why, and how far the correction is")
    listing.add_argument("--state", choices=["open", "corrected", "approved", "replayed"])
    listing.add_argument("--limit", type=int, default=_LISTED)
    listing.add_argument("--json", action="store_true")
    show = verbs.add_parser("show", help="the original bytes, and the correction")
    correcting = verbs.add_parser("correct", help="put a corrected event beside the original")
    how = correcting.add_mutually_exclusive_group(required=True)
    how.add_argument("--file", type=Path, help="the corrected CloudEvent, for one dead letter")
    how.add_argument("--as-is", action="store_true", help="the original, since the fault was ours or is gone")
    approving = verbs.add_parser("approve", help="by another person than the author")
    sending = verbs.add_parser("replay", help="send what is approved through the front door")
    _add_front(sending)
    for verb in (show, correcting, approving, sending):
        verb.add_argument("places", nargs="*", type=_place, metavar="[TOPIC/]PARTITION/OFFSET")
    for verb in (listing, correcting, approving, sending):
        verb.add_argument("--reason", metavar="TEXT", help="those with this text in the reason")
    for verb in (correcting, approving, sending):
        verb.add_argument("--by", required=True, metavar="NAME", help="who does it, for the audit")
    return parser


def _add_front(parser: argparse.ArgumentParser) -> None:
    port = os.environ.get("INGEST_GATEWAY_PORT", "8081")
    parser.add_argument(
        "--to", metavar="URL|kafka", default=f"http://127.0.0.1:{port}", help="a gateway, or Kafka itself"
    )
    parser.add_argument("--api-key", default=os.environ.get("INGEST_API_KEY"), help="for the gateway")
    parser.add_argument("--bootstrap-servers", default=os.environ.get("KAFKA_BOOTSTRAP_SERVERS"))


def _place(text: str) -> Place:
    try:
        return Place.read(text)
    except ValueError as error:
        msg = f"{text!r} is not [TOPIC/]PARTITION/OFFSET"
        raise argparse.ArgumentTypeError(msg) from error


async def _connected(dsn: str, run: Any, chosen: argparse.Namespace) -> int:  # noqa: ANN401
    connection = await connect(dsn, ROLE)
    try:
        code: int = await run(connection, chosen)
        return code
    finally:
        await connection.close()


async def _list(connection: Connection, chosen: argparse.Namespace) -> int:
    choice = Choice(reason=chosen.reason, state=chosen.state, limit=chosen.limit)
    rows = [_row(letter) for letter in await select_dead_letters(connection, choice)]
    print(json.dumps(rows) if chosen.json else table(_COLUMNS, rows))
    return 0


async def _show(connection: Connection, chosen: argparse.Namespace) -> int:
    for letter in await _chosen(connection, chosen, None):
        print(f"{letter.place}  {letter.state}, first seen {letter.first_seen:%Y-%m-%d %H:%M:%S %Z}")
        print(f"{letter.field or 'record'}: {letter.reason}")
        print(f"key: {_text(letter.key)}\n{_text(letter.raw)}")
        if letter.corrected is not None:
            print(f"corrected by {letter.corrected_by}, approved by {letter.approved_by or 'nobody yet'}:")
            print(_text(letter.corrected))
    return 0


async def _correct(connection: Connection, chosen: argparse.Namespace) -> int:
    state = None if chosen.places else "open"
    letters = await _chosen(connection, chosen, state)
    if chosen.file is not None and len(letters) != 1:
        raise DeadLetterError("--file corrects one dead letter")
    corrected = None if chosen.file is None else await asyncio.to_thread(chosen.file.read_bytes)
    for letter in letters:
        await correct(connection, letter, corrected, chosen.by)
        print(f"{letter.place} corrected by {chosen.by}; another person must approve it")
    return 0


async def _approve(connection: Connection, chosen: argparse.Namespace) -> int:
    for letter in await _chosen(connection, chosen, "corrected"):
        await approve(connection, letter, chosen.by)
        print(f"{letter.place} approved by {chosen.by}")
    return 0


async def _replay(connection: Connection, chosen: argparse.Namespace) -> int:
    letters = await select_dead_letters(
        connection, Choice(places=tuple(chosen.places), reason=chosen.reason, state="approved")
    )
    front = Front(target=chosen.to, api_key=chosen.api_key, bootstrap_servers=chosen.bootstrap_servers)
    refused = await replay(connection, letters, front, chosen.by)
    for letter, reason in refused:
        print(f"{letter.place} was refused: {reason}", file=sys.stderr)
    print(f"{len(letters) - len(refused)} sent again, {len(refused)} refused")
    return 1 if refused else 0


async def _chosen(
    connection: Connection, chosen: argparse.Namespace, state: str | None
) -> Sequence[DeadLetter]:
    reason = getattr(chosen, "reason", None)
    if not chosen.places and reason is None:
        raise DeadLetterError("name dead letters by their places, or by --reason")
    return await select_dead_letters(
        connection, Choice(places=tuple(chosen.places), reason=reason, state=state)
    )


def _row(letter: DeadLetter) -> dict[str, Any]:
    return {
        "place": str(letter.place),
        "age": _age(letter.age_s),
        "state": letter.state,
        "field": letter.field,
        "reason": letter.reason,
        "author": letter.corrected_by,
        "approved_by": letter.approved_by,
    }


def _age(seconds: float) -> str:
    for unit, size in (("d", _DAY_S), ("h", _HOUR_S), ("min", _MINUTE_S)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _text(data: bytes | None) -> str:
    return "-" if data is None else data.decode(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
