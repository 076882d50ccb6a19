"""The gateway's signature."""

from hashlib import md5, sha1


def verify_code(*, sender: str, text: str, destination: str, secret: str, call_group: str) -> str:
    """Return `md5(sha1(...))` over sender, text, destination, secret and caller group.

    Source: the openvoip guide. As in PHP, each digest is lower-case hex text, so md5 is taken of
    the sha1's 40 hex characters. All values are raw, before any URL encoding, as UTF-8.
    """
    signed = f"{sender}{text}{destination}{secret}{call_group}".encode()
    return md5(sha1(signed).hexdigest().encode()).hexdigest()
