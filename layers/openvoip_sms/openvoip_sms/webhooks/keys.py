"""The keys a source may have and how each is read, and the defaults of each sender."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from openvoip_sms.webhooks import readers
from openvoip_sms.webhooks.marked_yaml import load_marked
from openvoip_sms.webhooks.readers import Reader

AUTH: dict[str, Reader] = {
    "auth": readers.choice(Literal["hmac", "token"]),
    "secrets": readers.names,
    "header": readers.proof,
    "prefix": readers.text,
}
HMAC: dict[str, Reader] = {  # keys that mean nothing to a token
    "separator": readers.filled,
    "encoding": readers.choice(Literal["base64", "hex"]),
    "algorithm": readers.choice(Literal["sha256", "sha512"]),
    "signed": readers.signed,
    "secret_form": readers.choice(Literal["text", "base64", "html"]),
    "timestamp": readers.stamp,
    "timestamp_unit": readers.choice(Literal["s", "ms"]),
    "tolerance": readers.tolerance,
    "url": readers.url,
}
READING: dict[str, Reader] = {
    "id": readers.id_parts,
    "id_weak": readers.flag,
    "topic": readers.topic,
    "ping": readers.choice(Literal["woocommerce"]),
    "parse": readers.choice(Literal["json", "form", "multipart"]),
    "inner": readers.filled,
    "each": readers.expression,
    "allow_same_text": readers.flag,
    "hourly_limit": readers.limit,
    "range_hourly_limit": readers.limit,
}
SHARED: dict[str, Reader] = {  # a source may say these once for all its messages
    "to": readers.expressions,
    "sender": readers.sender,
    "category": readers.choice(Literal["transactional", "marketing"]),
    "archive": readers.flag,
    "when": readers.expression,
    "once": readers.expression,
    "delay": readers.duration,
    "send_at": readers.expression,
}
MESSAGE = {"text": readers.template, **SHARED}
SOURCE = {**AUTH, **HMAC, **READING, **SHARED}


@cache
def presets() -> Mapping[str, Mapping[str, Any]]:
    """Return the defaults of each sender this project knows."""
    data = load_marked(Path(__file__).with_name("presets.yaml").read_text("utf-8")).data
    return dict(data)
