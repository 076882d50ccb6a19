"""What a log line shows of a message's id.

An id that the service made is shown: it says nothing. So is a caller's that is one word with a few
digits, such as `ordine-1042`. Any other may hold a phone number, a tax code, a name, in whatever
writing: it becomes a digest. The digest has a key, as all phone numbers there are can be tried out
in a second.
"""

import hashlib
import hmac
import re

from openvoip_sms.rules.personal import gives_a_person_away

DIGEST_DIGITS = 20
HIDDEN = "*"  # in place of a part of a webhook's id

_GENERATED = re.compile(
    "0[1-9a-f][0-9a-f]{30}"  # by the API
    "|[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"  # by SQS or a shop
)
_SHORT = re.compile("[A-Za-z]{1,12}[._:-]?[0-9]+(?:[._:-][0-9]+)*")
_WEBHOOK = re.compile(  # source, topic and the sender's id, 80 bits of a hash, the message's name
    "(?P<source>[a-z0-9-]{1,40}):(?:(?P<shown>.+):)?(?P<hash>[0-9a-f]{20})(?::(?P<name>[^:]+))?"
)
_DIGITS_OF_A_NUMBER = re.compile("3(?:[^A-Za-z0-9]*[0-9]){8}")
_DOMAIN = re.compile(  # the end of an e-mail address, however its @ is written
    "[a-z0-9][^a-z0-9]+(?:com|net|org|eu|info|biz|name|[a-z]{2})(?![a-z0-9])"
)
_MAX_DIGITS = 6  # a phone number, a tax code and an IBAN have more


def log_id(record_id: str, key: str) -> str:
    """Return the id as a log may show it; `key` makes its digest."""
    shown = _shown(record_id)
    if shown is None or _DIGITS_OF_A_NUMBER.search(shown):
        return digest(record_id, key)
    return shown


def digest(record_id: str, key: str) -> str:
    """`id-` and the beginning of the HMAC-SHA256 of the id, in hex."""
    whole = hmac.new(key.encode(), record_id.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return f"id-{whole.hexdigest()[:DIGEST_DIGITS]}"


def _shown(record_id: str) -> str | None:
    if _GENERATED.fullmatch(record_id):
        return record_id
    if _SHORT.fullmatch(record_id):
        return record_id if _has_few_digits(record_id) else None
    found = _WEBHOOK.fullmatch(record_id)
    if found is None or gives_a_person_away(found["source"]):
        return None
    middle, name = filter(None, (found["shown"] or "").split(":")), found["name"]
    parts = [found["source"], *map(_harmless, middle), found["hash"]]
    return ":".join([*parts, _harmless(name)] if name else parts)


def _harmless(part: str) -> str:
    hidden = gives_a_person_away(part) or _DOMAIN.search(part.lower()) or not _has_few_digits(part)
    return HIDDEN if hidden else part


def _has_few_digits(text: str) -> bool:
    return sum(char.isdigit() for char in text) <= _MAX_DIGITS
