"""The committed contract is the one the code decodes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import ingest.contract
from ingest.commands.contract import differences, main
from ingest.contract.examples import example_event, wrong_event
from loanbook import wire
from loanbook.domain.errors import RejectedEventError
from loanbook.topics import TOPICS

FOLDER = Path(ingest.contract.__file__).parent
ASYNCAPI: dict[str, Any] = json.loads((FOLDER / "asyncapi.json").read_text(encoding="utf-8"))


def schema_of(type_name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(
        (FOLDER / "schemas" / f"{type_name}.json").read_text(encoding="utf-8")
    )
    return schema


def references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def resolve(document: dict[str, Any], reference: str) -> object:
    found: Any = document
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def test_the_committed_files_are_what_the_code_generates() -> None:
    assert differences(FOLDER) == [], "run `loanpulse contract`"


def test_a_changed_a_missing_and_a_stray_file_are_noticed(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path)]) == 0
    assert main(["--out", str(tmp_path), "--check"]) == 0
    (tmp_path / "asyncapi.json").write_text("{}")
    (tmp_path / "schemas" / "payment.posted.v1.json").unlink()
    (tmp_path / "schemas" / "payment.posted.v0.json").write_text("{}")
    assert differences(tmp_path) == [
        "asyncapi.json",
        "schemas/payment.posted.v0.json",
        "schemas/payment.posted.v1.json",
    ]
    assert main(["--out", str(tmp_path), "--check"]) == 1


@pytest.mark.parametrize("type_name", wire.DATA_TYPES)
def test_every_example_is_decoded_and_valid_under_its_schema(type_name: str) -> None:
    message = ASYNCAPI["components"]["messages"][type_name]
    for example in message["examples"]:
        wire.decode(json.dumps(example["payload"]).encode())
        jsonschema.Draft202012Validator(schema_of(type_name)).validate(example["payload"])


def test_every_type_that_is_decoded_is_published_on_a_channel() -> None:
    published = {
        reference.rpartition("/")[2]
        for channel in ASYNCAPI["channels"].values()
        for reference in references(channel["messages"])
    }
    assert published == {*wire.DATA_TYPES, "loan.changed.v1"}


def test_every_reference_of_the_document_leads_somewhere() -> None:
    found = set(references(ASYNCAPI))
    assert len(found) > 100
    assert all(resolve(ASYNCAPI, reference) for reference in found)


def test_channels_are_the_topics_as_they_are_made() -> None:
    specs = {spec.name: spec for spec in TOPICS}
    for channel in ASYNCAPI["channels"].values():
        assert channel["bindings"]["kafka"]["partitions"] == specs[channel["address"]].partitions


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"amount": "-1.00"}, "amount"),
        ({"amount": 1.5}, "amount"),
        ({"currency": "euro"}, "currency"),
        ({"effective_date": 20260302}, "effective_date"),
        ({"channel": "x" * 201}, "channel"),
        ({"entity_version": 2**40}, "entity_version"),
        ({"kind": "bribe"}, "kind"),
    ],
)
def test_schema_and_decoder_refuse_the_same(change: dict[str, Any], said: str) -> None:
    event = example_event("payment.posted.v1")
    event["data"] |= change
    faults = list(jsonschema.Draft202012Validator(schema_of("payment.posted.v1")).iter_errors(event))
    assert [list(fault.absolute_path) for fault in faults] == [["data", said]]
    with pytest.raises(RejectedEventError) as caught:
        wire.decode(json.dumps(event).encode())
    assert caught.value.field == f"data.{said}"


def test_schema_and_decoder_both_want_the_currency_of_an_amount() -> None:
    event = example_event("loan.created.v1")
    del event["data"]["currency"]
    assert list(jsonschema.Draft202012Validator(schema_of("loan.created.v1")).iter_errors(event))
    with pytest.raises(RejectedEventError, match="currency"):
        wire.decode(json.dumps(event).encode())


def test_the_example_of_a_wrong_event_is_refused() -> None:
    with pytest.raises(RejectedEventError, match=r"data\.amount: more than 2 decimals"):
        wire.decode(json.dumps(wrong_event()).encode())
