"""A preview as lines for a terminal."""

from collections.abc import Iterator

from local.preview.preview_model import Preview, PreviewedEvent, PreviewedMessage
from local.preview.text_cost import TextCost

_VERDICTS = {
    "send": "would be sent",
    "reject": "would be rejected, and recorded as such",
    "nothing": "nothing to send",
}
_AUTHENTIC = {True: "yes", False: "no", None: "not checked"}
_WIDTH = 11


def as_text(preview: Preview) -> str:
    """Return one line for each fact; control characters are escaped."""
    return "\n".join(map(_printable, _lines(preview)))


def _lines(preview: Preview) -> Iterator[str]:
    yield _row("source", preview.source)
    yield _row("authentic", f"{_AUTHENTIC[preview.authentic]}: {preview.why}")
    for name, value in preview.needed_headers:
        yield _row("needs", f"{name}: {value}")
    if preview.no_event:
        yield _row("body", preview.no_event)
    if preview.authentic is False and preview.events:
        yield ""
        yield "If it were authentic:"
    for event in preview.events:
        yield from _event(event)


def _event(event: PreviewedEvent) -> Iterator[str]:
    yield ""
    yield _row("topic", event.topic or "(none)")
    yield _row("event id", event.id)
    for message in event.messages:
        yield from _message(message)


def _message(message: PreviewedMessage) -> Iterator[str]:
    when = f" on {message.send_at:%Y-%m-%d %H:%M %Z}" if message.send_at else ""
    reason = f" ({message.reason})" if message.reason else ""
    yield ""
    yield _row("SMS", _VERDICTS[message.verdict] + when + reason)
    for sentence in message.because:
        yield _row("because", sentence)
    if message.id:
        yield _row("message id", message.id)
    for lookup in message.lookups:
        value = f"{lookup.value}: " if lookup.value and lookup.detail else ""
        yield _row("number", f"{lookup.path}: {value}{lookup.detail or message.to}")
    if message.id:
        sender = message.sender or "(DefaultSender)"
        yield _row("sender", f"{sender}, {message.category}")
    yield from _texts(message)


def _texts(message: PreviewedMessage) -> Iterator[str]:
    if message.final is None or message.raw is None:
        return
    if message.raw.text != message.final.text:
        yield from _text("original", message.raw)
        yield from _text("smart", message.final)
    else:
        yield from _text("text", message.final)
    if message.cheaper:
        yield from _text("cheaper", message.cheaper)


def _text(title: str, cost: TextCost) -> Iterator[str]:
    for number, line in enumerate(cost.text.split("\n")):
        yield _row("" if number else title, line)
    plural = "" if cost.segments == 1 else "s"
    yield _row("", f"{cost.encoding}, {cost.segments} segment{plural}, {cost.cost_eur} EUR")
    for one in cost.characters:
        what = "makes all of it UCS-2" if one.forces_ucs2 else "takes 2 septets"
        units = " and takes 2 units" if one.forces_ucs2 and one.units > 1 else ""
        yield _row("", f"  {one.character}  x{one.count}  {what}{units}  ({one.name})")


def _row(name: str, value: str) -> str:
    return f"{name:<{_WIDTH}} {value}".rstrip()


def _printable(line: str) -> str:
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in line)
