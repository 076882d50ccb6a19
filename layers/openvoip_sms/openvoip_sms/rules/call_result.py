"""What one call to a gateway came to, by what may be done next: the same for every gateway."""

from dataclasses import dataclass
from enum import StrEnum


class CallOutcome(StrEnum):
    """What one call to the gateway came to, by what may be done next."""

    ACCEPTED = "accepted"  # sent, as far as anybody can know
    BAD_DESTINATION = "bad_destination"  # refused for good
    GENERIC_ERROR = "generic_error"  # refused; may be tried again a few times
    BAD_CREDENTIALS = "bad_credentials"  # refused until the account is right
    UNREACHABLE = "unreachable"  # certainly not sent: no connection came about
    BUSY = "busy"  # certainly not sent: the gateway asks to try later
    MISCONFIGURED = "misconfigured"  # certainly not sent: redirect or client error
    UNCERTAIN = "uncertain"  # sent or not, nobody knows


@dataclass(frozen=True, slots=True)
class CallResult:
    """One call's outcome; `code` and `raw` are the gateway's own words."""

    outcome: CallOutcome
    code: str = ""
    raw: str = ""
    retry_after: float | None = None  # seconds
    fault: str = ""  # which stage failed, when no reply came
