"""The keys of a source with their parsers, and the presets."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from openvoip_sms.webhooks.config import fields
from openvoip_sms.webhooks.config.fields import FieldParser
from openvoip_sms.webhooks.config.yaml_lines import load_yaml

AUTH: dict[str, FieldParser] = {
    "auth": fields.choice(Literal["hmac", "token"]),
    "secrets": fields.names,
    "header": fields.auth_place,
    "prefix": fields.text,
}
HMAC: dict[str, FieldParser] = {  # keys without a meaning for a token
    "separator": fields.filled,
    "encoding": fields.choice(Literal["base64", "hex"]),
    "algorithm": fields.choice(Literal["sha256", "sha512"]),
    "signed": fields.signed,
    "secret_form": fields.choice(Literal["text", "base64", "html"]),
    "timestamp": fields.timestamp_place,
    "timestamp_unit": fields.choice(Literal["s", "ms"]),
    "tolerance": fields.tolerance,
    "url": fields.url,
}
READING: dict[str, FieldParser] = {
    "id": fields.id_parts,
    "id_weak": fields.flag,
    "topic": fields.topic,
    "ping": fields.choice(Literal["woocommerce"]),
    "parse": fields.choice(Literal["json", "form", "multipart"]),
    "inner": fields.filled,
    "each": fields.lasting,
    "plain": fields.flag,
    "allow_same_text": fields.flag,
    "hourly_limit": fields.limit,
    "range_hourly_limit": fields.limit,
}
SHARED: dict[str, FieldParser] = {  # a source may have these once for all its messages
    "to": fields.expressions,
    "sender": fields.sender,
    "category": fields.choice(Literal["transactional", "marketing"]),
    "archive": fields.flag,
    "when": fields.expression,
    "once": fields.lasting,
    "delay": fields.duration,
    "send_at": fields.expression,
    "max_age": fields.age,
    "event_time": fields.expression,
}
MESSAGE = {"name": fields.message_name, "text": fields.template, **SHARED}
# Of a source that cannot sign: whoever learns its token can name any number.
UNSIGNED_LIMITS = {"hourly_limit": 500, "range_hourly_limit": 20}
SOURCE = {**AUTH, **HMAC, **READING, **SHARED}


@cache
def presets() -> Mapping[str, Mapping[str, Any]]:
    """Return the defaults of each known sender."""
    data = load_yaml(Path(__file__).parents[1].joinpath("presets.yaml").read_text("utf-8")).data
    return dict(data)
