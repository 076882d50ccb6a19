"""A record as an item of the table, and back.

During a deployment old and new code write to one table: an attribute that this version does not
know is kept in every write; an item that it cannot read is an `UnreadableRecord`.
"""

import re
import zlib
from collections.abc import Callable
from dataclasses import MISSING, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from openvoip_sms.delivery.ports import UnreadableRecord
from openvoip_sms.rules.record import OPEN, Reason, Record, Status
from openvoip_sms.rules.rfc3339 import from_rfc3339, to_rfc3339

# Partitions of the indexes. At 1,000 messages a second none takes more than 100 writes a second, of
# the 1,000 that it can. A message writes twice to a status and to what holds it (it enters and
# leaves), and four times to the open records: a change of its `check_at` counts as two writes.
SHARDS = 32
CHECK_SHARDS = 64
_OTHER = "other_attributes"
_FIELDS = {field.name: field for field in fields(Record) if field.name != _OTHER}
_REQUIRED = {name for name, field in _FIELDS.items() if field.default is MISSING}
_COMPUTED = {"status_shard", "check_shard", "hold_shard", "ttl"}
_ROOM = timedelta(days=3650)  # more than anything is added to a time or a validity
_STATUS = re.compile(r"[a-z_]{1,30}")  # the status of a later version; no other value is logged

type Item = dict[str, Any]


def to_item(record: Record, retention: timedelta) -> Item:
    values = {name: _stored(getattr(record, name)) for name in _FIELDS}
    shard = shard_of(record.id)
    values["status_shard"] = status_shard(record.status, shard)
    if record.check_at is not None:
        values["check_shard"] = check_shard(record.id)
    if record.held_by is not None:
        values["hold_shard"] = hold_shard(record.held_by, shard)
    values["ttl"] = int((record.expires_at + retention).timestamp())
    known = {name: value for name, value in values.items() if value is not None}
    serialize = TypeSerializer().serialize
    return {name: serialize(value) for name, value in {**record.other_attributes, **known}.items()}


def shard_of(record_id: str) -> int:
    return zlib.crc32(record_id.encode()) % SHARDS


def check_shard(record_id: str) -> str:
    """The partition of the index over open records."""
    return str(zlib.crc32(record_id.encode()) % CHECK_SHARDS)


def status_shard(status: Status, shard: int) -> str:
    """The partition of the index by status."""
    return f"{status}#{shard}"


def hold_shard(reason: Reason, shard: int) -> str:
    """The partition of the index over messages that are held back."""
    return f"{reason}#{shard}"


def _stored(value: Any) -> Any:  # noqa: ANN401 - any field's value
    match value:
        case datetime():
            return to_rfc3339(value)
        case float():
            return Decimal(str(value))
        case tuple():
            return list(value)
        case _:
            return value


def to_record(item: Item) -> Record:
    """Read an item.

    Raises:
        UnreadableRecord: a status of a later version, or damage.
    """
    values = {name: _loaded(item, name) for name in _FIELDS.keys() & item.keys()}
    values = {name: value for name, value in values.items() if value is not None}
    for name in sorted(_REQUIRED):
        if values.get(name) in (None, ""):
            raise _unreadable(item, name)
    deserialize = TypeDeserializer().deserialize
    other = item.keys() - _FIELDS.keys() - _COMPUTED
    kept = {name: deserialize(item[name]) for name in other}
    record = Record(**values, other_attributes=kept)
    if record.status in OPEN and record.unsendable:
        raise _unreadable(item, record.unsendable)
    return record


def _loaded(item: Item, name: str) -> Any:  # noqa: ANN401 - any field's value
    try:
        value: Any = TypeDeserializer().deserialize(item[name])
        load: _Load = _LOAD.get(name, _text)
        return None if value is None else load(value)
    except (ValueError, TypeError, KeyError, ArithmeticError, AttributeError):
        raise _unreadable(item, name) from None


def _unreadable(item: Item, field: str) -> UnreadableRecord:
    texts = {name: str(value["S"]) for name, value in item.items() if "S" in value}
    status = texts.get("status", "")
    shown = f" {status}" if field == "status" and _STATUS.fullmatch(status) else ""
    return UnreadableRecord(texts.get("id", ""), texts, f"{field}{shown}")


def _text(value: Any) -> str:  # noqa: ANN401 - any stored value
    if not isinstance(value, str):
        raise TypeError
    return value


def _bool(value: Any) -> bool:  # noqa: ANN401 - any stored value
    if not isinstance(value, bool):
        raise TypeError
    return value


def _decimal(value: Any) -> Decimal:  # noqa: ANN401 - any stored value
    if not isinstance(value, Decimal):
        raise TypeError
    return value


def _moment(value: Any) -> datetime:  # noqa: ANN401 - any stored value
    moment = from_rfc3339(_text(value))
    _ = moment + _ROOM  # an OverflowError now, and not in the middle of a change
    return moment


def _seconds(value: Any) -> float:  # noqa: ANN401 - any stored value
    seconds = float(_decimal(value))
    if not 0 <= seconds <= _ROOM.total_seconds():
        raise ValueError
    return seconds


def _whole(value: Any) -> int:  # noqa: ANN401 - any stored value
    if _decimal(value) % 1:
        raise ValueError
    return int(value)


def _replacements(value: Any) -> tuple[dict[str, Any], ...]:  # noqa: ANN401 - any stored value
    return tuple(map(_replacement, value))


def _replacement(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any stored value
    read = {"character": _text, "by": _text, "count": _whole}
    return {**value, **{name: load(value[name]) for name, load in read.items()}}


_TIMES = (
    "created_at updated_at expires_at sent_at send_at held_until claimed_until check_at".split()
)
type _Load = Callable[[Any], Any]
_LOAD: dict[str, _Load] = (
    dict.fromkeys(_TIMES, _moment)
    | dict.fromkeys("segments attempts refusals version".split(), _whole)
    | dict.fromkeys("archive maybe_sent".split(), _bool)
    | {
        "cost_eur": _decimal,
        "replaced": _replacements,
        "status": Status,
        "valid_for": _seconds,
    }
)
