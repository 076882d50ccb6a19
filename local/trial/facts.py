"""What is known of a call after it was tried."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from local.trial.looked import Looked
from local.trial.proof import Headers
from local.trial.writing import Writing


@dataclass(frozen=True, slots=True)
class TriedMessage:
    """One SMS that a source knows for the event, and what would become of it.

    `faults` are sentences: why it is rejected, or why there is nothing to send. `written` is the
    text as the source makes it, `final` as it would go out, `cheaper` a proposal.
    """

    verdict: Literal["send", "reject", "nothing"]
    reason: str
    faults: tuple[str, ...]
    looked_at: tuple[Looked, ...]
    id: str = ""
    to: str = field(default="", repr=False)
    found_at: str = ""
    sender: str = ""
    category: str = ""
    send_at: datetime | None = None
    written: Writing | None = None
    final: Writing | None = None
    cheaper: Writing | None = None


@dataclass(frozen=True, slots=True)
class TriedEvent:
    """One event of the call. `id` is the key that makes it one, however often it comes."""

    topic: str | None
    id: str
    messages: tuple[TriedMessage, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a call would cause. `authentic` None: not checked.

    `needed` are headers that would make it authentic, where they can be made; `no_event` says why
    there are no events.
    """

    source: str
    authentic: bool | None
    why: str
    needed: Headers = field(default=(), repr=False)
    no_event: str = ""
    events: tuple[TriedEvent, ...] = ()
