"""A sender's call, as plain data."""

from dataclasses import dataclass, field

from openvoip_sms.rules.headers import Pairs, values_of

MAX_BODY_BYTES = 1024 * 1024  # more is answered 413 before anything is computed


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """What arrived. Only method does not tell a secret or a person: nothing else is printed.

    `url` is the public address as the sender wrote it, `body` the bytes as they were sent.
    """

    method: str
    url: str = field(repr=False)
    headers: Pairs = field(repr=False)
    query: Pairs = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: str) -> str | None:
        """Return the first header of that name, in whatever case; None if there is none."""
        return next(iter(self.header_values(name)), None)

    def header_values(self, name: str) -> tuple[str, ...]:
        return values_of(self.headers, name)

    @property
    def media_type(self) -> str:
        """What the body says it is, without parameters."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    def query_values(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.query if key == name)
