"""Which texts can be sent."""

import re
import unicodedata

from openvoip_sms.rules.invalid import Invalid, code_point

# A carriage return is allowed: pasted texts contain it, and it becomes a newline. The two overrides
# show letters in another order than they are sent.
_FAULTS = (
    ("unpaired_surrogate", "half of a surrogate pair", re.compile("[\ud800-\udfff]")),
    (
        "control_character",
        "a control character",
        re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]"),
    ),
    (
        "bidi_override",
        "a character that shows letters in another order",
        re.compile("[\u202d\u202e]"),
    ),
)
_INVISIBLE = ("Cc", "Cf", "Zs", "Zl", "Zp")


class InvalidText(Invalid):
    """A text that a phone could not show as intended."""


def check_text(raw: str) -> str:
    """Return the text with its line breaks (CRLF, CR) as newlines.

    Raises:
        InvalidText: it has no visible character, or one that cannot be sent.
    """
    for reason, what, fault in _FAULTS:
        if found := fault.search(raw):
            raise InvalidText(
                reason,
                f"Character {found.start() + 1} of the text, {code_point(found[0])}, is {what}, "
                "which cannot be sent: remove it.",
            )
    if all(unicodedata.category(char) in _INVISIBLE for char in raw):
        raise InvalidText("empty", "The text is empty: it has no visible character.")
    return raw.replace("\r\n", "\n").replace("\r", "\n")
