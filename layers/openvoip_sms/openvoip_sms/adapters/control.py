"""The item that holds all messages back: the switch and the brake, under a key of no message.

Read at most once in two seconds by a container. Each change is stored only if it was made from the
current version.
"""

import secrets
from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from openvoip_sms.adapters.record_item import Item
from openvoip_sms.adapters.store import translated
from openvoip_sms.delivery.ports import MAX_CONTROL_AGE, StoreUnavailable, UnreadableRecord
from openvoip_sms.rules.brake import OPEN, Brake, BrakeState, Place
from openvoip_sms.rules.rfc3339 import from_rfc3339, to_rfc3339
from openvoip_sms.rules.sending import Pause, Sending

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY = "#control"
_WRITE_ID = "write_id"
_MAX_TRIES = 100  # workers that change it at the same moment are fewer
_BRAKE_TIMES = "since next_try probing_until half_open_since".split()
_BRAKE_NUMBERS = "pauses half_open_size half_open_taken half_open_clear".split()


class DynamoControl:
    """Implements the delivery's `SendingControl`. One for all threads of a container."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        clock: Callable[[], datetime],
        found_unreadable: Callable[[UnreadableRecord], None] = lambda _: None,
    ) -> None:
        self._client, self._table, self._clock = client, table, clock
        self._found_unreadable = found_unreadable
        self._known: tuple[Sending, datetime] | None = None

    def current(self) -> Sending:
        """Return it as it was at most `MAX_CONTROL_AGE` ago."""
        known = self._known
        if known is not None and known[1] <= self._clock() < known[1] + MAX_CONTROL_AGE:
            return known[0]
        return self.fresh()

    def fresh(self) -> Sending:
        """Return it by a consistent read."""
        now = self._clock()
        with translated():
            found = self._client.get_item(
                TableName=self._table, Key={"id": {"S": KEY}}, ConsistentRead=True
            )
        return self._learn(self._to_sending(found.get("Item")), now)

    def change(self, change: Callable[[Sending], Sending]) -> tuple[Sending, Sending]:
        """Store what `change` makes of the current state; return before and after."""
        before = self.current()
        if change(before) == before:  # what is remembered may have changed since
            before = self.fresh()
        for _ in range(_MAX_TRIES):
            after = change(before)
            if after == before or (current := self._replace(before, after)) is None:
                return before, after
            before = current
        raise StoreUnavailable("the control item changes too often")

    def _replace(self, before: Sending, after: Sending) -> Sending | None:
        """Write the next version; return what is stored instead, if another was faster.

        Two workers may make the same of one version, so each write has an id: the same write,
        retried by the SDK after a lost reply, is refused too.
        """
        now, write_id = self._clock(), {"S": secrets.token_hex(8)}
        request: Any = {
            "TableName": self._table,
            "Item": _to_item(after) | {_WRITE_ID: write_id},
            "ConditionExpression": "version = :old",
            "ExpressionAttributeValues": {":old": {"N": str(before.version)}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if before.version == 0:
            request["ConditionExpression"] = "attribute_not_exists(id)"
            del request["ExpressionAttributeValues"]
        try:
            with translated():
                self._client.put_item(**request)
        except self._client.exceptions.ConditionalCheckFailedException as refused:
            found: Any = refused.response.get("Item", {})
            if found.get(_WRITE_ID) != write_id:
                return self._learn(self._to_sending(found), now)
        self._learn(after, now)
        return None

    def _learn(self, sending: Sending, read_at: datetime) -> Sending:
        """Remember it, unless another thread knows a later version."""
        known = self._known
        if known is None or known[0].version <= sending.version:
            self._known = sending, read_at
        return sending

    def _to_sending(self, item: Item | None) -> Sending:
        try:
            return _to_sending(item) if item else Sending()
        except (KeyError, ValueError, TypeError, ArithmeticError, AttributeError):
            unreadable = UnreadableRecord(KEY, {}, "control")
            self._found_unreadable(unreadable)
            raise unreadable from None


def _to_item(sending: Sending) -> Item:
    pause, brake = sending.pause, sending.brake
    values: dict[str, Any] = {"id": KEY, "version": sending.version, "brake": brake.state}
    if pause is not None:
        values |= {"paused_since": pause.since, "paused_for": pause.reason, "paused_by": pause.by}
    names = _BRAKE_TIMES + _BRAKE_NUMBERS
    values |= {f"brake_{name}": getattr(brake, name) for name in names}
    values["brake_unclear"] = [_written(place) for place in brake.unclear] or None
    serialize = TypeSerializer().serialize
    return {
        name: serialize(to_rfc3339(value) if isinstance(value, datetime) else value)
        for name, value in values.items()
        if value is not None
    }


def _to_sending(item: Item) -> Sending:
    deserialize = TypeDeserializer().deserialize
    values: dict[str, Any] = {name: deserialize(value) for name, value in item.items()}
    pause = None
    if "paused_since" in values:
        since = from_rfc3339(values["paused_since"])
        pause = Pause(since, values.get("paused_for"), values.get("paused_by"))
    return Sending(pause, _to_brake(values), int(values["version"]))


def _to_brake(values: dict[str, Any]) -> Brake:
    parts: dict[str, Any] = {name: int(values[f"brake_{name}"]) for name in _BRAKE_NUMBERS}
    for name in _BRAKE_TIMES:
        if f"brake_{name}" in values:
            parts[name] = from_rfc3339(values[f"brake_{name}"])
    unclear = tuple(_read(one) for one in values.get("brake_unclear", ()))
    brake = Brake(BrakeState(values["brake"]), unclear=unclear, **parts)
    return OPEN if brake == OPEN else brake


def _written(place: Place) -> str:
    return f"{place.day.isoformat()} {place.number} {place.claim}"


def _read(text: str) -> Place:
    day, number, claim = text.split(" ", 2)
    return Place(date.fromisoformat(day), int(number), claim)
