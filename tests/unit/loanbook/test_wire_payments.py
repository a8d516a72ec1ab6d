"""The classes that payments are read with as columns follow those that everything is decoded with."""

from __future__ import annotations

import msgspec
import pytest

from loanbook.domain.events import PaymentPosted
from loanbook.wire import Envelope
from loanbook.wire_payments import Line, Written


@pytest.mark.parametrize(("lean", "whole"), [(Line, Envelope), (Written, PaymentPosted)])
def test_a_lean_class_has_the_fields_of_the_whole_one(
    lean: type[msgspec.Struct], whole: type[msgspec.Struct]
) -> None:
    def fields(target: type[msgspec.Struct]) -> list[tuple[str, str, bool]]:
        return [(f.name, f.encode_name, f.required) for f in msgspec.structs.fields(target)]

    assert sorted(fields(lean)) == sorted(fields(whole))
