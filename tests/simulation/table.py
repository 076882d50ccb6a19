"""The table of the simulated world: it throttles, times out, and judges every write."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.rules.record import FINAL, OPEN, Reason, Record, Status
from tests.simulation.world import Process, World

RESENT_FROM = {Status.UNKNOWN, Status.FAILED, Status.EXPIRED}


def text_of(record: Record) -> str:
    """Each message of a run has its own text: it identifies the message at the gateway."""
    return record.text or ""


class SimTable:
    """A table that throttles, and times out with or without having written."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.records: dict[str, Record] = {}
        self.by_text: dict[str, Record] = {}
        self.open: dict[str, Record] = {}
        self.resends_of_unknown: Counter[str] = Counter()  # by text
        world.on_death = self._doubt_a_dead_claim

    def create(self, record: Record) -> Record:
        return self._write(None, record)

    def replace(self, old: Record, new: Record) -> Record | None:
        return self._write(old, new)

    def get(self, record_id: str) -> Record | None:
        record = self.records.get(record_id)
        self._world.leave(text_of(record) if record else "", self._world.dice.uniform(0.002, 0.02))
        if self._world.faults.happens("table_throttled", "table_timeout_not_written"):
            raise StoreUnavailable("throttled")
        self._world.come_back()
        return self.records.get(record_id)

    def due(self, now: datetime) -> Iterable[Record]:
        self._world.leave("", 0.01)
        if self._world.faults.happens("table_throttled"):
            raise StoreUnavailable("throttled")
        self._world.come_back()
        stale = self._world.faults.happens("index_stale")
        keys = [r.id for r in self.open.values() if r.check_at is not None and r.check_at <= now]
        for key in keys[1:] if stale else keys:
            record = self.get(key)
            if record is not None and record.check_at is not None and record.check_at <= now:
                yield record

    def refuses(self, old: Record | None, stands: Record | None, _new: Record) -> bool:
        """The condition on a write."""
        if old is None:
            return stands is not None
        return stands is None or stands.version != old.version

    def _write(self, old: Record | None, new: Record) -> Any:
        world, text = self._world, text_of(new)
        world.leave(text, world.dice.uniform(0.003, 0.03))
        fault = world.faults.happens(
            "table_throttled", "table_timeout_not_written", "table_timeout_written"
        )
        stands = self.records.get(new.id)
        written = fault in (None, "table_timeout_written") and not self.refuses(old, stands, new)
        if written:
            self._keep(stands, new)
        else:
            world.note(f"not written {new.status} v{new.version} {fault or 'refused'}", text)
        if fault:
            world.note(f"its answer lost: {fault}", text)
            self._doubt_a_lost_write(old, new, written=written)
            raise StoreUnavailable(fault)
        world.come_back()
        return new if written else stands

    def _keep(self, stands: Record | None, new: Record) -> None:
        text = text_of(new)
        self._world.note(f"written {new.status} v{new.version} {new.reason or ''}", text)
        if stands is not None:
            self._judge(stands, new)
        if new.maybe_sent and new.reason == Reason.LEASE_EXPIRED:
            # Under `resend` the doubt stays for good, even if the owner had only been slow.
            self._world.doubt(text)
        self.records[new.id] = self.by_text[text] = new
        if new.status in OPEN:
            self.open[new.id] = new
        else:
            self.open.pop(new.id, None)

    def _doubt_a_lost_write(self, old: Record | None, new: Record, *, written: bool) -> None:
        """A claim that its owner knows nothing of, or an outcome that its claim's owner lost."""
        own = self._world.process().claims
        knew = old is not None and old.claim in own
        if (new.status is Status.SENDING and written) or (knew and not written):
            self._world.doubt(text_of(new))

    def _doubt_a_dead_claim(self, process: Process, text: str) -> None:
        record = self.by_text.get(text)
        if record is not None and record.claim in process.claims:
            self._world.doubt(text)

    def _judge(self, stands: Record, new: Record) -> None:
        """What must never be written over what stands."""
        text, by_person = text_of(new), new.reason == Reason.RESENT_BY_PERSON
        if by_person and stands.status is Status.UNKNOWN:
            self.resends_of_unknown[text] += 1
        if text != text_of(stands):
            self._world.violation(f"{new.id} became another message", text)
        if stands.status in FINAL and not (by_person and stands.status in RESENT_FROM):
            self._world.violation(f"{stands.status} was final and became {new.status}", text)
        if new.version != stands.version + 1:
            self._world.violation(f"version {stands.version} became {new.version}", text)
