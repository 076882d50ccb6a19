"""`AcceptedReplies`: replies that an operator has confirmed to mean success at this account."""

import re

from openvoip_sms.openvoip.replies import names_refusal, trimmed

SEPARATOR = ";"
MIN_CHARACTERS = 2  # less is no sentence, and may be part of any page


class NotAcceptable(ValueError):
    """A reply that can never mean success; the message says which and why."""


def accepted_replies(setting: str) -> frozenset[str]:
    """Return the whole replies that the setting names; none when it is empty.

    Raises:
        NotAcceptable: one of them is a published refusal, HTML or too short.
    """
    if not setting.strip():
        return frozenset()
    replies = [trimmed(reply) for reply in setting.split(SEPARATOR)]
    for number, reply in enumerate(replies, 1):
        if why := _objection(reply):
            raise NotAcceptable(f"reply {number} {why}")
    return frozenset(replies)


def _objection(reply: str) -> str:
    if len(re.sub(r"\s", "", reply)) < MIN_CHARACTERS:
        return f"has fewer than {MIN_CHARACTERS} characters: write replies between semicolons only"
    if "<" in reply:
        return "contains HTML: a page is no reply of the gateway"
    if names_refusal(reply):
        return "is or contains a refusal that the gateway's guide publishes"
    return ""
