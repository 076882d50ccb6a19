"""Which texts can be sent at all."""

import re
import unicodedata

from openvoip_sms.rules.invalid import Invalid, code_point

# A carriage return is let through: pasted texts have it, and a newline is its equal. The two
# overrides show letters in another order than they are sent.
_FAULTS = (
    ("unpaired_surrogate", "half a character", re.compile("[\ud800-\udfff]")),
    (
        "control_character",
        "a control character",
        re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]"),
    ),
    ("bidi_override", "a mark that shows letters in another order", re.compile("[\u202d\u202e]")),
)
_INVISIBLE = ("Cc", "Cf", "Zs", "Zl", "Zp")


class InvalidText(Invalid):
    """A text that no phone could show as it was meant."""


def check_text(raw: str) -> str:
    """The text as given, its line breaks (CRLF, CR) written as newlines.

    Raises:
        InvalidText: nothing in it can be seen, or it holds a character that cannot be sent.
    """
    for reason, what, fault in _FAULTS:
        if found := fault.search(raw):
            raise InvalidText(
                reason,
                f"Character {found.start() + 1} of the text, {code_point(found[0])}, is {what}, "
                "which cannot be sent: remove it.",
            )
    if all(unicodedata.category(char) in _INVISIBLE for char in raw):
        raise InvalidText("empty", "The text is empty: there is nothing to read in it.")
    return raw.replace("\r\n", "\n").replace("\r", "\n")
