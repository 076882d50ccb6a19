"""The SDK's client of the message table: it throttles, times out, and tries again by itself."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, NoReturn

from botocore.exceptions import ClientError, ReadTimeoutError

from openvoip_sms.wiring import core
from tests.simulation.changes import Changes
from tests.simulation.table import Item, MemoryTable, holds, text_of
from tests.simulation.world import World

PAGE = 25  # keys
CREATES = "attribute_not_exists"
COUNTERS = "#"  # keys of what is no message begin with it
CONTROL, USAGE = "#control", "#usage#"


class Refused(ClientError):
    """The condition does not hold; `response["Item"]` is what is stored."""

    def __init__(self, item: Item | None) -> None:
        found = {"Item": item} if item else {}
        response: Any = {"Error": {"Code": "ConditionalCheckFailedException"}, **found}
        super().__init__(response, "PutItem")
        self.item = item


class SimDynamoDb:
    """Each call is what the SDK makes of it: up to so many attempts, then an error."""

    exceptions = SimpleNamespace(ConditionalCheckFailedException=Refused)

    def __init__(self, world: World, changes: Changes) -> None:
        self._world, self._changes = world, changes
        self._attempts = int(core._CONFIG.retries["total_max_attempts"])
        self.table = MemoryTable()

    def once(self) -> "SimDynamoDb":
        """A client of the same table that tries each call once."""
        client = SimDynamoDb(self._world, self._changes)
        client.table, client._attempts = self.table, int(core.ONCE.retries["total_max_attempts"])
        return client

    def put_item(self, **request: Any) -> Item:
        item = request["Item"]
        key = item["id"]["S"]
        condition = request.get("ConditionExpression", "")
        values = request.get("ExpressionAttributeValues", {})

        def attempt() -> Item:
            current = self.table.get(key)
            if not holds(condition, current, values):
                raise Refused(current)
            self.table.put(item)
            if key == CONTROL:
                self._changes.controlled(item)
            elif not key.startswith(COUNTERS):
                self._changes.written(current, item)
            return {}

        if key.startswith(COUNTERS):
            return self._write("", attempt)
        try:
            answer = self._write(text_of(item), attempt)
        except Refused as refused:
            self._changes.refused(refused.item, item, creates=CREATES in condition)
            raise
        except (ClientError, ReadTimeoutError):
            self._changes.failed(self.table.get(key), item)
            raise
        self._changes.answered()
        return answer

    def update_item(self, **request: Any) -> Item:
        key, expression = request["Key"]["id"]["S"], request["UpdateExpression"]
        names = request.get("ExpressionAttributeNames", {})
        values = request.get("ExpressionAttributeValues", {})
        condition = request.get("ConditionExpression", "")

        def attempt() -> Item:
            current = self.table.get(key)
            if not holds(condition, current, values, names):
                raise Refused(current)
            return self.table.update(key, expression, names, values)

        if not key.startswith(COUNTERS):
            return self._update_record(request)
        try:
            item = self._write("", attempt)
        except (ClientError, ReadTimeoutError) as error:
            if key.startswith(USAGE) and not isinstance(error, Refused):
                self._changes.usage_lost(abs(int(values[":segments"]["N"])))
            raise
        if key.startswith(USAGE):
            self._world.note(
                f"usage {names['#segments']} {values[':segments']['N']}", self._world.text()
            )
        self._changes.updated(expression)
        return {"Attributes": item}

    def _update_record(self, request: dict[str, Any]) -> Item:
        """A claim, or a message that is held back no longer or for another reason."""
        key, values = request["Key"]["id"]["S"], request["ExpressionAttributeValues"]
        names, condition = request["ExpressionAttributeNames"], request["ConditionExpression"]
        before: Item | None = None
        mine: Item | None = None  # as an attempt whose answer was lost has written it

        def attempt() -> Item:
            nonlocal before, mine
            current = self.table.get(key)
            if current is None or not holds(condition, current, values, names):
                raise Refused(current)
            before = current
            mine = self.table.update(key, request["UpdateExpression"], names, values)
            self._changes.written(before, mine, is_claim=":claim" in values)
            return {}

        try:
            self._write(text_of(self.table.get(key)), attempt)
        except Refused as refused:
            self._changes.update_refused(refused.item, mine)
            raise
        except (ClientError, ReadTimeoutError):
            if mine is not None:
                self._changes.failed(self.table.get(key), mine)
            raise
        self._changes.answered()
        return {"Attributes": before}

    def get_item(self, **request: Any) -> Item:
        key = request["Key"]["id"]["S"]
        world = self._world
        world.leave(text_of(self.table.get(key)), world.random.uniform(0.002, 0.02))
        self._may_fail("table_throttled", "table_timeout_not_written")
        world.come_back()
        # What stood before the last write is a legal answer to a read that is not consistent.
        stale = not request.get("ConsistentRead") and world.random.random() < 0.5
        item = self.table.get_stale(key) if stale else self.table.get(key)
        self._changes.read(item)
        return {"Item": item} if item else {}

    def batch_get_item(self, **request: Any) -> Item:
        """Some keys are left out of an answer, and asked for again."""
        [(table, asked)] = request["RequestItems"].items()
        assert asked["ConsistentRead"]
        self._world.leave("", self._world.random.uniform(0.005, 0.05))
        self._may_fail("table_throttled", "table_timeout_not_written")
        self._world.come_back()
        left_out = asked["Keys"][1:] if self._world.faults.happens("batch_cut") else []
        keys = [key["id"]["S"] for key in asked["Keys"] if key not in left_out]
        unread = {table: asked | {"Keys": left_out}} if left_out else {}
        found = [item for item in map(self.table.get, keys) if item]
        return {"Responses": {table: found}, "UnprocessedKeys": unread}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "query"
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, **request: Any) -> Iterator[Item]:
        items = self._found(request)
        for start in range(0, max(1, len(items)), PAGE):
            page = items[start : start + PAGE]
            if page:  # most of the partitions are empty, and a run asks them all
                self._world.leave("", 0.01)
                self._may_fail("table_throttled")
                self._world.come_back()
            yield {"Items": page, "Count": len(page)}

    def _found(self, request: dict[str, Any]) -> list[Item]:
        if request["IndexName"] == "by_hold":
            return self._held(request)
        if request["IndexName"] == "by_check":
            keys = self._due(request)
        else:
            keys = self._counted(request) if request.get("Select") else self._listed(request)
        return [self._index_entry(key) for key in keys]

    def _index_entry(self, key: str) -> Item:
        item = self.table.items[key]
        return {name: item[name] for name in ("id", "created_at")}

    def _held(self, request: dict[str, Any]) -> list[Item]:
        assert request["KeyConditionExpression"] == "hold_shard = :shard"
        shard = request["ExpressionAttributeValues"][":shard"]["S"]
        found = self.table.held(shard)
        if found and self._world.faults.happens("index_stale"):
            return self.table.left_held(shard) + found[1:]
        return found

    def _listed(self, request: dict[str, Any]) -> list[str]:
        """The newest first; what is new may be missing."""
        assert request["IndexName"] == "by_status"
        assert request["KeyConditionExpression"].startswith("#key = :value AND created_at BETWEEN")
        values = request["ExpressionAttributeValues"]
        moments = {
            key: self.table.items[key]["created_at"]["S"]
            for key in self.table.in_status_shard(values[":value"]["S"])
        }
        since, until = (values[name]["S"] for name in (":since", ":until"))
        found = [key for key, moment in moments.items() if since <= moment <= until]
        found.sort(key=lambda key: moments[key], reverse=True)
        return found[1:] if found and self._world.faults.happens("index_stale") else found

    def _counted(self, request: dict[str, Any]) -> list[str]:
        assert request["IndexName"] == "by_status"
        assert request["KeyConditionExpression"] == "status_shard = :shard"
        return self.table.in_status_shard(request["ExpressionAttributeValues"][":shard"]["S"])

    def _due(self, request: dict[str, Any]) -> list[str]:
        """An index lags behind: it misses what is new, and shows what has changed since."""
        assert request["IndexName"] == "by_check"
        condition, values = request["KeyConditionExpression"], request["ExpressionAttributeValues"]
        index, left = self.table.by_check, self.table.left_by_check
        shard = values[":shard"]  # compared first: most of the partitions are empty
        in_shard = ((key, item) for key, item in index.items() if item["check_shard"] == shard)
        found = [key for key, item in in_shard if holds(condition, item, values)]
        if found and self._world.faults.happens("index_stale"):
            return found[1:] + ([left] if left else [])
        return found

    def _write(self, text: str, attempt: Callable[[], Item]) -> Item:
        world = self._world
        world.leave(text, world.random.uniform(0.003, 0.03))
        self._may_fail("table_throttled", "table_timeout_not_written")
        fault = world.faults.happens("table_timeout_written", "table_retried")
        if fault == "table_retried" and self._attempts == 1:
            fault = "table_timeout_written"
        if fault:
            self._lose_answers(fault, attempt)
        try:
            return attempt()
        finally:
            world.come_back()

    def _lose_answers(self, fault: str, attempt: Callable[[], Item]) -> None:
        """One attempt reaches the table and its answer gets lost, or all of them do."""
        all_of_them = fault == "table_timeout_written"
        for n in range(self._attempts if all_of_them else 1):
            with suppress(Refused):  # that answer is lost too
                attempt()
            self._world.note(f"its answer lost: {fault}", self._world.text())
            self._world.pause(read_timeout() + self._backoff(n))
        if all_of_them:
            _time_out()

    def _may_fail(self, *faults: str) -> None:
        fault = self._world.faults.happens(*faults)
        if not fault:
            return
        self._world.note(f"nothing done: {fault}", self._world.text())
        waits = 0.0 if fault == "table_throttled" else read_timeout()
        self._world.pause(sum(waits + self._backoff(n) for n in range(self._attempts)))
        if fault == "table_throttled":
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "AnyOperation")
        _time_out()

    def _backoff(self, attempt: int) -> float:
        """The standard mode's, except after the last attempt."""
        last = attempt == self._attempts - 1
        return 0.0 if last else self._world.random.uniform(0.0, 2.0**attempt)


def read_timeout() -> float:
    return float(core._CONFIG.read_timeout)


def _time_out() -> NoReturn:
    raise ReadTimeoutError(endpoint_url="https://dynamodb.example")
