"""The customer's account at openvoip: its id and the secret that signs its calls."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from openvoip_sms.delivery.ports import SecretNotSet

PLACEHOLDER = "SET-ME"  # what the template puts into the secret


@dataclass(frozen=True, slots=True)
class OpenvoipAccount:
    """From the panel under SERVIZI > CONTRATTO. The secret is not printed."""

    call_group: str  # `id_call_gr`
    secret: str = field(repr=False)


class AccountSecret(Protocol):
    """Where the account is stored. May raise `SecretUnavailable`."""

    def read(self, *, refresh: bool = False) -> dict[str, Any]: ...


def read_account(secret: AccountSecret, *, refresh: bool = False) -> OpenvoipAccount:
    """Return the account; a cached placeholder is read again, as it may have been filled in.

    Raises:
        SecretUnavailable: it cannot be read now.
        SecretNotSet: it holds a placeholder, or lacks a key.
    """
    try:
        return _account(secret.read(refresh=refresh))
    except SecretNotSet:
        if refresh:
            raise
    return _account(secret.read(refresh=True))


def _account(values: dict[str, Any]) -> OpenvoipAccount:
    call_group, secret = _filled_in(values.get("id_call_gr")), _filled_in(values.get("secret"))
    if not call_group or not secret:
        raise SecretNotSet("the gateway secret needs id_call_gr and secret")
    return OpenvoipAccount(call_group, secret)


def _filled_in(value: object) -> str:
    """A value as text; empty while a person has still to fill it in."""
    text = str(value) if type(value) in (str, int) else ""
    try:
        text.encode()
    except UnicodeEncodeError:  # an unpaired surrogate: nothing could be signed with it
        return ""
    return "" if text.strip() in ("", PLACEHOLDER) else text
