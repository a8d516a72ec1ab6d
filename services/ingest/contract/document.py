"""Builds the documents of the contract from the classes that decode the events."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from ingest.contract.examples import example_event
from loanbook import wire
from loanbook.topics import BOOK_REFERENCE, BORROWER_PROFILES, LOAN_CHANGED, LOAN_EVENTS, TOPICS
from loanbook.wire_rules import MAX_TEXT_LENGTH

VERSION = "1.0.0"
_NAME_SCHEMA = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT_LENGTH}
_CHANNELS = {
    LOAN_EVENTS: ("loanEvents", "Facts about loans, keyed by loan id; day.closed stands in every partition."),
    BORROWER_PROFILES: ("borrowerProfiles", "Attributes of borrowers, compacted; a null value erases them."),
    BOOK_REFERENCE: ("bookReference", "Names and places of branches, compacted."),
}
_REFERENCE_TOPICS = {"borrower.profile.v1": BORROWER_PROFILES, "branch.updated.v1": BOOK_REFERENCE}


def documents() -> dict[str, str]:
    """Every file of the contract by its name: asyncapi.json and schemas/<type>.json."""
    files = {"asyncapi.json": _json(asyncapi())}
    for type_name, schema in wire.json_schemas().items():
        files[f"schemas/{type_name}.json"] = _json(_event_schema(type_name, schema))
    return files


def asyncapi() -> dict[str, Any]:
    """The contract as an AsyncAPI 3 document."""
    types = list(wire.DATA_TYPES)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Loanpulse events",
            "version": VERSION,
            "description": (
                "CloudEvents 1.0 in structured JSON. Amounts are decimal strings, days are ISO dates, "
                "instants carry an offset. Unknown fields are kept, unknown types are dead letters."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {_CHANNELS[topic][0]: _channel(topic, types) for topic in _CHANNELS}
        | {"loanChanged": _notice_channel()},
        "operations": {f"take{_capital(name)}": _operation(name, "receive") for name, _ in _CHANNELS.values()}
        | {"tellLoanChanged": _operation("loanChanged", "send")},
        "components": {"messages": _messages(types), "schemas": _schemas()},
    }


def _channel(topic: str, types: list[str]) -> dict[str, Any]:
    mine = [name for name in types if _REFERENCE_TOPICS.get(name, LOAN_EVENTS) == topic]
    return {
        "address": topic,
        "description": _CHANNELS[topic][1],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in mine},
        "bindings": {"kafka": _topic_binding(topic)},
    }


def _notice_channel() -> dict[str, Any]:
    return {
        "address": LOAN_CHANGED,
        "description": "One notice a committed batch: which loans of a slice have changed.",
        "messages": {"loan.changed.v1": {"$ref": "#/components/messages/loan.changed.v1"}},
        "bindings": {"kafka": _topic_binding(LOAN_CHANGED)},
    }


def _topic_binding(topic: str) -> dict[str, Any]:
    spec = next(spec for spec in TOPICS if spec.name == topic)
    settings = dict(spec.config)
    known: dict[str, Any] = {}
    if "cleanup.policy" in settings:
        known["cleanup.policy"] = [settings["cleanup.policy"]]
    if "retention.ms" in settings:
        known["retention.ms"] = int(settings["retention.ms"])
    return {
        "topic": topic,
        "partitions": spec.partitions,
        "topicConfiguration": known,
        "bindingVersion": "0.5.0",
    }


def _operation(channel: str, action: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}


def _messages(types: list[str]) -> dict[str, Any]:
    found = {name: _message(name, wire.DATA_TYPES[name].__doc__ or name) for name in types}
    notice = {
        "name": "loan.changed.v1",
        "summary": "Which loans a committed batch has changed.",
        "contentType": "application/json",
        "payload": {"$ref": "#/components/schemas/LoansChanged"},
    }
    return found | {"loan.changed.v1": notice}


def _message(type_name: str, doc: str) -> dict[str, Any]:
    summary, _, rest = doc.partition("\n")
    message: dict[str, Any] = {
        "name": type_name,
        "summary": summary.strip(),
        "payload": {"$ref": f"#/components/schemas/{type_name}"},
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": "0.5.0"}},
        "examples": [{"name": type_name, "payload": example_event(type_name)}],
    }
    return message | ({"description": " ".join(rest.split())} if rest.strip() else {})


def _schemas() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for type_name, schema in wire.json_schemas().items():
        found[type_name] = _envelope_schema(type_name, {"$ref": schema["$ref"]})
        found |= schema["$defs"]
    notice = msgspec.json.schema(wire.LoansChanged)
    found |= notice["$defs"]
    moved: dict[str, Any] = _moved(found)
    return moved


def _event_schema(type_name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:loanpulse:event:{type_name}",
        **_envelope_schema(type_name, {"$ref": schema["$ref"]}),
        "$defs": schema["$defs"],
    }


def _envelope_schema(type_name: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": type_name,
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time", "book", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": _NAME_SCHEMA | {"description": "Unique within the source; a repeated id is taken once."},
            "source": _NAME_SCHEMA | {"description": "URI of the system that speaks."},
            "type": {"const": type_name},
            "subject": _NAME_SCHEMA | {"description": _subject_means(type_name)},
            "time": {"type": "string", "format": "date-time", "description": "Recorded upstream."},
            "book": _NAME_SCHEMA | {"description": "The lender's legal entity."},
            "sequence": {
                "anyOf": [{"type": "integer"}, {"type": "null"}],
                "description": "Upstream's number.",
            },
            "datacontenttype": {"type": "string"},
            "data": data,
        },
    }


def _subject_means(type_name: str) -> str:
    if type_name in wire.FACT_TYPES:
        return "The loan's id; also the Kafka key."
    return "The book." if type_name == "day.closed.v1" else "The id of whom or what it describes."


def _moved(part: Any) -> Any:  # noqa: ANN401 - any part of a schema
    if isinstance(part, list):
        return [_moved(item) for item in part]
    if isinstance(part, dict):
        return {key: _moved(value) for key, value in part.items()}
    if isinstance(part, str) and part.startswith("#/$defs/"):
        return part.replace("#/$defs/", "#/components/schemas/", 1)
    return part


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
