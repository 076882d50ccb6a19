"""The local gateway without sockets: query in, call log entry and response out."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from local.gateway.call_log import CallDecision, CallLog, LoggedCall
from local.gateway.fault_schedule import FaultSchedule
from local.gateway.faults import Fault
from local.gateway.gateway_account import CallVerdict, GatewayAccount, SmsRequest
from local.gateway.gateway_response import GatewayResponse
from local.gateway.reply_forms import FORMS, reply

SCRIPT = "/sms_send_soa.php"

# Previews what a payload would cause at the service, whose code this program does not import: `{}`
# lists the sources; a `ValueError` carries a sentence for the user.
type PreviewHandler = Callable[[dict[str, str]], dict[str, Any]]


class GatewayCore:
    """Thread-safe: one call is decided at a time."""

    def __init__(
        self,
        account: GatewayAccount,
        *,
        reply_form: str = "mixed",
        encode_destination_twice: bool = False,
        seed: int = 0,
        preview: PreviewHandler | None = None,
    ) -> None:
        if reply_form not in FORMS:
            raise ValueError(
                f"There is no reply form {reply_form!r}. There are: {', '.join(FORMS)}."
            )
        self.seed = seed
        self.preview = preview
        self._account = account
        self._form = reply_form
        self._destination_twice = encode_destination_twice
        self._schedule = FaultSchedule()
        self._log = CallLog()
        self._changed = threading.Condition()

    def answer(self, query: bytes) -> GatewayResponse:
        """Decide a call and log it before its response is sent."""
        request = SmsRequest.from_query(query, destination_twice=self._destination_twice)
        with self._changed:
            fault = self._schedule.next(request.destination.decode(errors="replace"))
            verdict = self._account.check(request)
            accepted = verdict is CallVerdict.ACCEPTED and (fault is None or fault.accepts)
            response = self._response(verdict, fault, query)
            if accepted:
                self._account.charge()
            nothing = response.mode.sends_nothing
            decision = CallDecision(
                signed=self._account.is_signed(request),
                verdict=verdict,
                accepted=accepted,
                fault=fault.kind if fault else None,
                status=None if nothing else response.status,
                reply=None if nothing else response.body,
            )
            self._log.add(request, decision, datetime.now(UTC))
            self._changed.notify_all()
        return response

    def _response(self, verdict: CallVerdict, fault: Fault | None, query: bytes) -> GatewayResponse:
        shown = fault.refuses if fault and fault.refuses else verdict
        target = f"{SCRIPT}?{query.decode('latin-1')}"
        correct = GatewayResponse(200, reply(shown, self._form).encode(), target=target)
        return fault.applied_to(correct) if fault else correct

    @property
    def calls(self) -> list[LoggedCall]:
        """Every call, in the order of arrival."""
        return self.calls_after(0)

    @property
    def accepted(self) -> list[LoggedCall]:
        """The SMS that were sent, in the order of arrival."""
        return [call for call in self.calls if call.accepted]

    def calls_after(self, call_id: int) -> list[LoggedCall]:
        with self._changed:
            return self._log.after(call_id)

    def wait_for_calls(self, count: int, timeout: float = 60.0) -> list[LoggedCall]:
        """Return every call, once there are `count`.

        Raises:
            TimeoutError: When they did not arrive within `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._log.after(0)) >= count, timeout):
                raise TimeoutError(f"{len(self._log.after(0))} of {count} calls arrived")
            return self._log.after(0)

    def fail_next(self, count: int, fault: Fault | str, to: str | None = None) -> None:
        """Inject a fault into the next `count` calls, to `to` or any number.

        Raises:
            ValueError: With a sentence, for an unknown fault or a count below one.
        """
        if count < 1:
            raise ValueError("A count is a whole number from 1.")
        self.fail(fault, count, to)

    def fail(self, fault: Fault | str, count: int | None = None, to: str | None = None) -> None:
        """Inject a fault into `count` calls, or into all until cleared, to `to` or any number."""
        with self._changed:
            self._schedule.add(_fault(fault), count, to)

    def fail_rate(self, rate: float, faults: Sequence[Fault | str], seed: int) -> None:
        """Inject one of the faults into a share of the calls; see `FaultSchedule.set_rate`."""
        with self._changed:
            self._schedule.set_rate(rate, [_fault(fault) for fault in faults], seed)

    def faults_to_come(self) -> dict[str, object]:
        """The faults that are still due, as JSON."""
        with self._changed:
            return self._schedule.as_json()

    def clear_faults(self) -> None:
        with self._changed:
            self._schedule.clear()

    def rotate_secret(self, new: str) -> None:
        """From now on only the new secret is valid."""
        with self._changed:
            self._account.rotate_secret(new)

    def clear(self) -> None:
        """Start over: no calls, no faults, the full credit. The secret stays."""
        with self._changed:
            self._log.clear()
            self._schedule.clear()
            self._account.refill()

    def state(self, after: int) -> dict[str, object]:
        """The calls after that one and the rest of the page's data, as one snapshot."""
        with self._changed:
            return {
                "calls": [call.as_json() for call in self._log.after(after)],
                "first": self._log.first,
                "credit": self._account.credit,
                "faults": self._schedule.as_json(),
            }


def _fault(fault: Fault | str) -> Fault:
    return Fault(fault) if isinstance(fault, str) else fault
