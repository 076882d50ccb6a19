"""Parses a caller's JSON object into a message, or into a list of violations."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from openvoip_sms.rules.invalid import Invalid
from openvoip_sms.rules.phone import InvalidNumber, italian_mobile
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.rfc3339 import from_rfc3339
from openvoip_sms.rules.segments import count, encoding_of
from openvoip_sms.rules.sender_name import check_sender
from openvoip_sms.rules.smart_encoding import smart
from openvoip_sms.rules.text import CHARS_OF_A_SEGMENT, InvalidText, check_text, check_utf_8

FIELDS = frozenset(
    "to text id sender archive category smart_encoding max_segments dry_run send_at valid_for"
    " reference".split()
)
REQUIRED = frozenset({"to", "text"})
CATEGORIES = ("transactional", "marketing")
ID_PATTERN = re.compile(r"[A-Za-z0-9._:\-]{1,128}", re.ASCII)
_PRINTABLE_NAME = re.compile(r"[A-Za-z_-]{1,40}[0-9]{0,3}", re.ASCII)  # no number, no text
MAX_SEGMENTS = 255  # 3GPP 23.040, 9.2.3.24.1: the part number is one octet
MAX_AHEAD = timedelta(days=365)
MAX_LATE = timedelta(minutes=5)  # a send_at may be this long before the moment of the call
LATE = "in_the_past"
VALID_FOR = (10, 604_800)  # seconds
MAX_REFERENCE = 256  # characters
MAX_UNKNOWN_FIELDS = 20  # fields; bounds the response


@dataclass(frozen=True, slots=True)
class Violation:
    """One error in a message: the field, a word for programs, a sentence for people."""

    field: str
    reason: str
    detail: str
    structural: bool = True  # not a message at all; else one that cannot be sent


class InvalidMessage(Exception):
    """The object is no message, or one that cannot be sent; `violations` says why."""

    def __init__(self, violations: list[Violation]) -> None:
        super().__init__(", ".join(f"{v.field}: {v.reason}" for v in violations))
        self.violations = violations

    @property
    def structural(self) -> bool:
        return any(violation.structural for violation in self.violations)

    @property
    def is_only_late(self) -> bool:
        """Whether nothing is wrong but that its `send_at` has passed."""
        return all(violation.reason == LATE for violation in self.violations)


@dataclass(frozen=True, slots=True)
class Message:
    """A valid message; `text` is final, after smart encoding."""

    to: str
    text: str
    sender: str
    archive: bool
    category: str
    encoding: str
    segments: int
    cost_eur: Decimal
    replaced: tuple[dict[str, Any], ...]
    fingerprint: str
    id: str | None = None
    send_at: datetime | None = None
    valid_for: float | None = None
    reference: str | None = None
    dry_run: bool = False


def parse_message(
    given: object, policy: Policy, now: datetime, asked_at: datetime | None = None
) -> Message:
    """Read a message. With `asked_at` its `send_at` must not have passed at that moment.

    Raises:
        InvalidMessage: with every violation found, not only the first.
    """
    if not isinstance(given, dict):
        raise InvalidMessage([Violation("", "not_an_object", "A message is a JSON object.")])
    return _MessageParser(without_nulls(given), policy, now, asked_at).message()


def without_nulls(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object without optional fields that are `null`, as serializers write them."""
    optional = FIELDS - REQUIRED
    return {n: value for n, value in given.items() if value is not None or n not in optional}


def fingerprint(given: Mapping[str, Any]) -> str:
    """Return a digest of the content, by which an id used for another message is recognised."""
    given = without_nulls(given)
    content = {name: value for name, value in given.items() if name not in ("id", "dry_run")}
    with suppress(InvalidNumber):
        content["to"] = italian_mobile(content.get("to"))
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def printable_name(name: str) -> str:
    """Return an unknown field's name if it cannot be a number or a text."""
    return name if _PRINTABLE_NAME.fullmatch(name) else "(unprintable)"


class _MessageParser:
    """Collects the violations while the fields are parsed one by one."""

    def __init__(
        self, given: dict[str, Any], policy: Policy, now: datetime, asked_at: datetime | None
    ) -> None:
        self._given, self._policy, self._now, self._asked_at = given, policy, now, asked_at
        self._violations: list[Violation] = []

    def message(self) -> Message:
        self._refuse_unknown_fields()
        to = self._checked("to", italian_mobile)
        sender = self._sender()
        final, replaced = self._text()
        segments, encoding = (count(final), str(encoding_of(final))) if final else (0, "")
        self._check_length(segments)
        archive = self._typed("archive", bool, "true or false")
        fields: dict[str, Any] = {
            "id": self._id(),
            "category": self._category(),
            "send_at": self._send_at(),
            "valid_for": self._valid_for(),
            "reference": self._reference(),
            "dry_run": bool(self._typed("dry_run", bool, "true or false")),
        }
        if self._violations:
            raise InvalidMessage(self._violations)
        return Message(
            to=to or "",
            text=final,
            sender=sender,
            archive=self._policy.archive if archive is None else archive,
            encoding=encoding,
            segments=segments,
            cost_eur=segments * self._policy.segment_price_eur,
            replaced=replaced,
            fingerprint=fingerprint(self._given),
            **fields,
        )

    def _wrong(self, field: str, reason: str, detail: str, *, structural: bool = True) -> None:
        self._violations.append(Violation(field, reason, detail, structural))

    def _refuse_unknown_fields(self) -> None:
        for name in sorted(set(self._given) - FIELDS)[:MAX_UNKNOWN_FIELDS]:
            detail = f"No such field; known: {', '.join(sorted(FIELDS))}."
            self._wrong(printable_name(name), "unknown_field", detail)

    def _typed[T](self, field: str, kind: type[T], expected: str) -> T | None:
        value = self._given.get(field)
        if field in self._given and type(value) is not kind:
            self._wrong(field, "wrong_type", f"Must be {expected}.")
            return None
        return value

    def _checked(self, field: str, check: Callable[[str], str]) -> str | None:
        """Apply a rule that raises an `Invalid`, and note that as a violation."""
        if field not in self._given:
            self._wrong(field, "missing", f"'{field}' is required.")
            return None
        value = self._typed(field, str, "text in quotes")
        if value is None:
            return None
        try:
            return check(value)
        except Invalid as error:
            self._wrong(field, error.reason, error.detail, structural=False)
            return None

    def _text(self) -> tuple[str, tuple[dict[str, Any], ...]]:
        wanted = self._typed("smart_encoding", bool, "true or false")
        max_chars = CHARS_OF_A_SEGMENT * (self._policy.max_segments or MAX_SEGMENTS)
        text = self._checked("text", lambda raw: check_text(raw, max_chars))
        if text is None or wanted is False:
            return text or "", ()
        encoded = smart(text)
        replaced = ({"character": r.char, "by": r.by, "count": r.count} for r in encoded.replaced)
        return encoded.text, tuple(replaced)

    def _sender(self) -> str:
        if "sender" not in self._given:
            return self._policy.default_sender
        sender = self._checked("sender", check_sender) or ""
        if sender and not self._policy.allows_sender(sender):
            self._wrong(
                "sender",
                "sender_not_allowed",
                "This sender is not in AllowedSenders: add it there or leave the field out.",
                structural=False,
            )
        return sender

    def _check_length(self, segments: int) -> None:
        wanted = self._typed("max_segments", int, "a whole number")
        ceiling = self._policy.max_segments or MAX_SEGMENTS
        if wanted is not None and not 1 <= wanted <= ceiling:
            self._wrong("max_segments", "out_of_range", f"Must be from 1 to {ceiling}.")
            return
        limit = wanted or ceiling
        if segments > limit:
            self._wrong(
                "text",
                "too_long",
                f"The text takes {segments} segments, {limit} are allowed: shorten it.",
                structural=False,
            )

    def _id(self) -> str | None:
        value = self._typed("id", str, "text in quotes")
        if value is not None and not ID_PATTERN.fullmatch(value):
            self._wrong("id", "bad_id", "1 to 128 of A-Z a-z 0-9 . _ : -")
        return value

    def _category(self) -> str:
        value = self._typed("category", str, f"one of {', '.join(CATEGORIES)}")
        if value is not None and value not in CATEGORIES:
            self._wrong("category", "bad_category", f"Must be one of {', '.join(CATEGORIES)}.")
        return value or CATEGORIES[0]

    def _send_at(self) -> datetime | None:
        value = self._typed("send_at", str, "a date and time in quotes")
        if value is None:
            return None
        try:
            moment = from_rfc3339(value)
        except (ValueError, OverflowError):
            self._wrong(
                "send_at", "bad_time", "Must be RFC 3339 with offset: 2026-12-03T09:00:00+01:00."
            )
            return None
        if moment > self._now + MAX_AHEAD:
            self._wrong("send_at", "too_far_ahead", f"At most {MAX_AHEAD.days} days ahead.")
        if self._asked_at is not None and moment < self._asked_at - MAX_LATE:
            self._wrong(
                "send_at",
                LATE,
                "This moment has passed: leave the field out to send at once.",
                structural=False,
            )
        return moment

    def _valid_for(self) -> float | None:
        value = self._typed("valid_for", int, "a whole number of seconds")
        minimum, maximum = VALID_FOR
        if value is not None and not minimum <= value <= maximum:
            self._wrong(
                "valid_for", "out_of_range", f"Must be from {minimum} to {maximum} seconds."
            )
        return value

    def _reference(self) -> str | None:
        value = self._typed("reference", str, "text in quotes")
        if value is None:
            return None
        if not (len(value) <= MAX_REFERENCE and value.isprintable()):
            self._wrong(
                "reference", "bad_reference", f"At most {MAX_REFERENCE} printable characters."
            )
            return None
        try:
            check_utf_8(value, "reference")
        except InvalidText as error:  # it could not be returned as it was
            self._wrong("reference", error.reason, error.detail)
        return value
