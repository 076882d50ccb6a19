"""What a log line shows of a message's id.

An id that the service made is shown: it says nothing. So is a caller's that is one word with a few
digits, such as `ordine-1042`. Any other becomes a digest: it may hold a phone number, a tax code, a
name, in whatever writing; a webhook's does where its `once` is one, and the hash in it has no key.
The digest has one, as all phone numbers there are can be tried out in a second.
"""

import hashlib
import hmac
import re

DIGEST_DIGITS = 20

_GENERATED = re.compile(
    "0[1-9a-f][0-9a-f]{30}"  # by the API
    "|[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"  # by SQS or a shop
)
_SHORT = re.compile("[A-Za-z]{1,12}[._:-]?[0-9]+(?:[._:-][0-9]+)*")
_DIGITS_OF_A_NUMBER = re.compile("3(?:[^A-Za-z0-9]*[0-9]){8}")
_MAX_DIGITS = 6  # a phone number, a tax code and an IBAN have more


def log_id(record_id: str, key: str) -> str:
    """Return the id as a log may show it; `key` makes its digest."""
    return record_id if _says_nothing(record_id) else digest(record_id, key)


def digest(record_id: str, key: str) -> str:
    """`id-` and the beginning of the HMAC-SHA256 of the id, in hex."""
    whole = hmac.new(key.encode(), record_id.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return f"id-{whole.hexdigest()[:DIGEST_DIGITS]}"


def _says_nothing(record_id: str) -> bool:
    if _GENERATED.fullmatch(record_id):
        return not _DIGITS_OF_A_NUMBER.search(record_id)
    digits = sum(char.isdigit() for char in record_id)
    return bool(_SHORT.fullmatch(record_id)) and digits <= _MAX_DIGITS
