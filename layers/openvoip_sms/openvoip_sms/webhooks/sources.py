"""`sources.yaml`: read whole, checked whole. One mistake anywhere, and no source is used.

A source says, as data, who may call, how the call is verified, and which SMS it causes; the keys
are in `vocabulary.py`, the defaults per sender in `presets.yaml`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from openvoip_sms.webhooks import readers
from openvoip_sms.webhooks.marked_yaml import Marked, NotYaml, load_marked
from openvoip_sms.webhooks.marked_yaml import Path as KeyPath
from openvoip_sms.webhooks.readers import Reader, WrongValue, closest
from openvoip_sms.webhooks.vocabulary import (
    ANY_TOPIC,
    Auth,
    Message,
    Source,
    Sources,
    Timestamp,
)

_AUTH: dict[str, Reader] = {
    "auth": readers.choice(Literal["hmac", "token"]),
    "secrets": readers.names,
    "header": readers.proof,
    "prefix": readers.text,
}
_HMAC: dict[str, Reader] = {  # keys that mean nothing to a token
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
_READING: dict[str, Reader] = {
    "id": readers.id_parts,
    "id_weak": readers.flag,
    "topic": readers.topic,
    "ping": readers.choice(Literal["woocommerce"]),
    "parse": readers.choice(Literal["json", "form", "multipart"]),
    "inner": readers.filled,
    "each": readers.expression,
    "allow_same_text": readers.flag,
}
_SHARED: dict[str, Reader] = {  # a source may say these once for all its messages
    "to": readers.expressions,
    "sender": readers.sender,
    "category": readers.choice(Literal["transactional", "marketing"]),
    "archive": readers.flag,
    "when": readers.expression,
    "once": readers.expression,
    "delay": readers.duration,
    "send_at": readers.expression,
}
_MESSAGE = {"text": readers.template, **_SHARED}
_SOURCE = {**_AUTH, **_HMAC, **_READING, **_SHARED}
_OTHER_KEYS = ("preset", "message", "messages")
_NAME = r"[a-z0-9][a-z0-9-]{0,39}"  # part of an address and of message ids


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """What is wrong where, and what to write instead."""

    file: str
    line: int
    key: str
    reason: str
    proposal: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: {self.key}: {self.reason}."
        return f"{place} {self.proposal}" if self.proposal else place


class SourcesInvalid(ValueError):  # noqa: N818 - callers read "except SourcesInvalid" as a finding
    """The file cannot be used; `mistakes` are all that were found, in the order of lines."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


def load_sources(text: str, file: str, secret_names: Collection[str] | None = None) -> Sources:
    """Read the sources; with `secret_names` each secret must be one of them.

    Raises:
        SourcesInvalid: with every mistake found, not only the first.
    """
    try:
        marked = load_marked(text)
    except NotYaml as error:
        raise SourcesInvalid([Mistake(file, error.line, "(file)", error.reason)]) from None
    reading = _Reading(marked, file, secret_names)
    sources = reading.sources()
    if reading.mistakes:
        raise SourcesInvalid(sorted(reading.mistakes))
    return sources


@cache
def presets() -> Mapping[str, Mapping[str, Any]]:
    """Return the defaults of each sender this project knows."""
    data = load_marked(Path(__file__).with_name("presets.yaml").read_text("utf-8")).data
    return dict(data)


class _Reading:
    """Collects the mistakes while the file is walked once."""

    def __init__(self, marked: Marked, file: str, secret_names: Collection[str] | None) -> None:
        self._marked, self._file, self._secret_names = marked, file, secret_names
        self.mistakes: list[Mistake] = []

    def sources(self) -> Sources:
        for path in self._marked.repeated:
            self._wrong(path, "is written twice", "keep one")
        found = {
            name: self._source(name, given)
            for name, given in self._mapping((), self._marked.data).items()
        }
        return {name: source for name, source in found.items() if source is not None}

    def _wrong(self, path: KeyPath, reason: str, proposal: str = "") -> None:
        key = ".".join(map(str, path)) or "(file)"
        self.mistakes.append(Mistake(self._file, self._marked.line(path), key, reason, proposal))

    def _mapping(self, path: KeyPath, given: object) -> dict[str, Any]:
        if not isinstance(given, dict) or not given:
            self._wrong(path, "must be keys with values")
            return {}
        for key in [key for key in given if not isinstance(key, str)]:
            self._wrong(path, f"the key {key} is no text", "put it in quotes")
        return {key: value for key, value in given.items() if isinstance(key, str)}

    def _source(self, name: str, given: object) -> Source | None:
        if not readers.re.fullmatch(_NAME, name):
            self._wrong((name,), "a name is up to 40 of a-z 0-9 -", "it becomes /webhooks/NAME")
        written = self._mapping((name,), given)
        if not written:
            return None
        merged = {**self._preset(name, written), **written}
        values = self._values((name,), merged, _SOURCE, _OTHER_KEYS)
        auth = self._auth(name, values, written)
        messages = self._messages(name, merged, {k: v for k, v in values.items() if k in _SHARED})
        if auth is None:
            return None
        reading = {key: value for key, value in values.items() if key in _READING}
        return Source(name=name, auth=auth, messages=messages, **reading)

    def _preset(self, name: str, written: dict[str, Any]) -> dict[str, Any]:
        wanted = written.get("preset")
        if wanted is None:
            return {}
        if not isinstance(wanted, str):
            self._wrong((name, "preset"), "must be one name", "one source per sender")
            return {}
        if wanted not in presets():
            self._wrong((name, "preset"), f"no preset {wanted}", closest(wanted, presets()))
            return {}
        preset = dict(presets()[wanted])
        if written.get("auth", preset["auth"]) == preset["auth"]:
            return preset
        return {key: value for key, value in preset.items() if key not in (*_AUTH, *_HMAC)}

    def _values(
        self, path: KeyPath, given: dict[str, Any], known: dict[str, Reader], others: Any = ()  # noqa: ANN401
    ) -> dict[str, Any]:
        """Read the keys of `given` that are `known`; each other one is a mistake."""
        values = {}
        for key, value in given.items():
            if key in others:
                continue
            if key not in known:
                self._wrong((*path, key), "no such key", closest(key, (*known, *others)))
                continue
            try:
                values[key] = known[key](value)
            except WrongValue as error:
                self._wrong((*path, key), error.reason, error.proposal)
        return values

    def _auth(self, name: str, values: dict[str, Any], written: dict[str, Any]) -> Auth | None:
        missing = [key for key in ("auth", "secrets", "header") if key not in values]
        for key in missing:
            if key not in written:
                self._wrong((name,), f"{key} is missing", "name a preset, or write the key")
        self._check_secrets(name, values.get("secrets", ()))
        if missing or self._has_clashes(name, values, written):
            return None
        keys = {key: values[key] for key in ("secrets", "prefix") if key in values}
        keys |= {key: values[key] for key in _HMAC if key in values}
        for key in ("timestamp", "timestamp_unit", "tolerance"):
            keys.pop(key, None)
        return Auth(
            kind=values["auth"],
            place=values["header"],
            timestamp=_timestamp(values),
            id_header=_id_header(values),
            **keys,
        )

    def _check_secrets(self, name: str, wanted: tuple[str, ...]) -> None:
        if self._secret_names is None:
            return
        for secret in wanted:
            if secret not in self._secret_names:
                proposal = closest(secret, self._secret_names) or "add it to the webhook secret"
                self._wrong((name, "secrets"), f"no secret {secret}", proposal)

    def _has_clashes(self, name: str, values: dict[str, Any], written: dict[str, Any]) -> bool:
        before = len(self.mistakes)
        for key, reason, proposal in _clashes(values, written):
            self._wrong((name, key), reason, proposal)
        return len(self.mistakes) > before

    def _messages(
        self, name: str, merged: dict[str, Any], shared: dict[str, Any]
    ) -> dict[str, tuple[Message, ...]]:
        if ("message" in merged) == ("messages" in merged):
            self._wrong((name,), "needs either message or messages", "message for every call")
            return {}
        if "message" in merged:
            path: KeyPath = (name, "message")
            return {ANY_TOPIC: self._topic_messages(path, merged["message"], shared)}
        path = (name, "messages")
        by_topic = self._mapping(path, merged["messages"])
        if "topic" not in merged and set(by_topic) - {ANY_TOPIC}:
            self._wrong(path, "topics are named, but topic does not say where one stands")
        return {
            topic: self._topic_messages((*path, topic), given, shared)
            for topic, given in by_topic.items()
        }

    def _topic_messages(
        self, path: KeyPath, given: object, shared: dict[str, Any]
    ) -> tuple[Message, ...]:
        if not isinstance(given, list):
            found = [self._message(path, given, shared)]
        else:
            found = [self._message((*path, n), one, shared) for n, one in enumerate(given)]
            if not given:
                self._wrong(path, "must not be empty")
        return tuple(message for message in found if message is not None)

    def _message(self, path: KeyPath, given: object, shared: dict[str, Any]) -> Message | None:
        written = self._mapping(path, given)
        if not written:
            return None
        own = self._values(path, written, _MESSAGE)
        for first, second in (("delay", "send_at"), ("send_at", "delay")):
            if first in own and second not in own:
                shared = {key: value for key, value in shared.items() if key != second}
        values = {**shared, **own}
        for key in ("to", "text"):
            if key not in values and key not in written:
                self._wrong(path, f"{key} is missing", "the message or its source must say it")
        if "delay" in values and "send_at" in values:
            self._wrong(path, "delay and send_at exclude each other", "keep one")
        return Message(**values) if {"to", "text"} <= values.keys() else None


def _timestamp(values: dict[str, Any]) -> Timestamp | None:
    if "timestamp" not in values:
        return None
    kind, name = values["timestamp"]
    optional = {"unit": values.get("timestamp_unit"), "tolerance": values.get("tolerance")}
    return Timestamp(kind, name, **{key: value for key, value in optional.items() if value})


def _id_header(values: dict[str, Any]) -> str | None:
    if "{id}" not in values.get("signed", ()):
        return None
    name: str = values["id"][0][0].name
    return name


def _clashes(values: dict[str, Any], written: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Keys that are right alone and wrong together: key, reason, proposal."""
    signed, stamp = values.get("signed", ()), values.get("timestamp")
    is_token = values["auth"] == "token"
    id_is_header = [len(part) == 1 and part[0].kind == "header" for part in values.get("id", ())]
    id_is_timestamp = any(
        place.kind == "timestamp" for part in values.get("id", ()) for place in part
    )
    rules = (
        *((is_token and key in written, key, "means nothing to a token", "drop it") for key in _HMAC),
        (
            not is_token and values["header"].kind == "query",
            "header",
            "a signature stands in a header",
            "query:NAME is for tokens",
        ),
        (
            not is_token and stamp is not None and "{timestamp}" not in signed,
            "timestamp",
            "guards nothing, as it is not signed",
            "add {timestamp} to signed",
        ),
        (
            "{timestamp}" in signed and stamp is None,
            "signed",
            "names {timestamp}, but timestamp does not say where it stands",
            "add timestamp",
        ),
        (
            stamp is not None and stamp[0] == "item" and "separator" not in values,
            "timestamp",
            "an item needs the separator of the items",
            'add separator, for example ","',
        ),
        (
            stamp is None and ("timestamp_unit" in written or "tolerance" in written),
            "timestamp_unit" if "timestamp_unit" in written else "tolerance",
            "there is no timestamp",
            "add timestamp",
        ),
        (
            "{id}" in signed and id_is_header != [True],
            "signed",
            "names {id}, but id is not one header",
            "id: header:NAME",
        ),
        (id_is_timestamp and stamp is None, "id", "there is no timestamp", "add timestamp"),
        (
            "ping" in values and values.get("topic") is not None and values["topic"].kind != "header",
            "ping",
            "needs its topic in a header",
            "drop it",
        ),
    )
    return [(key, reason, proposal) for wrong, key, reason, proposal in rules if wrong]
