"""The switch: a person stops all sending, and lets it go on. Safe to repeat."""

from dataclasses import dataclass

from openvoip_sms.delivery.ports import Clock, SendingControl, Telemetry, Waker
from openvoip_sms.rules.sending import Pause, Sending, with_pause


@dataclass(frozen=True, slots=True)
class Switch:
    """May raise `StoreUnavailable`: then it is not known whether the switch was set."""

    control: SendingControl
    waker: Waker
    telemetry: Telemetry
    clock: Clock

    def show(self) -> Sending:
        return self.control.fresh()

    def pause(self, reason: str | None, by: str | None) -> Sending:
        """Stop all sending. To repeat it changes who and why, but not since when."""
        now = self.clock()

        def paused(sending: Sending) -> Sending:
            since = sending.pause.since if sending.pause else now
            return with_pause(sending, Pause(since, reason, by))

        before, after = self.control.change(paused)
        if before != after:
            self.telemetry.switched(after)
        return after

    def resume(self) -> Sending:
        """Let everything go on: what waits is handed over at once."""
        before, after = self.control.change(lambda sending: with_pause(sending, None))
        if before != after:
            self.telemetry.switched(after)
        self.waker.call()  # also when repeated: the first call may have failed
        return after
