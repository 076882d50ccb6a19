"""Sees every write of a message: what must never be written, and what it may leave unknown."""

from collections import Counter, defaultdict

from openvoip_sms.rules import limits
from openvoip_sms.rules.record import FINAL, Reason, Status
from tests.simulation.ledger import Ledger, Metrics
from tests.simulation.stage import Actor
from tests.simulation.table import Item, text_of
from tests.simulation.world import Process, World

RESENT_FROM = {Status.UNKNOWN, Status.FAILED, Status.EXPIRED}
BY_PERSON = {Reason.RESENT_BY_PERSON, Reason.CONFIRMED_BY_PERSON}
# Tried again while nobody knew: that stays for good, even if the claim's owner had only been slow.
STAYS_MAYBE_SENT = {Reason.LEASE_EXPIRED, Reason.RESENT_BY_PERSON}
# What dashboard and alarms promise of each status and reason (docs/operations.md).
METRICS = {
    Status.SENT: "Sent",
    Status.REJECTED: "Rejected",
    Status.FAILED: "Failed",
    Status.UNKNOWN: "Unknown",
    Status.EXPIRED: "Expired",
    Status.SUPPRESSED: "Suppressed",
}
FOR_A_PERSON = {Reason.BAD_CREDENTIALS, Reason.SECRET_NOT_SET, Reason.GATEWAY_MISCONFIGURED}


class Changes:
    """Told by the table's client; knows which message became what."""

    def __init__(self, world: World, ledger: Ledger) -> None:
        self._world, self._ledger = world, ledger
        self.by_text: dict[str, Item] = {}
        self.held: dict[str, set[str]] = {}  # by text: the reasons
        self.claimed: dict[str, Item] = {}  # by text, as it was claimed last
        self.claims_of: defaultdict[str, set[str]] = defaultdict(set)  # by text
        self.segments_of_claim: dict[str, int] = {}
        self.resends_of_unknown: Counter[str] = Counter()  # by text
        self.sent_beyond_limit: set[str] = set()  # texts that a person resent
        self.control: list[
            tuple[float, Item]
        ] = []  # each state of switch and brake, and since when
        self.lost_segments = 0  # of the day's counter, at most: its answers were lost
        world.on_death.append(self._died)

    def written(self, current: Item | None, new: Item, *, is_claim: bool | None = None) -> None:
        """A record was put; or updated, which is counted for a claim alone, by its call."""
        text, reason = text_of(new), string(new, "reason")
        self._world.note(f"written {string(new, 'status')} v{version(new)} {reason}", text)
        if current is not None:
            self._check(current, new)
        if new["maybe_sent"]["BOOL"] and reason in STAYS_MAYBE_SENT:
            self._world.may_become_unknown(text)
        self.by_text[text] = new
        if "hold_shard" in new:
            self.held.setdefault(text, set()).add(reason)
        if string(new, "status") == Status.SENDING:
            self.claimed[text] = new
            self.claims_of[text].add(string(new, "claim"))
            self.segments_of_claim[string(new, "claim")] = segments(new)
        is_mark = is_claim is not None or (
            current is not None and current["updated_at"] == new["updated_at"]
        )
        self._ledger.written(text, {} if is_mark else metrics_of(new))

    def answered(self) -> None:
        self._ledger.answered()

    def refused(self, current: Item | None, new: Item, *, creates: bool) -> None:
        """The condition did not hold, perhaps because of our own write a moment ago."""
        if current is new:
            self._ledger.answered()
            return
        if current == new:
            # Two made the same change in the same millisecond: each takes it for its own.
            self._ledger.happened_twice(metrics_of(new))
            return
        self._world.note(f"refused {string(new, 'status')} v{version(new)}", text_of(new))
        if self._ledger.answer_lost():
            # Ours was written, and changed by another before the SDK tried again.
            self._claim_is_lost(new)
            self._ledger.may_count("Duplicates")
        elif creates:
            self._ledger.happened({"Duplicates": 1})

    def update_refused(self, current: Item | None, mine: Item | None) -> None:
        """The condition of an update did not hold, perhaps because of our own a moment ago."""
        if mine is not None and current is mine:
            self._ledger.answered()
        elif mine is not None and self._ledger.answer_lost():
            self._claim_is_lost(mine)

    def controlled(self, item: Item) -> None:
        """The item of switch and brake was written."""
        self.control.append((self._world.stage.now, item))
        self._world.note(f"control {item['brake']['S']} {string(item, 'paused_since')}", "")

    def usage_lost(self, segments: int) -> None:
        """Nobody knows whether the day's counter took a change."""
        self.lost_segments += segments

    def failed(self, current: Item | None, new: Item) -> None:
        """Every attempt failed: a claim that its owner knows nothing of, or a lost outcome."""
        knew = current is not None and string(current, "claim") in self._world.process().claims
        self.lost_segments += segments(new)  # they are not given back
        if self._ledger.answer_lost():
            self._claim_is_lost(new)
        elif knew:
            self._world.may_become_unknown(text_of(new))

    def read(self, item: Item | None) -> None:
        """A webhook that finds its event's message says that it came again."""
        if item is not None:
            self._ledger.may_count("Duplicates")

    def updated(self, expression: str) -> None:
        if "paused_until" in expression:
            self._ledger.happened({"SourcesPaused": 1})

    def _claim_is_lost(self, new: Item) -> None:
        if string(new, "status") == Status.SENDING:
            self._world.may_become_unknown(text_of(new))

    def _died(self, _actor: Actor, process: Process, text: str) -> None:
        item = self.by_text.get(text)
        if item is not None and string(item, "claim") in process.claims:
            self._world.may_become_unknown(text)
        mine = (self.segments_of_claim[claim] for claim in process.claims & self.claims_of[text])
        self.lost_segments += sum(mine)

    def _check(self, current: Item, new: Item) -> None:
        text, before = text_of(new), string(current, "status")
        reason = string(new, "reason")
        resent = reason == Reason.RESENT_BY_PERSON
        suppressed_by_limit = string(current, "reason") in limits.REASONS
        if resent and before == Status.UNKNOWN:
            self.resends_of_unknown[text] += 1
        if resent and suppressed_by_limit:
            self.sent_beyond_limit.add(text)
        if text != text_of(current):
            self._world.violation(f"{string(new, 'id')} became another message", text)
        if before in FINAL and not (resent and (before in RESENT_FROM or suppressed_by_limit)):
            self._world.violation(f"{before} was final and became {string(new, 'status')}", text)
        if version(new) != version(current) + 1:
            sentence = f"version {version(current)} became {version(new)}"
            self._world.violation(sentence, text)
        if before == Status.UNKNOWN and reason not in BY_PERSON:
            self._check_late_answer(current, text)

    def _check_late_answer(self, current: Item, text: str) -> None:
        """Of an unknown message only a person knows more, or the worker whose claim it was."""
        if string(current, "claim") not in self._world.process().claims:
            self._world.violation("another worker's unknown was overwritten", text)


def metrics_of(item: Item) -> Metrics:
    """What must be counted when a message becomes this; a claim is told by its call."""
    status, metrics = string(item, "status"), Counter[str]()
    if status == Status.SENDING:
        return metrics
    if status in METRICS:
        metrics[METRICS[Status(status)]] = 1
    if status == Status.SENT:
        metrics["Segments"] = int(item["segments"]["N"])
    if "hold_shard" in item:
        metrics["Held"] = 1
    elif status == Status.QUEUED and item["attempts"]["N"] != "0":
        metrics["Retried"] = 1
    if string(item, "reason") in FOR_A_PERSON:
        metrics["ConfigurationErrors"] = 1
    return metrics


def string(item: Item, name: str) -> str:
    return str(item[name]["S"]) if name in item else ""


def version(item: Item) -> int:
    return int(item["version"]["N"])


def segments(item: Item) -> int:
    return int(item["segments"]["N"]) if "segments" in item else 0
