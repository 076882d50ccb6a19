"""What must hold when a run is over, whatever happened in it."""

from collections import Counter

from openvoip_sms.rules.record import OPEN, Reason, Record, Status
from tests.simulation.traffic import Clients
from tests.simulation.wired import Wired
from tests.simulation.world import World

SAYS_NOT_SENT = frozenset(
    {Status.REJECTED, Status.FAILED, Status.EXPIRED, Status.SUPPRESSED, Status.CANCELLED}
)


class Verdicts:
    """Counts the ends of all messages, and finds those that must not be."""

    def __init__(self, world: World, wired: Wired, clients: Clients, *, resend: bool) -> None:
        self._world, self._wired, self._clients, self._resend = world, wired, clients, resend
        self.ends: Counter[str] = Counter()

    def judge(self) -> None:
        for record in self._wired.table.records.values():
            self._judge_record(record)
        for text in sorted(self._wired.gateway.accepted):
            self._judge_sent(text)
        for text in sorted(self._clients.promised - self._wired.table.by_text.keys()):
            if self._is_dead_lettered(text):
                self.ends["set aside"] += 1
            else:
                self._find("lost", "accepted, and now nowhere", text)
        if (
            len({body for body, _ in self._wired.sqs.dead if "rubbish" in body})
            < self._clients.rubbish
        ):
            self._find("lost", "what is no message was not set aside", "")

        self.ends["causes of a doubt"] = self._world.doubts.total()
        answered = self._clients.promised | self._wired.table.by_text.keys()
        self.ends["not taken, as told"] += len(self._clients.sent - answered)

    def _judge_record(self, record: Record) -> None:
        text, accepted = record.text or "", self._wired.gateway.accepted[record.text or ""]
        self.ends[record.status] += 1
        if record.status in OPEN:
            self._find("lost", f"still {record.status}, and nobody will come", text)
        if record.status is Status.UNKNOWN:
            self._judge_unknown(text)
        confirmed = record.reason == Reason.CONFIRMED_BY_PERSON
        if record.status is Status.SENT and not accepted and not confirmed:
            self._find("lied", "says sent, and never was", text)
        if record.status in SAYS_NOT_SENT and accepted:
            self._find("lied", f"says {record.status}, and was sent", text)

    def _judge_unknown(self, text: str) -> None:
        """Each doubt has its cause: an unclear reply, or a claim whose owner or write was lost."""
        if not self._world.doubts[text]:
            self._find("maybe_sent", "says unknown without a reason", text)
        if not self._wired.gateway.called[text]:
            self.ends["unknown, never called"] += 1

    def _judge_sent(self, text: str) -> None:
        allowed = 1 + self._wired.table.resends_of_unknown[text]
        accepted = self._wired.gateway.accepted[text]
        if accepted > 1:
            self.ends["sent again on purpose"] += 1
        if accepted > allowed and not self._resend:
            self._find("sent twice", f"accepted {accepted} times", text)
        if text not in self._wired.table.by_text:
            self._find("silent", "sent, and there is no record", text)

    def _is_dead_lettered(self, text: str) -> bool:
        """A message whose id another one has, or that came too often, waits for a person."""
        reasons = [
            reason for body, reason in self._wired.sqs.dead if f'{text}"' in body.replace("\\", "")
        ]
        return bool(reasons) and (
            text in self._clients.conflicting or "received_too_often" in reasons
        )

    def _find(self, kind: str, sentence: str, text: str) -> None:
        self.ends[kind] += 1
        self._world.violation(sentence, text)
