"""The outcome of one call, by what may be done next: the same for every gateway."""

from dataclasses import dataclass
from enum import StrEnum


class CallOutcome(StrEnum):
    """The outcome of one call to the gateway, by what may be done next."""

    ACCEPTED = "accepted"  # sent, as far as can be known
    BAD_DESTINATION = "bad_destination"  # refused for good
    GENERIC_ERROR = "generic_error"  # refused; may be tried again a few times
    BAD_CREDENTIALS = "bad_credentials"  # refused until the account is right
    UNREACHABLE = "unreachable"  # certainly not sent: no connection
    BUSY = "busy"  # certainly not sent: the gateway asks to try later
    MISCONFIGURED = "misconfigured"  # certainly not sent: redirect or client error
    UNCERTAIN = "uncertain"  # it is not known whether it was sent


@dataclass(frozen=True, slots=True)
class CallResult:
    """One call's outcome; `code` and `raw` are the reply's own."""

    outcome: CallOutcome
    code: str = ""
    raw: str = ""
    retry_after: float | None = None  # seconds
    fault: str = ""  # class of the error, when no reply came
