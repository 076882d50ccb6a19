"""Parses replies of the gateway: lenient in form, strict in meaning.

The gateway's guide, a client in production and the gateway itself format the same reply in
different ways. Every form is read; only a published meaning counts. Everything else is
`UNCERTAIN`, never success.
"""

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from openvoip_sms.rules.call_result import CallOutcome, CallResult
from openvoip_sms.rules.strict_json import NotJson, read_json

MAX_RAW = 500  # characters of a raw reply that a record keeps


_CODES = {0: CallOutcome.ACCEPTED, 20: CallOutcome.BAD_DESTINATION, 99: CallOutcome.GENERIC_ERROR}
_SENTENCES = {
    0: {"", "messaggio inoltrato correttamente"},
    20: {"", "errore nel numero di destinazione"},
    99: {"", "errore generico"},
}
_CODE = re.compile(r"[+-]?[0-9]{1,4}")  # it is logged; anything else may be a phone number
_NOT_ZERO = re.compile(r"[+-]?0*[1-9][0-9]*")
_BARE_ZEROS = re.compile(r"(?<=[\[:\s])0[0-9]{1,2}(?=\s*[,\]}])")  # `020` is no JSON number
_BUSY = {429, 503}
_SUCCESS, _NOT_SENT = 2, (3, 4)  # hundreds of HTTP status codes
_TEXT = re.compile(
    r"(?:(?P<label>ERR|ERROR|ERRORE|OK)\s*[:=\-]?\s*)?(?P<code>[0-9]{1,3})(?:[\s:;,.\-]+(?P<rest>.*))?",
    re.DOTALL | re.IGNORECASE,
)


def read_reply(status: int, body: bytes, retry_after: str | None, now: datetime) -> CallResult:
    """Classify one HTTP answer of the gateway (docs/delivery.md has the table)."""
    raw = body.decode("utf-8", errors="replace").strip("\ufeff \t\r\n")
    kept = raw[:MAX_RAW]
    if status in _BUSY:
        return CallResult(CallOutcome.BUSY, f"http_{status}", kept, seconds_until(retry_after, now))
    kind = status // 100
    if kind in _NOT_SENT:
        return CallResult(CallOutcome.MISCONFIGURED, f"http_{status}", kept)
    if kind != _SUCCESS:
        return CallResult(CallOutcome.UNCERTAIN, f"http_{status}", kept)
    outcome, code = _meaning(raw)
    return CallResult(outcome, code if _CODE.fullmatch(code) else "", kept)


def seconds_until(retry_after: str | None, now: datetime) -> float | None:
    """Read `Retry-After`, seconds or a date (RFC 9110, 10.2.3); `None` when unreadable."""
    if retry_after is None:
        return None
    if re.fullmatch(r"\d{1,9}", retry_after.strip(), re.ASCII):
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _meaning(raw: str) -> tuple[CallOutcome, str]:
    for body in (raw, _BARE_ZEROS.sub(r'"\g<0>"', raw)):
        try:
            # Numbers stay text: `-0`, `0.0` and `false` are not the code 0.
            value = read_json(body, duplicate_keys="refuse", numbers_as_text=True)
        except NotJson:
            continue
        return _array(value) if isinstance(value, list) else _scalar_or_object(value)
    return _text(raw.strip("'\"` \t\r\n"))


def _array(value: list[Any]) -> tuple[CallOutcome, str]:
    if len(value) == 1:
        return _scalar_or_object(value[0])
    if [type(part) for part in value] == [str, str]:  # code and sentence
        return _text(" ".join(value))
    return CallOutcome.UNCERTAIN, ""


def _scalar_or_object(value: Any) -> tuple[CallOutcome, str]:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return _text(value.strip())
    if isinstance(value, dict):
        return _object(value)
    return CallOutcome.UNCERTAIN, ""


def _object(value: dict[str, Any]) -> tuple[CallOutcome, str]:
    status, sentence = value.get("exit_status"), value.get("exit_string", "")
    if not isinstance(status, str) or not isinstance(sentence, str):
        return CallOutcome.UNCERTAIN, ""
    status, sentence = status.strip(), _plain(sentence)
    if sentence == "security error":
        # Status 0 with an error in words contradicts itself.
        refused = _NOT_ZERO.fullmatch(status)
        return (CallOutcome.BAD_CREDENTIALS if refused else CallOutcome.UNCERTAIN), status
    number = _number(status)
    if number is None or _contradicts(number, sentence):
        return CallOutcome.UNCERTAIN, status
    return _CODES.get(number, CallOutcome.UNCERTAIN), status


def _text(raw: str) -> tuple[CallOutcome, str]:
    match = _TEXT.fullmatch(raw)
    if match is None:
        return CallOutcome.UNCERTAIN, ""
    code, label = match["code"], (match["label"] or "").upper()
    number, sentence = int(code), _plain(match["rest"] or "")
    if label.startswith("ERR"):
        meant = number != 0 and not _contradicts(number, sentence)
    else:
        meant = sentence in _SENTENCES.get(number, ()) and (not label or number == 0)
    return (_CODES.get(number, CallOutcome.UNCERTAIN) if meant else CallOutcome.UNCERTAIN), code


def _plain(sentence: str) -> str:
    return sentence.strip("\"' .\t\r\n").casefold()


def _contradicts(number: int, sentence: str) -> bool:
    """Success has the published sentence or none; a refusal must not contain that sentence."""
    return sentence not in _SENTENCES[0] if number == 0 else "inoltrato" in sentence


def _number(code: str) -> int | None:
    return int(code) if re.fullmatch(r"\d{1,3}", code, re.ASCII) else None
