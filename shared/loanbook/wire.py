"""Events on the wire: CloudEvents 1.0 in structured JSON, decoded straight into the domain's classes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, Literal, TypeAlias, cast

import msgspec

from loanbook.domain import events
from loanbook.domain.errors import RejectedEventError
from loanbook.domain.events import BorrowerProfile, BranchUpdated, DayClosed, Fact, LoanEvent
from loanbook.domain.money import Minor, exponent_of, format_minor

MAX_EVENT_BYTES = 256 * 1024
MAX_ID_LENGTH = 200
FACT_TYPES: dict[str, type[Fact]] = {fact.TYPE: fact for fact in events.FACTS}
REFERENCE_TYPES: dict[str, type[BorrowerProfile | BranchUpdated]] = {
    BorrowerProfile.TYPE: BorrowerProfile,
    BranchUpdated.TYPE: BranchUpdated,
}
_COMMON_EXPONENT = 2
_FIELD = re.compile(r" - at `\$\.?([^`]*)`$")
_MISSING = re.compile(r"missing required field `([^`]+)`")

Data: TypeAlias = Fact | DayClosed | BorrowerProfile | BranchUpdated


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """The CloudEvents attributes that count; tracing extensions are transport and are not kept."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    book: str
    sequence: int | None = None
    data: msgspec.Raw


class Received(msgspec.Struct, frozen=True, kw_only=True):
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


_envelope_decoder = msgspec.json.Decoder(Envelope)
_notice_decoder = msgspec.json.Decoder(LoansChanged)
_encoder = msgspec.json.Encoder()


def decode(raw: bytes) -> Received | ReceivedDayClosed | ReceivedReference:
    """Decode one event; raises RejectedEventError naming the field and the reason."""
    envelope = decode_envelope(raw)
    data = decode_data(envelope.type, bytes(envelope.data))
    if isinstance(data, DayClosed):
        return ReceivedDayClosed(book=envelope.book, day=data)
    if isinstance(data, BorrowerProfile | BranchUpdated):
        return ReceivedReference(book=envelope.book, recorded_at=envelope.time, value=data)
    event = LoanEvent(
        book=envelope.book,
        loan_id=envelope.subject,
        source=envelope.source,
        event_id=envelope.id,
        recorded_at=envelope.time,
        sequence=envelope.sequence,
        fact=data,
    )
    return Received(event=event, data=bytes(envelope.data))


def decode_envelope(raw: bytes) -> Envelope:
    """Decode and check the CloudEvents attributes; raises RejectedEventError."""
    if len(raw) > MAX_EVENT_BYTES:
        reason = f"event of {len(raw)} bytes is over the limit of {MAX_EVENT_BYTES}"
        raise RejectedEventError(reason)
    try:
        envelope = _envelope_decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _rejected(error) from error
    for field in ("id", "source", "subject", "book"):
        if not 0 < len(getattr(envelope, field)) <= MAX_ID_LENGTH:
            reason = f"must have 1 to {MAX_ID_LENGTH} characters"
            raise RejectedEventError(reason, field)
    if envelope.time.tzinfo is None:
        raise RejectedEventError("must carry a UTC offset", "time")
    return envelope


def decode_data(type_name: str, data: bytes) -> Data:
    """Decode the data of one event type; amounts are read exactly in their currency's digits."""
    try:
        decoded = cast(Data, _data_decoder(type_name, _COMMON_EXPONENT).decode(data))
    except msgspec.MsgspecError as error:
        exponent = _exponent_in(data)
        if exponent == _COMMON_EXPONENT:
            raise _rejected(error, "data") from error
        return _decode_with(type_name, exponent, data)
    currency = getattr(decoded, "currency", None)
    if currency is None or exponent_of(currency) == _COMMON_EXPONENT:
        return decoded
    return _decode_with(type_name, exponent_of(currency), data)


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
    """JSON-ready form of a fact or a part of it: wire names, amounts as decimal strings."""
    if isinstance(value, msgspec.Struct):
        fields = zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True)
        pairs = ((wire, getattr(value, name)) for name, wire in fields)
        return {wire: builtins_of(part, currency) for wire, part in pairs if part not in (None, ())}
    if isinstance(value, Minor):
        return format_minor(value, currency)
    if isinstance(value, tuple):
        return [builtins_of(part, currency) for part in value]
    return value


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
    known: dict[str, Any] = {**FACT_TYPES, DayClosed.TYPE: DayClosed, **REFERENCE_TYPES}
    return {name: msgspec.json.schema(value, schema_hook=_schema_hook) for name, value in known.items()}


def _decode_with(type_name: str, exponent: int, data: bytes) -> Data:
    try:
        return cast(Data, _data_decoder(type_name, exponent).decode(data))
    except msgspec.MsgspecError as error:
        raise _rejected(error, "data") from error


@cache
def _data_decoder(type_name: str, exponent: int) -> msgspec.json.Decoder[Any]:
    target = FACT_TYPES.get(type_name) or REFERENCE_TYPES.get(type_name)
    if target is None and type_name == DayClosed.TYPE:
        return msgspec.json.Decoder(DayClosed)
    if target is None:
        reason = f"unknown event type {type_name[:100]!r}"
        raise RejectedEventError(reason, "type")
    return msgspec.json.Decoder(target, dec_hook=partial(_read_minor, exponent))


def _read_minor(exponent: int, target: type[Any], value: object) -> Minor:
    if target is not Minor:
        msg = f"no rule to read {target.__name__}"
        raise NotImplementedError(msg)
    if not isinstance(value, str):
        msg = "an amount is a decimal string"
        raise ValueError(msg)  # noqa: TRY004 - msgspec turns ValueError into an error with the path
    return Minor.parse(value, exponent)


def _exponent_in(data: bytes) -> int:
    class _Currency(msgspec.Struct):
        currency: str = ""

    try:
        return exponent_of(msgspec.json.decode(data, type=_Currency).currency)
    except msgspec.MsgspecError:
        return _COMMON_EXPONENT


def _schema_hook(target: type[Any]) -> dict[str, Any]:
    if target is Minor:
        return {"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "description": "decimal amount"}
    raise NotImplementedError


def _rejected(error: Exception, prefix: str = "") -> RejectedEventError:
    text = str(error)
    path = _FIELD.search(text)
    missing = _MISSING.search(text)
    parts = [prefix, path.group(1) if path else "", missing.group(1) if missing else ""]
    field = ".".join(part for part in parts if part)
    return RejectedEventError(_FIELD.sub("", text), field or None)
