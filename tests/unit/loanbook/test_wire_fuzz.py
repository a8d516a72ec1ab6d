"""Whatever comes in, the decoder gives an event or a refusal, and nothing else."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.contract.examples import example_event
from loanbook import wire
from loanbook.domain.errors import RejectedEventError

TYPES = st.sampled_from(list(wire.DATA_TYPES))
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=300)
    | st.sampled_from(
        ["", "0001-01-01", "9999-12-31", "1e9", "-0.01", "\u0000", "EUR", "JPY", "9" * 40, "\uff12"]
    )
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def is_settled(raw: bytes) -> bool:
    """Whether the bytes became an event, or a refusal with a reason; any other error is raised."""
    try:
        wire.decode(raw)
    except RejectedEventError as error:
        return bool(error.reason)
    return True


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_bytes_of_any_kind_are_decoded_or_refused(raw: bytes) -> None:
    assert is_settled(raw)


@settings(max_examples=500, deadline=None)
@given(TYPES, st.data())
def test_an_event_with_one_thing_changed_is_decoded_or_refused(type_name: str, data: st.DataObject) -> None:
    event = copy.deepcopy(example_event(type_name))
    part: Any = event
    while True:
        names = list(part) if isinstance(part, dict) else list(range(len(part)))
        name = data.draw(st.sampled_from(names))
        if isinstance(part[name], dict | list) and part[name] and data.draw(st.booleans()):
            part = part[name]
            continue
        part[name] = data.draw(VALUES)
        break
    assert is_settled(json.dumps(event).encode())


@settings(max_examples=300, deadline=None)
@given(TYPES, st.integers(min_value=0), st.binary(max_size=4))
def test_an_event_with_bytes_overwritten_is_decoded_or_refused(
    type_name: str, place: int, noise: bytes
) -> None:
    raw = bytearray(json.dumps(example_event(type_name)).encode())
    at = place % len(raw)
    raw[at : at + len(noise)] = noise
    assert is_settled(bytes(raw))
