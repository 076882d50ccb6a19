"""A record as an item of the table, and back."""

import zlib
from dataclasses import fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from openvoip_sms.rules.record import Record, Status
from openvoip_sms.rules.rfc3339 import from_rfc3339, to_rfc3339

SHARDS = 4  # partitions of the index over open records, so that none becomes a hot one
_TIMES = frozenset(
    "created_at updated_at expires_at sent_at send_at claimed_until check_at".split()
)
_INTS = frozenset("segments attempts refusals version".split())

type Item = dict[str, Any]


def to_item(record: Record, retention: timedelta) -> Item:
    values = {field.name: _stored(getattr(record, field.name)) for field in fields(record)}
    if record.check_at is not None:
        values["check_shard"] = str(zlib.crc32(record.id.encode()) % SHARDS)
    values["ttl"] = int((record.expires_at + retention).timestamp())
    serialize = TypeSerializer().serialize
    return {name: serialize(value) for name, value in values.items() if value is not None}


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
    deserialize = TypeDeserializer().deserialize
    known = {field.name for field in fields(Record)}
    values = {name: _loaded(name, deserialize(v)) for name, v in item.items() if name in known}
    return Record(**values)


def _loaded(name: str, value: Any) -> Any:  # noqa: ANN401 - any field's value
    if name in _TIMES:
        return from_rfc3339(value)
    if name in _INTS:
        return int(value)
    if name == "valid_for":
        return float(value)
    if name == "status":
        return Status(value)
    if name == "replaced":
        return tuple({**one, "count": int(one["count"])} for one in value)
    return value
