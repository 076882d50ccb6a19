"""Loads `sources.yaml`. With one mistake anywhere, no source is used.

A source defines who may call, how the call is verified, and which SMS it causes; the keys are in
`schema.py`, the defaults of known senders in `presets.yaml`.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from openvoip_sms.webhooks.config.conflicts import conflicts
from openvoip_sms.webhooks.config.fields import FieldParser, WrongValue, closest
from openvoip_sms.webhooks.config.schema import (
    AUTH,
    HMAC,
    MESSAGE,
    READING,
    SHARED,
    SOURCE,
    UNSIGNED_LIMITS,
    presets,
)
from openvoip_sms.webhooks.config.topics import unknown_topics
from openvoip_sms.webhooks.config.yaml_lines import NotYaml, YamlDocument, load_yaml
from openvoip_sms.webhooks.config.yaml_lines import Path as KeyPath
from openvoip_sms.webhooks.model import (
    ANY_TOPIC,
    Auth,
    MessageDefinition,
    Source,
    Sources,
    Timestamp,
)

_OTHER_KEYS = ("preset", "message", "messages", "topics")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")  # part of an address and of message ids


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake: where it is, what is wrong, and a correction."""

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
        document = load_yaml(text)
    except NotYaml as error:
        raise SourcesInvalid([Mistake(file, error.line, "(file)", error.reason)]) from None
    parser = _SourcesParser(document, file, secret_names)
    sources = parser.sources()
    if parser.mistakes:
        raise SourcesInvalid(sorted(parser.mistakes))
    return sources


class _SourcesParser:
    """Collects the mistakes while the sources are parsed one by one."""

    def __init__(
        self, document: YamlDocument, file: str, secret_names: Collection[str] | None
    ) -> None:
        self._document, self._file, self._secret_names = document, file, secret_names
        self.mistakes: list[Mistake] = []

    def sources(self) -> Sources:
        for path in self._document.repeated:
            self._wrong(path, "occurs twice", "Keep one.")
        found = {
            name: self._source(name, given)
            for name, given in self._mapping((), self._document.data).items()
        }
        return {name: source for name, source in found.items() if source is not None}

    def _wrong(self, path: KeyPath, reason: str, proposal: str = "") -> None:
        key = ".".join(map(str, path)) or "(file)"
        self.mistakes.append(Mistake(self._file, self._document.line(path), key, reason, proposal))

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
        explicit = self._mapping((name,), given)
        if not explicit:
            return None
        preset = self._preset(name, explicit)
        merged = {**(preset or {}), **explicit}
        values = self._values((name,), merged, SOURCE, _OTHER_KEYS)
        self._check_secrets(name, values.get("secrets", ()))
        auth = self._auth(name, values, explicit) if preset is not None else None
        knows_topic = preset is None or "topic" in merged
        shared = {key: value for key, value in values.items() if key in SHARED}
        messages = self._messages(name, merged, shared, knows_topic=knows_topic)
        self._check_topics(name, explicit, preset or {}, messages)
        if auth is None:
            return None
        reading = {key: value for key, value in values.items() if key in READING}
        if not auth.signs:
            reading = {**UNSIGNED_LIMITS, **reading}
        return Source(name=name, auth=auth, messages=messages, **reading)

    def _preset(self, name: str, explicit: dict[str, Any]) -> dict[str, Any] | None:
        """The defaults of the preset, if one is named; None if there is no such preset."""
        wanted = explicit.get("preset")
        if wanted is None:
            return {}
        if not isinstance(wanted, str):
            self._wrong((name, "preset"), "must be one name", "Write one source for each sender.")
            return None
        if wanted not in presets():
            self._wrong((name, "preset"), f"no preset {wanted}", closest(wanted, presets()))
            return None
        preset = dict(presets()[wanted])
        if explicit.get("auth", preset["auth"]) == preset["auth"]:
            return preset
        signed_id = ("id", "id_weak") if preset.get("id") == "timestamp" else ()
        return {
            key: value for key, value in preset.items() if key not in (*AUTH, *HMAC, *signed_id)
        }

    def _values(
        self,
        path: KeyPath,
        given: dict[str, Any],
        known: dict[str, FieldParser],
        others: Any = (),  # noqa: ANN401
    ) -> dict[str, Any]:
        """Parse the keys of `given` that are `known`; any other one is a mistake."""
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
                for fault in error.faults:
                    self._wrong((*path, key), fault.reason, fault.proposal)
        return values

    def _auth(self, name: str, values: dict[str, Any], explicit: dict[str, Any]) -> Auth | None:
        missing = [key for key in ("auth", "secrets", "header") if key not in values]
        for key in missing:
            if key not in explicit:
                self._wrong((name,), f"{key} is missing", "Name a preset, or write the key.")
        if missing or self._has_conflicts(name, values, explicit):
            return None
        separate = ("auth", "header", "timestamp", "timestamp_unit", "tolerance")
        keys = {
            key: value
            for key, value in values.items()
            if key in (*AUTH, *HMAC) and key not in separate
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

    def _check_topics(
        self,
        name: str,
        explicit: dict[str, Any],
        preset: dict[str, Any],
        messages: dict[str, tuple[MessageDefinition, ...]],
    ) -> None:
        """The preset knows its sender's topics; who says where the topic is knows better."""
        known = explicit.get("topics", () if "topic" in explicit else preset.get("topics", ()))
        if not isinstance(known, list | tuple) or not all(isinstance(one, str) for one in known):
            self._wrong((name, "topics"), "must be a list of topics")
            return
        wanted = [topic for topic in messages if topic != ANY_TOPIC] if known else []
        for topic, proposal in unknown_topics(wanted, known):
            sender = explicit.get("preset", "the sender")
            self._wrong((name, "messages", topic), f"{sender} has no such topic", proposal)

    def _has_conflicts(self, name: str, values: dict[str, Any], explicit: dict[str, Any]) -> bool:
        before = len(self.mistakes)
        for key, reason, proposal in conflicts(values, explicit, HMAC):
            self._wrong((name, key), reason, proposal)
        return len(self.mistakes) > before

    def _messages(
        self, name: str, merged: dict[str, Any], shared: dict[str, Any], *, knows_topic: bool
    ) -> dict[str, tuple[MessageDefinition, ...]]:
        if ("message" in merged) == ("messages" in merged):
            self._wrong(
                (name,),
                "needs either message or messages",
                "Use message for every call, messages for one per topic.",
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
            self._check_names(path, given)
        return tuple(message for message in found if message is not None)

    def _check_names(self, path: KeyPath, given: list[Any]) -> None:
        """Of several messages one may have no name, and no two the same."""
        names: list[object] = []
        for n, one in enumerate(given):
            name = one.get("name") if isinstance(one, dict) else None
            if name in names and name is None:
                self._wrong(
                    (*path, n),
                    "needs a name, as another message of this topic has none",
                    "Name the one that is new, and leave the other as it is. "
                    f'With name: "{n + 1}" this one keeps ids that it had without a name here.',
                )
            elif name in names:
                self._wrong((*path, n, "name"), "is the name of another message of this topic")
            names.append(name)

    def _message(
        self, path: KeyPath, given: object, shared: dict[str, Any]
    ) -> MessageDefinition | None:
        explicit = self._mapping(path, given)
        if not explicit:
            return None
        own = self._values(path, explicit, MESSAGE)
        for first, second in (("delay", "send_at"), ("send_at", "delay")):
            if first in own and second not in own:
                shared = {key: value for key, value in shared.items() if key != second}
        values = {**shared, **own}
        for key in ("to", "text"):
            if key not in values and key not in explicit and (path[0], key) not in self._document:
                self._wrong(path, f"{key} is missing", "Add it to the message or to its source.")
        if "delay" in values and "send_at" in values:
            self._wrong(path, "delay and send_at exclude each other", "Keep one.")
        self._check_age(path, values, own)
        return MessageDefinition(**values) if {"to", "text"} <= values.keys() else None

    def _check_age(self, path: KeyPath, values: dict[str, Any], own: dict[str, Any]) -> None:
        written = {
            key
            for key in ("max_age", "event_time")
            if key in values or any((*at, key) in self._document for at in (path, path[:1]))
        }
        if "max_age" in values and "event_time" not in written:
            self._wrong(
                path,
                "max_age needs event_time, the event's own time",
                "For example event_time: created_at.",
            )
        if "event_time" in own and "max_age" not in written:
            self._wrong(path, "event_time does nothing without max_age", "Add max_age: P2D.")


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
