"""The header `x-admin-key`: only who has the admin key may do what a person decides."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from openvoip_sms.delivery.ports import SecretNotSet
from openvoip_sms.rules.headers import values_of
from openvoip_sms.web import proxy_event
from openvoip_sms.web.proxy_event import ProxyEvent

HEADER = "x-admin-key"
VALID = ("current", "previous")  # both for a while, so that a key can be changed everywhere
MIN_LENGTH = 20  # a shorter one could be guessed: whoever set it by hand is told so


class NotAdmin(Exception):
    """The call lacks the admin key, or has another."""


class AdminSecret(Protocol):
    """Where the admin keys are stored. May raise `SecretUnavailable` or `SecretNotSet`."""

    def current(self) -> Mapping[str, str]:
        """Return the keys by their names, from a cache."""

    def refreshed(self, *, at_once: bool) -> Mapping[str, str] | None:
        """Return them as they are now; None soon after the last time, unless `at_once`."""


@dataclass(frozen=True, slots=True)
class AdminAccess:
    """Compares the header with the keys of the admin secret."""

    secret: AdminSecret

    def check(self, event: ProxyEvent) -> None:
        """Return if the call has the admin key.

        Raises:
            NotAdmin: it has none, or one that is not valid now.
            SecretUnavailable: the admin secret cannot be read now.
            SecretNotSet: it holds no key that a call could have.
        """
        given = values_of(proxy_event.headers(event), HEADER)
        if len(given) != 1 or not given[0]:
            raise NotAdmin
        keys = _usable(self.secret.current())
        if _is_one_of(given[0], keys):
            return
        changed = self.secret.refreshed(at_once=not keys)  # it may have been rotated meanwhile
        if changed is None:
            raise NotAdmin
        if not (keys := _usable(changed)):
            raise SecretNotSet(f"the admin secret needs a key of {MIN_LENGTH} characters or more")
        if not _is_one_of(given[0], keys):
            raise NotAdmin


def _usable(values: Mapping[str, str]) -> list[bytes]:
    named = (values.get(name, "") for name in VALID)
    return [_bytes(value) for value in named if len(value) >= MIN_LENGTH]


def _is_one_of(given: str, keys: list[bytes]) -> bool:
    """Compare with each, in a time that says nothing about them."""
    equal = [hmac.compare_digest(_bytes(given), key) for key in keys]
    return any(equal)


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")
