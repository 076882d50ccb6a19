"""The gateway of the simulated world, and its own log: the truth about what was sent."""

from collections import Counter
from dataclasses import dataclass

from openvoip_sms.delivery.deliver import CALL_BUDGET
from openvoip_sms.delivery.ports import Sms
from openvoip_sms.openvoip.account import OpenvoipAccount
from openvoip_sms.openvoip.connection import CONNECT_SECONDS, READ_SECONDS
from openvoip_sms.rules.call_result import CallOutcome, CallResult
from openvoip_sms.rules.record import Status
from openvoip_sms.rules.rfc3339 import from_rfc3339
from tests.simulation.changes import Changes, string
from tests.simulation.ledger import Ledger
from tests.simulation.world import World

FAULTS = (
    "accepted_reply_lost cut_before_acceptance server_error generic_error bad_destination"
    " security_error unreachable busy misconfigured"
).split()
REPLIES = {
    "accepted": CallResult(CallOutcome.ACCEPTED, "000", "000 messaggio inoltrato correttamente"),
    "accepted_reply_lost": CallResult(CallOutcome.UNCERTAIN, fault="ReadTimeoutError"),
    "cut_before_acceptance": CallResult(CallOutcome.UNCERTAIN, fault="ProtocolError"),
    "server_error": CallResult(CallOutcome.UNCERTAIN, "http_500"),
    "generic_error": CallResult(CallOutcome.GENERIC_ERROR, "099", "099 errore generico"),
    "bad_destination": CallResult(CallOutcome.BAD_DESTINATION, "020"),
    "security_error": CallResult(CallOutcome.BAD_CREDENTIALS, "010", "Security error"),
    "unreachable": CallResult(CallOutcome.UNREACHABLE, fault="ConnectTimeoutError"),
    "misconfigured": CallResult(CallOutcome.MISCONFIGURED, "http_404"),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One line of the gateway's own log."""

    at: float
    text: str
    happened: str
    accepted: bool
    retry_after: float | None


class SimGateway:
    """Takes the place of the HTTP client. Answers as `script` says, then by chance."""

    def __init__(
        self, world: World, changes: Changes, ledger: Ledger, *, one_call_at_a_time: bool
    ) -> None:
        self._world, self._changes, self._ledger = world, changes, ledger
        self.one_call_at_a_time = one_call_at_a_time
        self.secret = "first-secret"
        self.down: tuple[float, float] = (0.0, 0.0)  # from, until
        self.script: list[str] = []
        self.log: list[Call] = []
        self.called: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        self.at_once = self.max_at_once = 0

    def send(self, sms: Sms, account: OpenvoipAccount) -> CallResult:
        if self.one_call_at_a_time:
            self._check_claim(sms.text)
        self.at_once += 1
        self.max_at_once = max(self.max_at_once, self.at_once)
        try:
            return self._call(sms, account)
        finally:
            self.at_once -= 1

    def _call(self, sms: Sms, account: OpenvoipAccount) -> CallResult:
        world = self._world
        world.leave(sms.text, world.random.uniform(0.01, 0.1))
        self.called[sms.text] += 1
        happened = self._what_happens(account)
        accepts = happened in ("accepted", "accepted_reply_lost") or (
            happened == "server_error" and world.random.random() < 0.5
        )
        if accepts:
            self.accepted[sms.text] += 1
        world.note(f"gateway {happened}{', accepted' if accepts else ''}", sms.text)
        reply = REPLIES.get(happened) or self._busy()
        self.log.append(Call(world.stage.now, sms.text, happened, accepts, reply.retry_after))
        if reply.outcome is CallOutcome.UNCERTAIN:
            world.may_become_unknown(sms.text)
        world.pause(self._seconds(happened))
        world.come_back()
        self._ledger.happened({"GatewayLatency": 1})
        return reply

    def _what_happens(self, account: OpenvoipAccount) -> str:
        world = self._world
        begin, end = self.down
        if begin <= world.stage.now < end:
            world.faults.happened["gateway_down_calls"] += 1
            return "unreachable"
        if account.secret != self.secret:
            return "security_error"
        if self.script:
            return self.script.pop(0)
        return world.faults.happens(*FAULTS) or "accepted"

    def _seconds(self, happened: str) -> float:
        if happened == "accepted_reply_lost":
            return READ_SECONDS
        if happened == "unreachable":
            return self._world.random.choice((0.01, CONNECT_SECONDS))
        return self._world.random.uniform(0.1, 0.6)

    def _busy(self) -> CallResult:
        after = self._world.random.choice((None, 1.0, 30.0, 1200.0))
        return CallResult(CallOutcome.BUSY, "http_503", retry_after=after)

    def _check_claim(self, text: str) -> None:
        """No call without a claim of one's own, in the table, that outlasts the call."""
        item, world = self._changes.by_text.get(text), self._world
        claimed = item is not None and string(item, "status") in (Status.SENDING, Status.UNKNOWN)
        if item is None or not claimed or string(item, "claim") not in world.process().claims:
            world.violation("called without a claim", text)
        elif world.clock() + CALL_BUDGET > from_rfc3339(string(item, "claimed_until")):
            world.violation("called with too old a claim", text)
