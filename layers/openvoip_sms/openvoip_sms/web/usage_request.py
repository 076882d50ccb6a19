"""Parses which days a person asks for."""

import re
from datetime import date

from openvoip_sms.rules.message import MAX_UNKNOWN_FIELDS, Violation, printable_name
from openvoip_sms.web import proxy_event
from openvoip_sms.web.decision_request import InvalidRequest
from openvoip_sms.web.proxy_event import ProxyEvent

MAX_DAYS = 366
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_KNOWN = ("from", "to")


def days(event: ProxyEvent, today: date) -> tuple[date, date]:
    """Return the first and the last day, both included; without dates today.

    Raises:
        InvalidRequest: with every violation found.
    """
    given, wrong = dict(proxy_event.query(event)), list[Violation]()
    for name in sorted(given.keys() - set(_KNOWN))[:MAX_UNKNOWN_FIELDS]:
        wrong.append(Violation(printable_name(name), "unknown_field", "Known are 'from' and 'to'."))
    if len(given.keys() & set(_KNOWN)) == 1:
        missing = "to" if "from" in given else "from"
        wrong.append(Violation(missing, "missing", "Name both days, or neither for today."))
    found = {name: _day(name, given[name], wrong) for name in _KNOWN if name in given}
    first, last = found.get("from") or today, found.get("to") or today
    if not wrong and not 0 <= (last - first).days < MAX_DAYS:
        detail = f"'to' must not be before 'from', and at most {MAX_DAYS} days may be asked for."
        wrong.append(Violation("to", "bad_period", detail))
    if wrong:
        raise InvalidRequest(wrong)
    return first, last


def _day(name: str, text: str, wrong: list[Violation]) -> date | None:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    wrong.append(Violation(name, "bad_date", "Must be a date of the calendar: 2026-11-25."))
    return None
