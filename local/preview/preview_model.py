"""The model of a preview."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from local.preview.text_cost import TextCost
from openvoip_sms.rules.headers import Pairs
from openvoip_sms.webhooks.phone_lookup import PhoneLookup


@dataclass(frozen=True, slots=True)
class PreviewedMessage:
    """One message of a source for the event, and its outcome.

    `because` are sentences: why it is rejected, or why there is nothing to send. `raw` is the text
    before smart encoding, `final` the one that would be sent, `cheaper` a proposal.
    """

    verdict: Literal["send", "reject", "nothing"]
    reason: str
    because: tuple[str, ...]
    lookups: tuple[PhoneLookup, ...]
    id: str = ""
    to: str = field(default="", repr=False)
    found_at: str = ""
    sender: str = ""
    category: str = ""
    send_at: datetime | None = None
    raw: TextCost | None = None
    final: TextCost | None = None
    cheaper: TextCost | None = None


@dataclass(frozen=True, slots=True)
class PreviewedEvent:
    """One event of the call. `id` is the same for each delivery of it."""

    topic: str | None
    id: str
    messages: tuple[PreviewedMessage, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a call would cause. `authentic` None: not checked.

    `needed_headers` would make it authentic, where they can be computed; `no_event` says why there
    are no events.
    """

    source: str
    authentic: bool | None
    why: str
    needed_headers: Pairs = field(default=(), repr=False)
    no_event: str = ""
    events: tuple[PreviewedEvent, ...] = ()
