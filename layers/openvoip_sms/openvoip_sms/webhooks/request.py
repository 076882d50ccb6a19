"""A webhook call as plain data."""

from dataclasses import dataclass, field

from openvoip_sms.rules.headers import Pairs, values_of

MAX_BODY_BYTES = 1024 * 1024  # longer bodies are answered 413 before they are parsed


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A call. All but the method may contain secrets or personal data, and is not printed.

    `url` is the public address that the sender called, `body` the bytes as they were sent.
    """

    method: str
    url: str = field(repr=False)
    headers: Pairs = field(repr=False)
    query: Pairs = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: str) -> str | None:
        """Return the first header of that name, in any case; None if there is none."""
        return next(iter(self.header_values(name)), None)

    def header_values(self, name: str) -> tuple[str, ...]:
        return values_of(self.headers, name)

    @property
    def media_type(self) -> str:
        """The content type, in lower case and without parameters."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    def query_values(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.query if key == name)
