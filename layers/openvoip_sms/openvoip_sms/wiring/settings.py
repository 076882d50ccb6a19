"""Typed settings from the environment, read once. A missing one stops the start by its name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from openvoip_sms.openvoip.accepted_replies import NotAcceptable, accepted_replies
from openvoip_sms.rules.phone import InvalidNumber, italian_mobile
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.sender_name import InvalidSender, check_sender

# Plain HTTP would expose text, number and signature.
GATEWAY_URL = re.compile(
    r"https://[^\s?#]+|http://(localhost|127\.0\.0\.1|host\.docker\.internal)(:\d+)?(/[^\s?#]*)?"
)
PUBLIC_URL = re.compile(r"https://[A-Za-z0-9.-]+(:\d{1,5})?(/[A-Za-z0-9._~/-]*)?")


class BadSetting(Exception):
    """A setting is missing or cannot be used; the message names it."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Typed access to environment variables.

    Every method raises `BadSetting` for a variable that is absent or not of its type.
    """

    values: Mapping[str, str]

    def text(self, name: str) -> str:
        try:
            return self.values[name].strip()
        except KeyError:
            raise BadSetting(f"{name} is not set") from None

    def required(self, name: str) -> str:
        return self.text(name) or self._bad(name, "must not be empty")

    def flag(self, name: str) -> bool:
        return self.one_of(name, "true", "false") == "true"

    def one_of(self, name: str, *choices: str) -> str:
        value = self.text(name)
        return value if value in choices else self._bad(name, f"must be {' or '.join(choices)}")

    def number(self, name: str) -> Decimal:
        try:
            value = Decimal(self.text(name))
        except InvalidOperation:
            value = Decimal(-1)
        if not value.is_finite() or value < 0:
            self._bad(name, "must be a number, 0 or more")
        return value

    def whole(self, name: str) -> int:
        """A fraction is refused: cut to 0 it would often mean no limit."""
        value = self.number(name)
        if value % 1:
            self._bad(name, "must be a whole number")
        return int(value)

    def words(self, name: str) -> frozenset[str]:
        return frozenset(word for part in self.text(name).split(",") if (word := part.strip()))

    def _bad(self, name: str, why: str) -> NoReturn:
        raise BadSetting(f"{name} {why}")


def gateway_url(env: Environment) -> str:
    url = env.required("GATEWAY_URL")
    if not GATEWAY_URL.fullmatch(url):
        raise BadSetting("GATEWAY_URL must be https (http only for this machine) without a query")
    return url


def public_url(env: Environment) -> str:
    """Read the address that people see, without a slash at its end; empty: the API's own."""
    url = env.text("PUBLIC_URL")
    if url and not PUBLIC_URL.fullmatch(url):
        raise BadSetting("PUBLIC_URL must be https, a host and its base path, without a query")
    return url.rstrip("/")


def accepted(env: Environment) -> frozenset[str]:
    """Read the replies of the gateway that mean success besides the published ones."""
    try:
        return accepted_replies(env.text("ACCEPTED_REPLIES"))
    except NotAcceptable as error:
        raise BadSetting(f"ACCEPTED_REPLIES: {error}") from error


def policy(env: Environment) -> Policy:
    """Read the rules' settings."""
    return Policy(
        default_sender=_sender(env.required("DEFAULT_SENDER")),
        allowed_senders=env.words("ALLOWED_SENDERS"),
        archive=env.flag("ARCHIVE_MESSAGES"),
        live=env.one_of("MODE", "test", "live") == "live",
        test_recipients=frozenset(map(_recipient, env.words("TEST_RECIPIENTS"))),
        resend_unknown=env.one_of("AMBIGUOUS_OUTCOME", "hold", "resend") == "resend",
        validity=timedelta(hours=float(env.number("MESSAGE_VALIDITY_HOURS"))),
        max_segments=env.whole("MAX_SEGMENTS"),
        daily_segment_limit=env.whole("DAILY_SEGMENT_LIMIT"),
        segment_price_eur=env.number("SEGMENT_PRICE_EUR"),
        store_text=env.flag("STORE_TEXT"),
    )


def retention(env: Environment) -> timedelta:
    return timedelta(days=float(env.number("RETENTION_DAYS")))


def _sender(raw: str) -> str:
    try:
        return check_sender(raw)
    except InvalidSender as error:
        raise BadSetting(f"DEFAULT_SENDER: {error.detail}") from error


def _recipient(raw: str) -> str:
    try:
        return italian_mobile(raw)
    except InvalidNumber as error:
        raise BadSetting(f"TEST_RECIPIENTS: {error.detail}") from error
