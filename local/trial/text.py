"""A trial as lines for a terminal."""

from collections.abc import Iterator

from local.trial.facts import Trial, TriedEvent, TriedMessage
from local.trial.writing import Writing

_VERDICTS = {
    "send": "would be sent",
    "reject": "would be rejected, and recorded as such",
    "nothing": "nothing to send",
}
_AUTHENTIC = {True: "yes", False: "no", None: "not checked"}
_WIDTH = 11


def as_text(trial: Trial) -> str:
    """Every fact, a line each; what would move the cursor is spelled out."""
    return "\n".join(map(_harmless, _lines(trial)))


def _lines(trial: Trial) -> Iterator[str]:
    yield _row("source", trial.source)
    yield _row("authentic", f"{_AUTHENTIC[trial.authentic]}: {trial.why}")
    for name, value in trial.needed:
        yield _row("would need", f"{name}: {value}")
    if trial.no_event:
        yield _row("body", trial.no_event)
    if trial.authentic is False and trial.events:
        yield ""
        yield "Were it authentic:"
    for event in trial.events:
        yield from _event(event)


def _event(event: TriedEvent) -> Iterator[str]:
    yield ""
    yield _row("topic", event.topic or "(none)")
    yield _row("event id", event.id)
    for message in event.messages:
        yield from _message(message)


def _message(message: TriedMessage) -> Iterator[str]:
    when = f" on {message.send_at:%Y-%m-%d %H:%M %Z}" if message.send_at else ""
    reason = f" ({message.reason})" if message.reason else ""
    yield ""
    yield _row("SMS", _VERDICTS[message.verdict] + when + reason)
    for fault in message.faults:
        yield _row("because", fault)
    if message.id:
        yield _row("message id", message.id)
    for place in message.looked_at:
        value = f"{place.value}: " if place.value and place.fault else ""
        yield _row("looked at", f"{place.path}: {value}{place.fault or message.to}")
    if message.id:
        sender = message.sender or "(DefaultSender)"
        yield _row("sender", f"{sender}, {message.category}")
    yield from _writings(message)


def _writings(message: TriedMessage) -> Iterator[str]:
    if message.final is None or message.written is None:
        return
    if message.written.text != message.final.text:
        yield from _writing("as written", message.written)
        yield from _writing("smart", message.final)
    else:
        yield from _writing("text", message.final)
    if message.cheaper:
        yield from _writing("cheaper", message.cheaper)


def _writing(title: str, writing: Writing) -> Iterator[str]:
    for number, line in enumerate(writing.text.split("\n")):
        yield _row("" if number else title, line)
    plural = "" if writing.segments == 1 else "s"
    yield _row(
        "", f"{writing.encoding}, {writing.segments} segment{plural}, {writing.cost_eur} EUR"
    )
    for sign in writing.signs:
        what = "makes all of it UCS-2" if sign.forces_ucs2 else "takes 2 septets"
        units = " and takes 2 units" if sign.forces_ucs2 and sign.units > 1 else ""
        yield _row("", f"  {sign.sign}  x{sign.count}  {what}{units}  ({sign.name})")


def _row(name: str, value: str) -> str:
    return f"{name:<{_WIDTH}} {value}".rstrip()


def _harmless(line: str) -> str:
    return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in line)
