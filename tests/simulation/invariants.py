"""What must hold when a run is over, whatever happened in it."""

from collections import Counter
from datetime import date

from openvoip_sms.rules.guard_item import GuardItem
from openvoip_sms.rules.record import HELD_BY, OPEN, Reason, Status
from tests.simulation.changes import string
from tests.simulation.dynamodb import COUNTERS, USAGE
from tests.simulation.ledger import ANSWER_LOST, DIED
from tests.simulation.table import Item, text_of
from tests.simulation.traffic import Clients
from tests.simulation.wired import RECIPIENTS, Wired
from tests.simulation.world import World

SAYS_NOT_SENT = frozenset(
    {Status.REJECTED, Status.FAILED, Status.EXPIRED, Status.SUPPRESSED, Status.CANCELLED}
)
LIMITS = frozenset(
    {Reason.RECIPIENT_LIMIT, Reason.RANGE_LIMIT, Reason.SOURCE_LIMIT, Reason.SOURCE_PAUSED}
)
MUST_BE_ZERO = (
    "lost",
    "sent twice",
    "false status",
    "false unknown",
    "without record",
    "over the limit",
    "under the limit",
    "usage wrong",
    "miscounted",
)
SHOWN = ("Sent", "Unknown")  # metrics
ZERO = {"N": "0"}


class Check:
    """Counts the ends of all messages, and finds those that must not be."""

    def __init__(
        self, world: World, wired: Wired, clients: Clients, *, repairs: int, resend: bool
    ) -> None:
        self._world, self._wired, self._clients = world, wired, clients
        self._repairs, self._resend = repairs, resend
        self.ends: Counter[str] = Counter()

    def all(self) -> None:
        self.ends["requests"] += self._clients.requests
        for key, item in self._wired.dynamodb.table.items.items():
            if not key.startswith(COUNTERS):
                self._record(item)
        for text in sorted(self._wired.gateway.accepted):
            self._sent(text)
        self._promises()
        self._dead_letters()
        self._limits()
        self._usage()
        self._metrics()
        for reason in HELD_BY:
            held = sum(reason in reasons for reasons in self._wired.changes.held.values())
            self.ends[f"held: {reason}"] += held
        self.ends["probes"] += self._wired.gateway.probes

    def _record(self, item: Item) -> None:
        text, status = text_of(item), string(item, "status")
        if status == Status.EXPIRED and text in self._wired.changes.held:
            self.ends["expired while held"] += 1
        accepted = self._wired.gateway.accepted[text]
        self.ends[status] += 1
        if status in OPEN:
            self._find("lost", f"still {status}, and nobody will come", text)
        if status == Status.UNKNOWN:
            self._unknown(text)
        if string(item, "reason") in LIMITS:
            self.ends["suppressed by a limit"] += 1
            if string(item, "source").endswith("shop"):
                self._find("over the limit", "a limit suppressed what a source signed", text)
        confirmed = string(item, "reason") == Reason.CONFIRMED_BY_PERSON
        if status == Status.SENT and not accepted and not confirmed:
            self._find("false status", "says sent, and never was", text)
        if status in SAYS_NOT_SENT and accepted:
            self._find("false status", f"says {status}, and was sent", text)
        if text in self._clients.forged:
            self._find("false status", "has a record, and its webhook was forged", text)

    def _unknown(self, text: str) -> None:
        """Each has its cause: an unclear reply, or a claim whose owner or write was lost."""
        if not self._world.causes_of_unknown[text]:
            self._find("false unknown", "says unknown without a reason", text)
        if not self._wired.gateway.called[text]:
            self.ends["unknown, never called"] += 1

    def _sent(self, text: str) -> None:
        allowed = 1 + self._wired.changes.resends_of_unknown[text]
        accepted = self._wired.gateway.accepted[text]
        if accepted > 1:
            self.ends["sent again on purpose"] += 1
        if accepted > allowed and not self._resend:
            self._find("sent twice", f"accepted {accepted} times", text)
        if text not in self._wired.changes.by_text:
            self._find("without record", "sent, and there is no record", text)

    def _promises(self) -> None:
        clients, known = self._clients, self._wired.changes.by_text.keys()
        for text in sorted(clients.promised - known):
            if self._is_dead_lettered(text):
                self.ends["dead-lettered"] += 1
            else:
                self._find("lost", "accepted, and now nowhere", text)
        self.ends["not accepted, as told"] += len(clients.sent - clients.promised - known)

    def _is_dead_lettered(self, text: str) -> bool:
        """It waits for a person: its id is in use, it came too often, or was interrupted."""
        dead = self._wired.sqs.dead
        reasons = [reason for body, reason in dead if f'{text}"' in body.replace("\\", "")]
        for_a_person = {"received_too_often", "interrupted"}
        return bool(reasons) and (
            text in self._clients.conflicting or not for_a_person.isdisjoint(reasons)
        )

    def _dead_letters(self) -> None:
        dead = self._wired.sqs.dead
        if len({body for body, _ in dead if "not_a_message" in body}) < self._clients.not_messages:
            self._find("lost", "what is no message was not dead-lettered", "")
        for body, reason in dead:
            if reason == "no_such_message":
                self._find("lost", f"a stored message was not found: {body}", "")

    def _limits(self) -> None:
        """What forms caused to one number within an hour, all of it in this hour."""
        through = Counter(
            string(item, "to")
            for item in self._wired.dynamodb.table.items.values()
            if string(item, "source").endswith("form")
            and text_of(item) not in self._wired.changes.sent_beyond_limit
            and string(item, "status") not in (Status.SUPPRESSED, Status.REJECTED)
        )
        if through and max(through.values()) > self._wired.recipient_limit:
            self._find("over the limit", "one number got more than its limit", "")
        self._repetitions()

    def _repetitions(self) -> None:
        """However often a form comes again or its call dies, it uses up one of its number's."""
        forms, items = self._clients.forms, self._wired.dynamodb.table.items
        for item in items.values():
            text, to = text_of(item), string(item, "to")
            if string(item, "reason") != Reason.RECIPIENT_LIMIT:
                continue
            if len(forms[to]) <= self._wired.recipient_limit:
                self._find("under the limit", "a limit suppressed what was within it", text)
        entries = [
            set(one["SS"]) for item in items.values() for one in item.values() if "SS" in one
        ]
        noted = GuardItem(this_hour=frozenset[str]().union(*entries))
        for number in RECIPIENTS:
            if len(noted.of_number(number).this_hour) > len(self._clients.events[number]):
                self._find("miscounted", "a repeated webhook was noted twice", "")

    def _usage(self) -> None:
        """Each day has counted what was called, and no more than what got lost on the way."""
        table, called = self._wired.dynamodb.table.items, self._wired.gateway.segments
        counted = {
            date.fromisoformat(key.removeprefix(USAGE)): int(item.get("segments", ZERO)["N"])
            for key, item in table.items()
            if key.startswith(USAGE)
        }
        for day in called.keys() | counted.keys():
            if counted.get(day, 0) < called[day]:
                sentence = f"{called[day]} segments called on {day}, {counted.get(day, 0)} counted"
                self._find("usage wrong", sentence, "")
        too_many = sum(counted.values()) - called.total()
        if too_many > self._wired.changes.lost_segments:
            lost = self._wired.changes.lost_segments
            self._find("usage wrong", f"{too_many} segments too many, {lost} were lost", "")
        self.ends["segments lost to the day"] += too_many

    def _metrics(self) -> None:
        ledger = self._wired.ledger
        for text, known in ledger.unknown.items():
            if not known:
                self._find("miscounted", "became unknown, and was never counted", text)
        if ledger.counted["WebhooksRefused"] != self._clients.refused:
            self._find("miscounted", "not the webhooks that were refused are counted", "")
        if ledger.counted["Requeued"] + ledger.counted["LeasesExpired"] != self._repairs:
            self._find("miscounted", "not what the reconciler found is counted", "")
        for metric in SHOWN:
            self.ends[f"{metric}, counted"] += ledger.counted[metric]
            for why in (DIED, ANSWER_LOST):
                self.ends[f"{metric}, not counted: {why}"] += ledger.not_counted[metric, why]
            self.ends[f"{metric}, counted by two"] += ledger.counted_twice[metric]
        self.ends["causes of unknown"] += self._world.causes_of_unknown.total()

    def _find(self, kind: str, sentence: str, text: str) -> None:
        self.ends[kind] += 1
        self._world.violation(sentence, text)
