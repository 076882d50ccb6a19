"""Parses replies of the gateway: lenient in form, strict in meaning.

The gateway's guide, a client in production and the gateway itself format the same reply in
different ways. Every form is read; only a published meaning counts. Everything else is
`UNCERTAIN`, never success.
"""

import re
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from openvoip_sms.rules.call_result import CallOutcome, CallResult
from openvoip_sms.rules.strict_json import NotJson, read_json

MAX_RAW = 500  # characters of a raw reply that a record keeps
_MAX_EXAMINED = 8000  # characters that may be redacted to get them

_DOUBT = CallOutcome.UNCERTAIN
_CODES = {0: CallOutcome.ACCEPTED, 20: CallOutcome.BAD_DESTINATION, 99: CallOutcome.GENERIC_ERROR}
# The guide's list: `ERR: 000 Messaggio Inoltrato Correttamente` and its two neighbours.
_SENTENCES = {
    0: "messaggio inoltrato correttamente",
    20: "errore nel numero di destinazione",
    99: "errore generico",
}
_SECURITY_ERROR = "security error"
_REFUSALS = {
    CallOutcome.BAD_DESTINATION,
    CallOutcome.GENERIC_ERROR,
    CallOutcome.BAD_CREDENTIALS,
}
_REFUSAL_CODE = re.compile(r"0*(?:20|99)|-0*1")
_CODE = re.compile(r"[+-]?[0-9]{1,4}")  # it is logged; anything else may be a phone number
_NOT_ZERO = re.compile(r"[+-]?0*[1-9][0-9]*")
_BARE_ZEROS = re.compile(r"(?<=[\[:\s])0[0-9]{1,2}(?=\s*[,\]}])")  # `020` is no JSON number
_WORD = re.compile(r"[^\W\d_]{4}")
_BUSY = {429, 503}
_OK = 200
_SUCCESS, _NOT_SENT = 2, (3, 4)  # hundreds of HTTP status codes
_TEXT = re.compile(
    r"(?:(?P<label>ERR(?:ORE?)?|OK)\s*(?:[:=\-]\s*)?)?(?P<code>[0-9]{1,3})(?:[\s:;,.\-]+(?P<rest>.*))?",
    re.DOTALL | re.IGNORECASE,
)


class _Line(NamedTuple):
    """`ERR: 020 Errore nel numero di destinazione`, or what there is of it."""

    label: str  # ERR, OK or none
    code: str
    sentence: str

    @property
    def number(self) -> int:
        return int(self.code)

    @property
    def outcome(self) -> CallOutcome:
        return _CODES.get(self.number, CallOutcome.UNCERTAIN) if self._counts else _DOUBT

    @property
    def _counts(self) -> bool:
        if self.label == "OK" and self.number:
            return False
        if self.label == "ERR" and self.number:  # a refusal, whatever its words
            return "inoltrato" not in self.sentence
        return self.is_published or (not self.sentence and self.label != "ERR")

    @property
    def is_published(self) -> bool:
        """Whether it is a whole line of the guide's list, with its label or without."""
        return self.sentence == _SENTENCES.get(self.number)


def read_reply(
    status: int,
    body: bytes,
    retry_after: str | None,
    now: datetime,
    *,
    fault: str = "",
    accepted: frozenset[str] = frozenset(),
    hide: Callable[[str], str] = str,
) -> CallResult:
    """Classify one HTTP answer of the gateway (docs/delivery.md has the table).

    `fault` says why the body is not whole. `accepted` are further replies that mean success, as an
    operator confirmed. `hide` takes out of a reply what no record may hold.
    """
    raw = trimmed(body.decode("utf-8", errors="replace"))
    kept, code = hide(raw[:_MAX_EXAMINED])[:MAX_RAW], f"http_{status}"
    if status in _BUSY:
        return CallResult(CallOutcome.BUSY, code, kept, seconds_until(retry_after, now), fault)
    kind = status // 100
    if kind in _NOT_SENT:  # the status line alone says so, whatever follows it
        return CallResult(CallOutcome.MISCONFIGURED, code, kept, fault=fault)
    if kind != _SUCCESS or fault:
        return CallResult(_DOUBT, code, kept, fault=fault)
    outcome, code = _meaning(raw)
    if outcome is _DOUBT and status == _OK and raw in accepted:
        outcome = CallOutcome.ACCEPTED
    return CallResult(outcome, code if _CODE.fullmatch(code) else "", kept)


def names_refusal(reply: str) -> bool:
    """Whether a reply is a published refusal, or has the words or the code of one."""
    outcome, code = _meaning(reply)
    words = _plain(reply)
    return (
        outcome in _REFUSALS
        or bool(_REFUSAL_CODE.fullmatch(code))
        or any(sentence in words for sentence in (_SENTENCES[20], _SENTENCES[99], _SECURITY_ERROR))
    )


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


def trimmed(raw: str) -> str:
    """Return a reply without what may stand around it."""
    return raw.strip("\ufeff \t\r\n")


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
    types = [type(part) for part in value]
    if types == [str, str]:  # code and sentence
        return _text(" ".join(value))
    line = _line(" ".join(value)) if types == [str, str, str] else None
    if line is not None and line.is_published:  # label, code and sentence
        return line.outcome, line.code
    return _DOUBT, ""


def _scalar_or_object(value: Any) -> tuple[CallOutcome, str]:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return _object(value)
    return _DOUBT, ""


def _text(raw: str) -> tuple[CallOutcome, str]:
    line = _line(raw)
    return (_DOUBT, "") if line is None else (line.outcome, line.code)


def _object(value: dict[str, Any]) -> tuple[CallOutcome, str]:
    status, words = value.get("exit_status", ""), value.get("exit_string", "")
    if not isinstance(status, str) or not isinstance(words, str):
        return _DOUBT, ""
    rest = [other for key, other in value.items() if key not in ("exit_status", "exit_string")]
    status, words = status.strip(), _plain(words)
    if words == _SECURITY_ERROR:
        # Status 0 with an error in words contradicts itself.
        refused = _NOT_ZERO.fullmatch(status)
        return (CallOutcome.BAD_CREDENTIALS if refused else _DOUBT), status
    said, told = _line(status), _line(words)
    if told is not None and told.is_published:
        if not status:
            return told.outcome, told.code
        if said is not None and said.number == told.number:
            words = told.sentence
    if said is None or (said.number == 0 and any(map(_has_words, rest))):
        return _DOUBT, status if said is None else said.code
    return _outcome(said, words), said.code


def _has_words(other: object) -> bool:
    """Whether it says something in words, which may be a refusal. An id or a time does not."""
    if not isinstance(other, str) or not _WORD.search(other):
        return False
    return " " in other.strip() or not any(map(str.isdigit, other))


def _outcome(said: _Line, words: str) -> CallOutcome:
    """The outcome of a status and the words beside it."""
    if said.number == 0:  # success is said in the published words or in none
        agree = words == said.sentence or "" in (words, said.sentence)
        return said._replace(sentence=words or said.sentence).outcome if agree else _DOUBT
    return _DOUBT if "inoltrato" in words else said.outcome


def _line(raw: str) -> _Line | None:
    match = _TEXT.fullmatch(raw.strip())
    if match is None:
        return None
    label = (match["label"] or "").upper()[:3]
    return _Line(label, match["code"], _plain(match["rest"] or ""))


def _plain(sentence: str) -> str:
    return " ".join(sentence.strip("\"' .\t\r\n").casefold().split())
