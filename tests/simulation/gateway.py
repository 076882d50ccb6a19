"""The gateway of the simulated world, and its own log: the truth about what was sent."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openvoip_sms.delivery.call import CALL_BUDGET
from openvoip_sms.delivery.ports import Sms
from openvoip_sms.openvoip.account import OpenvoipAccount
from openvoip_sms.openvoip.connection import CONNECT_SECONDS, READ_SECONDS
from openvoip_sms.rules.brake import BrakeState
from openvoip_sms.rules.call_result import CallOutcome, CallResult
from openvoip_sms.rules.record import Status
from openvoip_sms.rules.rfc3339 import from_rfc3339
from openvoip_sms.rules.rome import day_of
from openvoip_sms.rules.transitions import LEASE
from tests.simulation.changes import Changes, string
from tests.simulation.ledger import Ledger
from tests.simulation.world import World

if TYPE_CHECKING:
    from datetime import date

PROBE = "probe"  # the text of a call that is no message
MAX_LOOK = 10.0  # seconds
FAULTS = (
    "accepted_reply_lost cut_before_acceptance server_error generic_error bad_destination"
    " security_error unreachable busy misconfigured"
).split()
UNCLEAR = ("accepted_reply_lost", "cut_before_acceptance", "server_error")
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
class Unwell:
    """A time in which this share of the calls gets one of these answers."""

    begin: float = 0.0
    end: float = 0.0
    share: float = 1.0
    answers: tuple[str, ...] = ()
    probes: bool = True  # whether probes are answered so as well


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
        self,
        world: World,
        changes: Changes,
        ledger: Ledger,
        *,
        one_call_at_a_time: bool,
        daily_limit: int,
    ) -> None:
        self._world, self._changes, self._ledger = world, changes, ledger
        self.one_call_at_a_time = one_call_at_a_time
        self._daily_limit = daily_limit  # 0: none
        self.segments: Counter[date] = Counter()  # accepted or in doubt, by the day of the claim
        self.secret = "first-secret"
        self.down: tuple[float, float] = (0.0, 0.0)  # from, until
        self.unwell = Unwell()
        self.script: list[str] = []
        self.log: list[Call] = []
        self.called: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        self.at_once = self.max_at_once = 0
        self.probes = 0

    def send(self, sms: Sms, account: OpenvoipAccount) -> CallResult:
        if sms.text == PROBE:
            return self._probe(account)
        if self.one_call_at_a_time:
            self._check_claim(sms.text)
        self._check_switch(sms.text)
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
        if accepts or reply.outcome is CallOutcome.UNCERTAIN:
            self._count(sms.text)
        world.pause(self._seconds(happened))
        world.come_back()
        self._ledger.happened({"GatewayLatency": 1})
        return reply

    def _count(self, text: str) -> None:
        """Count for the day of the claim, which is known while the call lasts."""
        item = self._changes.claimed[text]
        day = day_of(from_rfc3339(string(item, "claimed_until")) - LEASE)
        self.segments[day] += int(item["segments"]["N"])
        if self._daily_limit and self.segments[day] > self._daily_limit:
            self._world.violation("called beyond the day's limit", text)

    def _probe(self, account: OpenvoipAccount) -> CallResult:
        """The same call with a wrong signature: it never sends anything."""
        world = self._world
        assert account.secret not in (self.secret, "")
        world.leave("", world.random.uniform(0.01, 0.1))
        happened = (self.unwell.probes and self._answer_while_unwell()) or "security_error"
        if self._is_down():
            happened = "unreachable"
        self.probes += 1
        world.note(f"probe {happened}", "")
        world.pause(self._seconds(happened))
        world.come_back()
        return REPLIES.get(happened) or self._busy()

    def _is_down(self) -> bool:
        begin, end = self.down
        return begin <= self._world.stage.now < end

    def _answer_while_unwell(self) -> str | None:
        world, unwell = self._world, self.unwell
        is_unwell = unwell.begin <= world.stage.now < unwell.end
        if not is_unwell or world.random.random() >= unwell.share:
            return None
        world.faults.happened["gateway_unwell_calls"] += 1
        return world.random.choice(unwell.answers)

    def _what_happens(self, account: OpenvoipAccount) -> str:
        world = self._world
        if self._is_down():
            world.faults.happened["gateway_down_calls"] += 1
            return "unreachable"
        if answer := self._answer_while_unwell():
            return answer
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

    def _check_switch(self, text: str) -> None:
        """No call when switch or brake have stopped all sending; a look at them may be 10 s old."""
        control = self._changes.control
        if not control:
            return
        since, item = control[-1]
        if self._world.stage.now - since <= MAX_LOOK:
            return
        if "paused_since" in item:
            self._world.violation("called while sending was paused", text)
        if item["brake"]["S"] == BrakeState.HOLDING:
            self._world.violation("called while the brake was holding", text)

    def _check_claim(self, text: str) -> None:
        """No call without a claim of one's own, in the table, that outlasts the call."""
        item, world = self._changes.by_text.get(text), self._world
        claimed = item is not None and string(item, "status") in (Status.SENDING, Status.UNKNOWN)
        if item is None or not claimed or string(item, "claim") not in world.process().claims:
            world.violation("called without a claim", text)
        elif world.clock() + CALL_BUDGET > from_rfc3339(string(item, "claimed_until")):
            world.violation("called with too old a claim", text)
