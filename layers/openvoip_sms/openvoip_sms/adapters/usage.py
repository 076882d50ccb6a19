"""The day's counters: one item for each day of Rome, under a key of no message.

Every call is counted before it is made. Up to about forty sources the item stays below one
kilobyte, so that a count costs one write unit; DynamoDB takes about 1,000 units of one item a
second, which is the ceiling of all sending.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError

from openvoip_sms.adapters.record_item import Item
from openvoip_sms.adapters.store import translated
from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.rules.brake import Place
from openvoip_sms.rules.record import Record
from openvoip_sms.rules.usage import DayUsage, day_of_claim, source_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEPT = timedelta(days=800)  # a year can be asked for, and the one before it
_PAGE = 100  # keys of one BatchGetItem
_BY, _UNCERTAIN_BY = "by ", "uncertain by "
_NOT_APPLIED = frozenset({"ThrottlingException", "ProvisionedThroughputExceededException"})
_NOT_REACHED = (ConnectTimeoutError, EndpointConnectionError)

type NotCounted = Callable[[Record, Exception], None]


class DynamoUsage:
    """Implements the delivery's `Usage`. `once` is a client that tries a call once."""

    def __init__(
        self, client: "DynamoDBClient", once: "DynamoDBClient", table: str, not_counted: NotCounted
    ) -> None:
        self._client, self._once, self._table = client, once, table
        self._not_counted = not_counted

    def reserve(self, claimed: Record, limit: int) -> Place | None:
        """Count a claimed record; return its place. `None`: it does not fit into the limit."""
        segments, day = claimed.segments or 0, day_of_claim(claimed)
        if day is None or (limit and segments > limit):
            return None
        request = _counting(self._table, claimed, day, 1, _BY) | {"ReturnValues": "UPDATED_NEW"}
        if limit:
            room = {":room": {"N": str(limit - segments)}}
            request["ExpressionAttributeValues"] |= room
            request["ConditionExpression"] = "attribute_not_exists(#segments) OR #segments <= :room"
        try:
            answer = self._reserved(request)
        except self._once.exceptions.ConditionalCheckFailedException:
            return None
        except StoreUnavailable as error:
            if not _was_not_applied(error):
                self.add_uncertain(claimed)
            raise
        return Place(day, int(answer["Attributes"]["messages"]["N"]), claimed.claim or "")

    def _reserved(self, request: Any) -> Any:  # noqa: ANN401 - the SDK's request and answer
        """Try again only what certainly did not reach the table."""
        try:
            with translated():
                return self._once.update_item(**request)
        except StoreUnavailable as error:
            if not _was_not_applied(error):
                raise
        with translated():
            return self._once.update_item(**request)

    def give_back(self, claimed: Record) -> None:
        self._correct(claimed, -1, _BY)

    def add_uncertain(self, claimed: Record) -> None:
        self._correct(claimed, 1, _UNCERTAIN_BY)

    def remove_uncertain(self, claimed: Record) -> None:
        self._correct(claimed, -1, _UNCERTAIN_BY)

    def used(self, day: date) -> int:
        with translated():
            found = self._client.get_item(
                TableName=self._table, Key={"id": {"S": _key(day)}}, ConsistentRead=True
            )
        return int(found.get("Item", {}).get("segments", {"N": "0"})["N"])

    def days(self, first: date, last: date) -> list[DayUsage]:
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        found: dict[str, Item] = {}
        for page in batched(days, _PAGE, strict=False):
            for item in self._items([{"id": {"S": _key(day)}} for day in page]):
                found[item["id"]["S"]] = item
        return [_day_usage(day, found.get(_key(day), {})) for day in days]

    def _items(self, keys: list[Item]) -> list[Item]:
        items = list[Item]()
        wanted: Any = {self._table: {"Keys": keys, "ConsistentRead": True}}
        while wanted:
            with translated():
                answer: Any = self._client.batch_get_item(RequestItems=wanted)
            items += answer["Responses"].get(self._table, [])
            wanted = answer.get("UnprocessedKeys")
        return items

    def _correct(self, claimed: Record, sign: int, kind: str) -> None:
        """Tried once: to repeat it could correct twice."""
        day = day_of_claim(claimed)
        if day is None:
            return
        try:
            with translated():
                self._once.update_item(**_counting(self._table, claimed, day, sign, kind))
        except StoreUnavailable as error:
            self._not_counted(claimed, error)


def _counting(table: str, claimed: Record, day: date, sign: int, kind: str) -> Any:  # noqa: ANN401
    """The request that adds a record's figures to its day, or takes them away."""
    prefix = "" if kind == _BY else "uncertain_"
    values: dict[str, Any] = {
        ":segments": sign * (claimed.segments or 0),
        ":one": sign,
        ":cost": sign * (claimed.cost_eur or Decimal(0)),
        ":ttl": int((datetime.combine(day, time(), UTC) + _KEPT).timestamp()),
    }
    names = {
        "#segments": f"{prefix}segments",
        "#messages": f"{prefix}messages",
        "#cost": f"{prefix}cost_eur",
        "#by": kind + source_of(claimed),
        "#ttl": "ttl",
    }
    return {
        "TableName": table,
        "Key": {"id": {"S": _key(day)}},
        "UpdateExpression": (
            "ADD #segments :segments, #messages :one, #cost :cost, #by :segments SET #ttl = :ttl"
        ),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {name: {"N": str(value)} for name, value in values.items()},
    }


def _key(day: date) -> str:
    return f"#usage#{day.isoformat()}"


def _was_not_applied(error: StoreUnavailable) -> bool:
    cause = error.__cause__
    return isinstance(cause, _NOT_REACHED) or str(error) in _NOT_APPLIED


def _day_usage(day: date, item: Item) -> DayUsage:
    def number(name: str) -> Decimal:
        return Decimal(item[name]["N"]) if name in item else Decimal(0)

    def certain(name: str, uncertain: str) -> Decimal:
        return max(Decimal(0), number(name) - number(uncertain))

    sources = sorted(name.removeprefix(_BY) for name in item if name.startswith(_BY))
    by_source = {one: int(certain(_BY + one, _UNCERTAIN_BY + one)) for one in sources}
    return DayUsage(
        day=day,
        segments=int(certain("segments", "uncertain_segments")),
        messages=int(certain("messages", "uncertain_messages")),
        cost_eur=certain("cost_eur", "uncertain_cost_eur"),
        uncertain_segments=int(number("uncertain_segments")),
        by_source={one: segments for one, segments in by_source.items() if segments},
    )
