"""What a reply of the gateway means: lenient in form, strict in meaning.

The gateway's guide, a client that ran in production and the gateway itself write the same reply
in different forms. Every form is read; only a meaning that was published counts. All else is
`UNCERTAIN`, never success.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

RAW_LIMIT = 500  # characters of a raw reply that a record keeps


class Verdict(StrEnum):
    """What one call to the gateway came to, by what may be done next."""

    ACCEPTED = "accepted"  # sent, as far as anybody can know
    BAD_DESTINATION = "bad_destination"  # refused for good
    GENERIC_ERROR = "generic_error"  # refused; may be tried again a few times
    BAD_CREDENTIALS = "bad_credentials"  # refused until the account is right
    UNREACHABLE = "unreachable"  # certainly not sent: no connection came about
    BUSY = "busy"  # certainly not sent: the gateway asks for patience
    MISCONFIGURED = "misconfigured"  # certainly not sent: redirect or client error
    UNCERTAIN = "uncertain"  # sent or not, nobody knows


@dataclass(frozen=True, slots=True)
class Reply:
    """One call's verdict; `code` and `raw` are the gateway's own words."""

    verdict: Verdict
    code: str = ""
    raw: str = ""
    retry_after: float | None = None  # seconds
    fault: str = ""  # which stage failed, when no reply came


_CODES = {0: Verdict.ACCEPTED, 20: Verdict.BAD_DESTINATION, 99: Verdict.GENERIC_ERROR}
_SENTENCES = {
    0: {"", "messaggio inoltrato correttamente"},
    20: {"", "errore nel numero di destinazione"},
    99: {"", "errore generico"},
}
_CODE = re.compile(r"[+-]?[0-9]{1,4}")  # it is logged: what else a reply says there may be a number
_NOT_ZERO = re.compile(r"[+-]?0*[1-9][0-9]*")
_BARE_ZEROS = re.compile(r"(?<=[\[:\s])0[0-9]{1,2}(?=\s*[,\]}])")  # `020` is no JSON number
_BUSY = {429, 503}
_SUCCESS, _NOT_FOR_US = 2, (3, 4)  # hundreds of HTTP status codes
_TEXT = re.compile(
    r"(?:(?P<label>ERR|ERROR|ERRORE|OK)\s*[:=\-]?\s*)?(?P<code>[0-9]{1,3})(?:[\s:;,.\-]+(?P<rest>.*))?",
    re.DOTALL | re.IGNORECASE,
)


def read_reply(status: int, body: bytes, retry_after: str | None, now: datetime) -> Reply:
    """Classify one HTTP answer of the gateway (docs/delivery.md has the table)."""
    raw = body.decode("utf-8", errors="replace").strip("\ufeff \t\r\n")
    kept = raw[:RAW_LIMIT]
    if status in _BUSY:
        return Reply(Verdict.BUSY, f"http_{status}", kept, seconds_until(retry_after, now))
    kind = status // 100
    if kind in _NOT_FOR_US:
        return Reply(Verdict.MISCONFIGURED, f"http_{status}", kept)
    if kind != _SUCCESS:
        return Reply(Verdict.UNCERTAIN, f"http_{status}", kept)
    verdict, code = _meaning(raw)
    return Reply(verdict, code if _CODE.fullmatch(code) else "", kept)


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


def _meaning(raw: str) -> tuple[Verdict, str]:
    for written in (raw, _BARE_ZEROS.sub(r'"\g<0>"', raw)):
        try:
            # Numbers stay text: `-0`, `0.0` and `false` are not the code 0.
            value = json.loads(
                written, parse_int=str, parse_float=str, object_pairs_hook=_without_doubles
            )
        except (ValueError, RecursionError):
            continue
        return _array(value) if isinstance(value, list) else _scalar_or_object(value)
    return _text(raw.strip("'\"` \t\r\n"))


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a name that occurs twice says two things")
    return names


def _array(value: list[Any]) -> tuple[Verdict, str]:
    if len(value) == 1:
        return _scalar_or_object(value[0])
    if [type(part) for part in value] == [str, str]:  # code and sentence
        return _text(" ".join(value))
    return Verdict.UNCERTAIN, ""


def _scalar_or_object(value: Any) -> tuple[Verdict, str]:  # noqa: ANN401 - whatever the gateway wrote
    if isinstance(value, str):
        return _text(value.strip())
    if isinstance(value, dict):
        return _object(value)
    return Verdict.UNCERTAIN, ""


def _object(value: dict[str, Any]) -> tuple[Verdict, str]:
    status, sentence = value.get("exit_status"), value.get("exit_string", "")
    if not isinstance(status, str) or not isinstance(sentence, str):
        return Verdict.UNCERTAIN, ""
    status, sentence = status.strip(), _plain(sentence)
    if sentence == "security error":
        # Status 0 with an error in words contradicts itself.
        refused = _NOT_ZERO.fullmatch(status)
        return (Verdict.BAD_CREDENTIALS if refused else Verdict.UNCERTAIN), status
    number = _number(status)
    if number is None or _contradicts(number, sentence):
        return Verdict.UNCERTAIN, status
    return _CODES.get(number, Verdict.UNCERTAIN), status


def _text(raw: str) -> tuple[Verdict, str]:
    match = _TEXT.fullmatch(raw)
    if match is None:
        return Verdict.UNCERTAIN, ""
    code, label = match["code"], (match["label"] or "").upper()
    number, sentence = int(code), _plain(match["rest"] or "")
    if label.startswith("ERR"):
        meant = number != 0 and not _contradicts(number, sentence)
    else:
        meant = sentence in _SENTENCES.get(number, ()) and (not label or number == 0)
    return (_CODES.get(number, Verdict.UNCERTAIN) if meant else Verdict.UNCERTAIN), code


def _plain(sentence: str) -> str:
    return sentence.strip("\"' .\t\r\n").casefold()


def _contradicts(number: int, sentence: str) -> bool:
    """Success is said in the published words or in none; a refusal does not speak of success."""
    return sentence not in _SENTENCES[0] if number == 0 else "inoltrato" in sentence


def _number(code: str) -> int | None:
    return int(code) if re.fullmatch(r"\d{1,3}", code, re.ASCII) else None
