"""Parses what a person decides: about one message, or about many at once."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from openvoip_sms.delivery.resolutions import MAX_MESSAGES
from openvoip_sms.rules.invalid import Invalid
from openvoip_sms.rules.message import ID_PATTERN, MAX_UNKNOWN_FIELDS, Violation, printable_name
from openvoip_sms.rules.period import Period
from openvoip_sms.rules.resolution import Decision, Resolution
from openvoip_sms.rules.rfc3339 import from_rfc3339, to_next_millisecond
from openvoip_sms.rules.strict_json import read_json
from openvoip_sms.web import proxy_event
from openvoip_sms.web.api_request import MAX_BODY_BYTES, TooLarge
from openvoip_sms.web.proxy_event import ProxyEvent

MAX_BY = 64  # characters
MAX_SOURCE = 100  # characters
MAX_REASON = 200  # characters
_BAD_TIME = "Must be RFC 3339 with offset: 2026-12-03T09:00:00+01:00."
_REQUIRED = "id since until decision messages".split()
_KNOWN = [*_REQUIRED, "source", "by"]


class InvalidRequest(Exception):
    """The fields of a request's body are invalid; `violations` says which."""

    def __init__(self, violations: list[Violation]) -> None:
        super().__init__(", ".join(f"{one.field}: {one.reason}" for one in violations))
        self.violations = violations


def decided_by(event: ProxyEvent) -> str | None:
    """Return who decides; the body may be empty.

    Raises:
        TooLarge, NotJson, InvalidRequest
    """
    if not proxy_event.body(event).strip():
        return None
    fields = _Fields(_object(event), required=(), known=("by",))
    by = fields.checked("by", _by)
    fields.finish()
    return by


def resolution(event: ProxyEvent) -> Resolution:
    """Return a decision about many messages.

    Raises:
        TooLarge, NotJson, InvalidRequest: with every violation found, not only the first.
    """
    fields = _Fields(_object(event), required=_REQUIRED, known=_KNOWN)
    found: dict[str, Any] = {
        "id": fields.checked("id", _id),
        "decision": fields.checked("decision", _decision),
        "messages": fields.checked("messages", _messages),
        "source": fields.checked("source", _source),
        "by": fields.checked("by", _by),
    }
    since, until = fields.checked("since", _moment), fields.checked("until", _moment)
    if since and until and since >= until:
        fields.wrong("until", "not_after_since", "'until' must be after 'since'.")
    fields.finish()
    return Resolution(period=Period(since, until), **found)


@dataclass(frozen=True, slots=True)
class SwitchRequest:
    """Whether all sending is to be stopped, why, and who says so."""

    paused: bool
    reason: str | None = None
    by: str | None = None


def switch(event: ProxyEvent) -> SwitchRequest:
    """Return how the switch is to be set.

    Raises:
        TooLarge, NotJson, InvalidRequest: with every violation found, not only the first.
    """
    fields = _Fields(_object(event), required=("paused",), known=("paused", "reason", "by"))
    paused = fields.checked("paused", _flag)
    reason, by = fields.checked("reason", _reason), fields.checked("by", _by)
    fields.finish()
    return SwitchRequest(bool(paused), reason, by)


def _object(event: ProxyEvent) -> Mapping[str, Any]:
    body = proxy_event.body(event)
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge(f"A request takes at most {MAX_BODY_BYTES} bytes.")
    given = read_json(body, duplicate_keys="refuse")
    if not isinstance(given, dict):
        raise InvalidRequest([Violation("", "not_an_object", "The body is a JSON object.")])
    return given


class _Fields:
    """Collects the violations while the fields are read one by one."""

    def __init__(
        self, given: Mapping[str, Any], required: Collection[str], known: Collection[str]
    ) -> None:
        self._given, self._required = given, required
        self._violations: list[Violation] = []
        for name in sorted(given.keys() - set(known))[:MAX_UNKNOWN_FIELDS]:
            detail = f"No such field; known: {', '.join(sorted(known))}."
            self.wrong(printable_name(name), "unknown_field", detail)

    def checked[T](self, field: str, check: Callable[[Any], T]) -> T | None:
        """Return a field's value; `None` if it is absent, `null` or wrong."""
        value = self._given.get(field)
        if value is None:
            if field in self._required:
                self.wrong(field, "missing", f"'{field}' is required.")
            return None
        try:
            return check(value)
        except Invalid as error:
            self.wrong(field, error.reason, error.detail)
            return None

    def wrong(self, field: str, reason: str, detail: str) -> None:
        self._violations.append(Violation(field, reason, detail))

    def finish(self) -> None:
        """Raise what was wrong."""
        if self._violations:
            raise InvalidRequest(self._violations)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Invalid("wrong_type", "Must be true or false.")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Invalid("wrong_type", "Must be text in quotes.")
    return value


def _id(value: object) -> str:
    if not ID_PATTERN.fullmatch(_text(value)):
        raise Invalid("bad_id", "Must be 1 to 128 of A-Z a-z 0-9 and . _ : - only.")
    return _text(value)


def _moment(value: object) -> datetime:
    """Records have milliseconds: what is between two counts as the later one."""
    text = _text(value)
    try:
        return to_next_millisecond(from_rfc3339(text))
    except (ValueError, OverflowError):
        raise Invalid("bad_time", _BAD_TIME) from None


def _decision(value: object) -> Decision:
    text = _text(value)
    try:
        return Decision(text)
    except ValueError:
        raise Invalid("bad_decision", f"Must be one of {', '.join(Decision)}.") from None


def _messages(value: object) -> int:
    """A bool is an int in Python, and no number of messages."""
    if type(value) is not int or not 1 <= value <= MAX_MESSAGES:
        detail = f"Must be a whole number from 1 to {MAX_MESSAGES}."
        raise Invalid("out_of_range" if type(value) is int else "wrong_type", detail)
    return value


def _source(value: object) -> str:
    return _printable(value, "bad_source", MAX_SOURCE)


def _reason(value: object) -> str:
    return _printable(value, "bad_reason", MAX_REASON)


def _by(value: object) -> str:
    return _printable(value, "bad_by", MAX_BY)


def _printable(value: object, reason: str, maximum: int) -> str:
    text = _text(value)
    if not (1 <= len(text) <= maximum and text.isprintable()):
        raise Invalid(reason, f"1 to {maximum} printable characters.")
    return text
