"""Parses HTTP requests about messages from API Gateway's event."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from openvoip_sms.rules.headers import values_of
from openvoip_sms.rules.message import ID_PATTERN, InvalidMessage, Violation, without_nulls
from openvoip_sms.rules.period import Period
from openvoip_sms.rules.phone import InvalidNumber, italian_mobile
from openvoip_sms.rules.record import Status
from openvoip_sms.rules.rfc3339 import from_rfc3339, to_next_millisecond
from openvoip_sms.rules.strict_json import read_json
from openvoip_sms.web import proxy_event
from openvoip_sms.web.proxy_event import ProxyEvent

MAX_BODY_BYTES = 64 * 1024  # far above the longest message in JSON escapes
MAX_PAGE = 100  # records
NO_ID = "?"  # no message has this id
_CSV = "text/csv"
_PARAMETERS = frozenset("to status since until limit cursor".split())


class TooLarge(Exception):
    """The body is longer than any message."""


class BadQuery(ValueError):
    """The query of a list is invalid; the message says why."""


@dataclass(frozen=True, slots=True)
class Search:
    """One list: messages to a number, or in a status, that were accepted in a period."""

    to: str | None
    status: Status | None
    period: Period
    limit: int
    cursor: str | None


def message_in(event: ProxyEvent) -> dict[str, Any]:
    """Return the caller's object; the header `Idempotency-Key` sets its `id`.

    Raises:
        TooLarge, NotJson, InvalidMessage
    """
    body = proxy_event.body(event)
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge(f"A message takes at most {MAX_BODY_BYTES} bytes.")
    given = read_json(body, duplicate_keys="refuse")
    if not isinstance(given, dict):
        raise InvalidMessage([Violation("", "not_an_object", "A message is a JSON object.")])
    given = without_nulls(given)
    key = _header(event, "Idempotency-Key").strip().strip('"')
    if not key:
        return given
    if given.setdefault("id", key) != key:
        detail = "'id' and the header Idempotency-Key are the same thing and must agree."
        raise InvalidMessage([Violation("id", "ids_differ", detail)])
    return given


def wants_csv(event: ProxyEvent) -> bool:
    """Whether `Accept` names `text/csv`, with whatever weight."""
    accepted = _header(event, "Accept").split(",")
    return any(one.split(";")[0].strip().lower() == _CSV for one in accepted)


def next_page(event: ProxyEvent, cursor: str) -> str:
    """Return the query of the page after the one that was asked for."""
    query = dict(event.get("queryStringParameters") or {})
    return urlencode(query | {"cursor": cursor})


def wants_async(event: ProxyEvent) -> bool:
    """Whether `Prefer: respond-async` is set (RFC 7240, section 4.1)."""
    preferences = _header(event, "Prefer").split(",")
    return any(one.split(";")[0].strip().lower() == "respond-async" for one in preferences)


def _header(event: ProxyEvent, name: str) -> str:
    """Several headers of one name are one list (RFC 9110, 5.2)."""
    return ",".join(values_of(proxy_event.headers(event), name))


def message_id(event: ProxyEvent) -> str:
    """Return the id in the path; `NO_ID` for one that no message can have."""
    given = proxy_event.path_parameter(event, "id")
    return given if ID_PATTERN.fullmatch(given) else NO_ID


def search(event: ProxyEvent) -> Search:
    """Read the query of a list.

    Raises:
        BadQuery
    """
    query = event.get("queryStringParameters") or {}
    to, status = query.get("to"), query.get("status")
    if (to is None) == (status is None) or query.keys() - _PARAMETERS:
        raise BadQuery(
            "Ask with either to=… or status=…, and optionally since, until, limit and cursor."
        )
    return Search(
        to=None if to is None else _number(to),
        status=None if status is None else _status(status),
        period=_period(query.get("since"), query.get("until")),
        limit=_limit(query.get("limit", "20")),
        cursor=query.get("cursor"),
    )


def _number(to: str) -> str:
    try:
        return italian_mobile(to)
    except InvalidNumber as error:
        raise BadQuery(error.detail) from error


def _status(status: str) -> Status:
    try:
        return Status(status)
    except ValueError:
        raise BadQuery(f"status is one of {', '.join(Status)}.") from None


def _period(since: str | None, until: str | None) -> Period:
    period = Period(_moment(since), _moment(until))
    if period.since and period.until and period.since >= period.until:
        raise BadQuery("until must be after since.")
    return period


def _moment(given: str | None) -> datetime | None:
    """Records have milliseconds: what is between two counts as the later one."""
    try:
        return None if given is None else to_next_millisecond(from_rfc3339(given))
    except (ValueError, OverflowError):
        raise BadQuery(
            "since and until are RFC 3339 with offset: 2026-12-03T09:00:00Z, or with its plus"
            " percent-encoded 2026-12-03T09:00:00%2B01:00."
        ) from None


def _limit(limit: str) -> int:
    if not re.fullmatch("[0-9]{1,3}", limit) or not 1 <= int(limit) <= MAX_PAGE:
        raise BadQuery(f"limit is a whole number from 1 to {MAX_PAGE}.")
    return int(limit)
