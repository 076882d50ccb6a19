"""`sources.yaml`: read whole, checked whole. One mistake anywhere, and no source is used.

A source says, as data, who may call, how the call is verified, and which SMS it causes; the keys
are in `vocabulary.py`, the defaults per sender in `presets.yaml`.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from openvoip_sms.webhooks.config.conflicts import conflicts
from openvoip_sms.webhooks.config.fields import Reader, WrongValue, closest
from openvoip_sms.webhooks.config.schema import (
    AUTH,
    HMAC,
    MESSAGE,
    READING,
    SHARED,
    SOURCE,
    presets,
)
from openvoip_sms.webhooks.config.yaml_lines import Marked, NotYaml, load_marked
from openvoip_sms.webhooks.config.yaml_lines import Path as KeyPath
from openvoip_sms.webhooks.model import (
    ANY_TOPIC,
    Auth,
    MessageDefinition,
    Source,
    Sources,
    Timestamp,
)

_OTHER_KEYS = ("preset", "message", "messages")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")  # part of an address and of message ids


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


class SourcesInvalid(ValueError):
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


class _Reading:
    """Collects the mistakes while the file is walked once."""

    def __init__(self, marked: Marked, file: str, secret_names: Collection[str] | None) -> None:
        self._marked, self._file, self._secret_names = marked, file, secret_names
        self.mistakes: list[Mistake] = []

    def sources(self) -> Sources:
        for path in self._marked.repeated:
            self._wrong(path, "is written twice", "Keep one.")
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
            self._wrong(path, f"the key {key} is no text", "Put it in quotes.")
        return {key: value for key, value in given.items() if isinstance(key, str)}

    def _source(self, name: str, given: object) -> Source | None:
        if not _NAME.fullmatch(name):
            self._wrong((name,), "a name is up to 40 of a-z 0-9 -", "It becomes /webhooks/NAME.")
        written = self._mapping((name,), given)
        if not written:
            return None
        preset = self._preset(name, written)
        merged = {**(preset or {}), **written}
        values = self._values((name,), merged, SOURCE, _OTHER_KEYS)
        self._check_secrets(name, values.get("secrets", ()))
        auth = self._auth(name, values, written) if preset is not None else None
        knows_topic = preset is None or "topic" in merged
        shared = {key: value for key, value in values.items() if key in SHARED}
        messages = self._messages(name, merged, shared, knows_topic=knows_topic)
        if auth is None:
            return None
        reading = {key: value for key, value in values.items() if key in READING}
        return Source(name=name, auth=auth, messages=messages, **reading)

    def _preset(self, name: str, written: dict[str, Any]) -> dict[str, Any] | None:
        """The sender's defaults; None if what is written is no preset."""
        wanted = written.get("preset")
        if wanted is None:
            return {}
        if not isinstance(wanted, str):
            self._wrong((name, "preset"), "must be one name", "Write one source per sender.")
            return None
        if wanted not in presets():
            self._wrong((name, "preset"), f"no preset {wanted}", closest(wanted, presets()))
            return None
        preset = dict(presets()[wanted])
        if written.get("auth", preset["auth"]) == preset["auth"]:
            return preset
        tied = ("id", "id_weak") if preset.get("id") == "timestamp" else ()
        return {key: value for key, value in preset.items() if key not in (*AUTH, *HMAC, *tied)}

    def _values(
        self,
        path: KeyPath,
        given: dict[str, Any],
        known: dict[str, Reader],
        others: Any = (),  # noqa: ANN401
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
                self._wrong((name,), f"{key} is missing", "Name a preset, or write the key.")
        if missing or self._has_conflicts(name, values, written):
            return None
        apart = ("auth", "header", "timestamp", "timestamp_unit", "tolerance")
        keys = {
            key: value
            for key, value in values.items()
            if key in (*AUTH, *HMAC) and key not in apart
        }
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
                proposal = closest(secret, self._secret_names) or "Add it to the webhook secret."
                self._wrong((name, "secrets"), f"no secret {secret}", proposal)

    def _has_conflicts(self, name: str, values: dict[str, Any], written: dict[str, Any]) -> bool:
        before = len(self.mistakes)
        for key, reason, proposal in conflicts(values, written, HMAC):
            self._wrong((name, key), reason, proposal)
        return len(self.mistakes) > before

    def _messages(
        self, name: str, merged: dict[str, Any], shared: dict[str, Any], *, knows_topic: bool
    ) -> dict[str, tuple[MessageDefinition, ...]]:
        if ("message" in merged) == ("messages" in merged):
            self._wrong(
                (name,),
                "needs either message or messages",
                "message is for every call, messages for one per topic.",
            )
            return {}
        if "message" in merged:
            path: KeyPath = (name, "message")
            return {ANY_TOPIC: self._topic_messages(path, merged["message"], shared)}
        path = (name, "messages")
        by_topic = self._mapping(path, merged["messages"])
        if not knows_topic and set(by_topic) - {ANY_TOPIC}:
            self._wrong(path, "topics are named, but topic does not say where one is")
        return {
            topic: self._topic_messages((*path, topic), given, shared)
            for topic, given in by_topic.items()
        }

    def _topic_messages(
        self, path: KeyPath, given: object, shared: dict[str, Any]
    ) -> tuple[MessageDefinition, ...]:
        if not isinstance(given, list):
            found = [self._message(path, given, shared)]
        else:
            found = [self._message((*path, n), one, shared) for n, one in enumerate(given)]
            if not given:
                self._wrong(path, "must not be empty")
        return tuple(message for message in found if message is not None)

    def _message(
        self, path: KeyPath, given: object, shared: dict[str, Any]
    ) -> MessageDefinition | None:
        written = self._mapping(path, given)
        if not written:
            return None
        own = self._values(path, written, MESSAGE)
        for first, second in (("delay", "send_at"), ("send_at", "delay")):
            if first in own and second not in own:
                shared = {key: value for key, value in shared.items() if key != second}
        values = {**shared, **own}
        for key in ("to", "text"):
            if key not in values and key not in written and (path[0], key) not in self._marked:
                self._wrong(path, f"{key} is missing", "The message or its source must say it.")
        if "delay" in values and "send_at" in values:
            self._wrong(path, "delay and send_at exclude each other", "Keep one.")
        return MessageDefinition(**values) if {"to", "text"} <= values.keys() else None


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
