"""The keys of all hashes of numbers and texts that the table keeps.

Without a key, all phone numbers there are, and a code of six digits, can be tried out in seconds.
"""

import hashlib
import hmac
from collections.abc import Mapping

from openvoip_sms.adapters.secret_reader import JsonSecret
from openvoip_sms.delivery.ports import SecretNotSet

_MIN_LENGTH = 32  # characters


class HashKeys:
    """The versions of the hash key. Read once: what was hashed with a key needs that key for good.

    Every method may raise `SecretUnavailable`, or `SecretNotSet` when there is no usable key.
    """

    def __init__(self, secret: JsonSecret) -> None:
        self._secret = secret
        self._versions: Mapping[int, bytes] = {}

    def first(self, purpose: str) -> bytes:
        """Return the key of what must be the same for good: ids, fingerprints, limits."""
        versions = self._read()
        return _for(purpose, versions[min(versions)])

    def versions(self, purpose: str) -> Mapping[int, bytes]:
        """Return all keys; the highest version is the current one."""
        return {version: _for(purpose, key) for version, key in self._read().items()}

    def _read(self) -> Mapping[int, bytes]:
        if not self._versions:
            try:
                self._versions = _usable(self._secret.read())
            except SecretNotSet:
                self._versions = _usable(self._secret.read(refresh=True))
        return self._versions


def _usable(values: Mapping[str, object]) -> Mapping[int, bytes]:
    versions = {
        int(name): value.encode()
        for name, value in values.items()
        if name.isascii()
        and name.isdigit()
        and isinstance(value, str)
        and len(value) >= _MIN_LENGTH
    }
    if not versions or len(versions) != len(values):
        raise SecretNotSet(
            f"the hash key secret needs a version's number and {_MIN_LENGTH} characters or more"
        )
    return versions


def _for(purpose: str, key: bytes) -> bytes:
    """A key of its own for each purpose, so that no hash can be compared with another's."""
    return hmac.digest(key, purpose.encode(), hashlib.sha256)
