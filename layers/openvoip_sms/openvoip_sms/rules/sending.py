"""What holds all messages back: the switch and the brake, kept in one item of the table."""

from dataclasses import dataclass, replace
from datetime import datetime

from openvoip_sms.rules.brake import OPEN, Brake
from openvoip_sms.rules.record import Reason


@dataclass(frozen=True, slots=True)
class Pause:
    """A person has stopped all sending."""

    since: datetime
    reason: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Sending:
    """`version` grows with every change, which is stored only if it was made from the current."""

    pause: Pause | None = None
    brake: Brake = OPEN
    version: int = 0

    def held_by(self, now: datetime) -> Reason | None:
        """Why no message may be claimed now; `None`: one may."""
        if self.pause is not None:
            return Reason.PAUSED
        if self.brake.is_open or self.brake.has_permits(now):
            return None
        return Reason.GATEWAY_DOWN


def with_brake(sending: Sending, brake: Brake) -> Sending:
    """Return the next version, or the same where nothing changes."""
    if brake == sending.brake:
        return sending
    return replace(sending, brake=brake, version=sending.version + 1)


def with_pause(sending: Sending, pause: Pause | None) -> Sending:
    """Return the next version, or the same where nothing changes."""
    if pause == sending.pause:
        return sending
    return replace(sending, pause=pause, version=sending.version + 1)
