"""Events on the wire: CloudEvents 1.0 in structured JSON, decoded straight into the domain's classes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache, partial
from typing import Annotated, Any, Literal, TypeAlias, cast

import msgspec

from loanbook.domain import events
from loanbook.domain.errors import RejectedEventError
from loanbook.domain.events import BorrowerProfile, BranchUpdated, DayClosed, Fact, LoanEvent
from loanbook.domain.money import EXPONENTS, Minor, exponent_of
from loanbook.wire_amounts import AMOUNT_SCHEMA, read_minor, write_minor
from loanbook.wire_rules import (
    FIRST_DAY,
    LAST_DAY,
    are_plain_names,
    check_data,
    exponent_of_code,
    is_plain,
    name_fault,
    with_rules,
)

MAX_EVENT_BYTES = 256 * 1024
SequenceNumber: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Data: TypeAlias = Fact | DayClosed | BorrowerProfile | BranchUpdated
FACT_TYPES: dict[str, type[Fact]] = {fact.TYPE: fact for fact in events.FACTS}
REFERENCE_TYPES: dict[str, type[BorrowerProfile | BranchUpdated]] = {
    BorrowerProfile.TYPE: BorrowerProfile,
    BranchUpdated.TYPE: BranchUpdated,
}
DATA_TYPES: dict[str, type[Data]] = {**FACT_TYPES, DayClosed.TYPE: DayClosed, **REFERENCE_TYPES}
_COMMON_EXPONENT = 2
_EXPONENTS_BY_BYTES = {code.encode(): digits for code, digits in EXPONENTS.items()}
_FIELD = re.compile(r" - at `\$\.?([^`]*)`$")
_MISSING = re.compile(r"missing required field `([^`]+)`")


class Envelope(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The CloudEvents attributes that count; tracing extensions are transport and are not kept."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    book: str
    sequence: SequenceNumber | None = None
    data: msgspec.Raw


class Received(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A decoded event beside the bytes of its data, which the ledger keeps as they came."""

    event: LoanEvent
    data: bytes


class ReceivedDayClosed(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a book's business day, as met in one partition."""

    book: str
    day: DayClosed


class ReceivedReference(msgspec.Struct, frozen=True, kw_only=True):
    """A borrower's or a branch's attributes."""

    book: str
    recorded_at: datetime
    value: BorrowerProfile | BranchUpdated


class LoansChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The notice on loan.changed.v1: which loans of one slice a committed batch has changed."""

    book: str
    slice: int
    loan_keys: tuple[int, ...]
    committed_at: datetime
    of_new_day: bool = False  # nothing came: they were only brought to another day, or folded again


class _Currency(msgspec.Struct, frozen=True):
    currency: str = ""


envelope_decoder = msgspec.json.Decoder(Envelope)
_currency_decoder, _notice_decoder = msgspec.json.Decoder(_Currency), msgspec.json.Decoder(LoansChanged)
_encoder = msgspec.json.Encoder()


def decode(raw: bytes) -> Received | ReceivedDayClosed | ReceivedReference:
    """Decode one event; raises RejectedEventError naming the field and the reason."""
    envelope = decode_envelope(raw)
    content = bytes(envelope.data)
    return received(envelope, decode_data(envelope.type, content), content)


def received(
    envelope: Envelope, data: Data, content: bytes
) -> Received | ReceivedDayClosed | ReceivedReference:
    """Put an event together of its envelope and its decoded data, which came as these bytes."""
    if isinstance(data, Fact):
        event = LoanEvent(
            book=envelope.book,
            loan_id=envelope.subject,
            source=envelope.source,
            event_id=envelope.id,
            recorded_at=envelope.time,
            sequence=envelope.sequence,
            fact=data,
        )
        return Received(event=event, data=content)
    if isinstance(data, DayClosed):
        return ReceivedDayClosed(book=envelope.book, day=data)
    return ReceivedReference(book=envelope.book, recorded_at=envelope.time, value=data)


def decode_envelope(raw: bytes) -> Envelope:
    """Decode and check the CloudEvents attributes; raises RejectedEventError."""
    if len(raw) > MAX_EVENT_BYTES:
        reason = f"event of {len(raw)} bytes is over the limit of {MAX_EVENT_BYTES}"
        raise RejectedEventError(reason)
    try:
        if not raw.isascii():
            raw.decode()  # strings that are skipped are kept too, and must be readable later
        envelope = envelope_decoder.decode(raw)
    except UnicodeDecodeError as error:
        raise RejectedEventError("is not UTF-8") from error
    except RecursionError as error:
        raise RejectedEventError("is nested too deeply") from error
    except msgspec.MsgspecError as error:
        raise _rejected(error) from error
    _check_names(envelope)
    if envelope.time.tzinfo is None:
        raise RejectedEventError("must carry a UTC offset", "time")
    if not FIRST_DAY.year <= envelope.time.year <= LAST_DAY.year:
        reason = f"must lie between {FIRST_DAY} and {LAST_DAY}"
        raise RejectedEventError(reason, "time")
    return envelope


def decode_data(type_name: str, data: bytes) -> Data:
    """Decode the data of one event type; amounts are read exactly in their currency's digits."""
    exponent = likely_exponent(data)
    try:
        decoded = data_decoder(type_name, exponent).decode(data)
    except msgspec.MsgspecError as error:
        actual = _exponent_in(data)
        if actual == exponent:
            raise _rejected(error, "data") from error
        decoded = _decode_with(type_name, actual, data)
    currency = getattr(decoded, "currency", None)
    if currency is not None:
        actual = exponent_of_code(currency)
        if actual != exponent:
            decoded = _decode_with(type_name, actual, data)
    check_data(decoded, data)
    return cast(Data, decoded)


def encode(  # noqa: PLR0913 - the attributes of a CloudEvent
    data: Data,
    *,
    book: str,
    subject: str,
    source: str,
    event_id: str,
    recorded_at: datetime,
    sequence: int | None = None,
) -> bytes:
    """Encode one event as CloudEvents JSON."""
    envelope = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": data.TYPE,
        "subject": subject,
        "time": recorded_at.astimezone(UTC),
        "book": book,
        "datacontenttype": "application/json",
        "data": builtins_of(data, getattr(data, "currency", None) or "XXX"),
    }
    if sequence is not None:
        envelope["sequence"] = sequence
    return _encoder.encode(envelope)


def builtins_of(value: Any, currency: str) -> Any:  # noqa: ANN401 - any part of a fact
    """JSON-ready form of a fact or a part of it: wire names, amounts as decimal strings, no defaults."""
    return _built(value, exponent_of(currency))


def encode_notice(notice: LoansChanged) -> bytes:
    """Encode the notice of a committed batch."""
    return _encoder.encode(notice)


def decode_notice(raw: bytes) -> LoansChanged:
    """Decode the notice of a committed batch; raises RejectedEventError."""
    try:
        return _notice_decoder.decode(raw)
    except msgspec.MsgspecError as error:
        raise _rejected(error) from error


def json_schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema of the data of every event type, generated from the classes that decode."""
    return {
        name: with_rules(target, msgspec.json.schema(target, schema_hook=_schema_hook))
        for name, target in DATA_TYPES.items()
    }


def _check_names(envelope: Envelope) -> None:
    names = (envelope.id, envelope.source, envelope.subject, envelope.book)
    if are_plain_names(names):
        return
    for field, text in zip(("id", "source", "subject", "book"), names, strict=True):
        fault = name_fault(text)
        if fault:
            raise RejectedEventError(fault, field)


def _decode_with(type_name: str, exponent: int, data: bytes) -> Any:  # noqa: ANN401 - any of Data
    try:
        return data_decoder(type_name, exponent).decode(data)
    except msgspec.MsgspecError as error:
        raise _rejected(error, "data") from error


@cache
def data_decoder(type_name: str, exponent: int) -> msgspec.json.Decoder[Any]:
    """Return what decodes the data of an event type; raises RejectedEventError for an unknown one."""
    target = DATA_TYPES.get(type_name)
    if target is None:
        reason = f"unknown event type {type_name[:100]!r}"
        raise RejectedEventError(reason, "type")
    return msgspec.json.Decoder(target, dec_hook=partial(read_minor, exponent))


def likely_exponent(data: bytes) -> int:
    """Guess the digits of a currency from the bytes, to be checked against the decoded field."""
    at = data.find(b'"currency"')
    if at < 0:
        return _COMMON_EXPONENT
    return _EXPONENTS_BY_BYTES.get(data[at + 10 : at + 16].strip(b' :",'), _COMMON_EXPONENT)


def _exponent_in(data: bytes) -> int:
    try:
        return exponent_of(_currency_decoder.decode(data).currency)
    except msgspec.MsgspecError:
        return _COMMON_EXPONENT


def _built(value: Any, exponent: int) -> Any:  # noqa: ANN401 - any part of a fact
    if isinstance(value, Minor):
        return write_minor(value, exponent)
    if isinstance(value, tuple):
        return [_built(part, exponent) for part in value]
    if not isinstance(value, msgspec.Struct):
        return value
    built = {}
    for name, wire, default, plain in _encoded_fields(type(value)):
        part = getattr(value, name)
        if part != default:
            built[wire] = part if plain else _built(part, exponent)
    return built


@cache
def _encoded_fields(target: type[msgspec.Struct]) -> tuple[tuple[str, str, Any, bool], ...]:
    found = []
    for field in msgspec.structs.fields(target):
        made = field.default_factory is not msgspec.NODEFAULT
        default = field.default_factory() if made else field.default
        found.append((field.name, field.encode_name, default, is_plain(field.type)))
    return tuple(found)


def _schema_hook(target: type[Any]) -> dict[str, Any]:
    if target is Minor:
        return dict(AMOUNT_SCHEMA)
    raise NotImplementedError


def _rejected(error: Exception, prefix: str = "") -> RejectedEventError:
    text = str(error)
    path = _FIELD.search(text)
    missing = _MISSING.search(text)
    parts = [prefix, path.group(1) if path else "", missing.group(1) if missing else ""]
    field = ".".join(part for part in parts if part)
    return RejectedEventError(_FIELD.sub("", text), field or None)
