"""The table, as the template defines it."""

import base64
import json
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from botocore.stub import Stubber

from openvoip_sms.adapters.record_item import to_item
from openvoip_sms.adapters.record_lists import DynamoLists
from openvoip_sms.adapters.store import DynamoStore
from openvoip_sms.delivery.ports import BadCursor, StoreUnavailable, UnreadableRecord
from openvoip_sms.rules import transitions
from openvoip_sms.rules.call_result import CallOutcome, CallResult
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import Reason, Record, Status, public
from tests.deliveries import delivery_on
from tests.fakes import ACCEPTED, START, FakeGateway
from tests.records import sending, waiting

RETENTION = timedelta(days=90)
FULL = Record(
    id="m-1",
    status=Status.SENDING,
    to="+393331234567",
    source="webhook:shopify",
    category="marketing",
    created_at=START,
    updated_at=START + timedelta(milliseconds=1),
    expires_at=START + timedelta(hours=24),
    fingerprint="f",
    sender="Bottega",
    text="L'ordine è pronto 😀\nGrazie",
    encoding="UCS-2",
    segments=2,
    replaced=({"character": "’", "by": "'", "count": 3},),
    cost_eur=Decimal("0.10"),
    archive=False,
    reference="pratica 7",
    attempts=2,
    gateway_code="099",
    gateway_reply="ERR: 099",
    reason="gateway_error",
    detail="The gateway answered with its generic error.",
    sent_at=START + timedelta(seconds=5),
    send_at=START,
    held_until=START + timedelta(hours=15),
    valid_for=86_400.0,
    claim="c-1",
    claimed_until=START + timedelta(seconds=90),
    refusals=1,
    maybe_sent=True,
    check_at=START + timedelta(seconds=90),
    decided_by="Anna Bianchi",
    resolution="guasto-24-novembre",
    version=7,
)


@pytest.fixture
def store(stack):
    return DynamoStore(stack.dynamodb, stack["MessageTable"], RETENTION)


def lists(store):
    return DynamoLists(store, store._client, store._table)


def item(stack, record_id="m-1"):
    found = stack.dynamodb.get_item(TableName=stack["MessageTable"], Key={"id": {"S": record_id}})
    return found["Item"]


# The table: one item a message


def test_a_record_is_read_as_it_was_written(store):
    assert all(getattr(FULL, one.name) not in (None, ()) for one in fields(FULL))
    assert store.create(FULL) == FULL
    assert store.get("m-1") == FULL


def test_what_is_absent_stays_absent(store, stack):
    record = waiting(text=None, sender=None, status=Status.CANCELLED)
    store.create(record)
    assert store.get("m-1") == record
    assert "text" not in item(stack)


def test_an_unused_id_has_no_record(store):
    assert store.get("m-9") is None


def test_the_first_message_under_an_id_stays(store):
    first = store.create(waiting(text="prima"))
    assert store.create(waiting(text="seconda")) == first
    assert store.get("m-1").text == "prima"


def test_a_change_is_stored_only_while_its_version_is_current(store):
    old = store.create(waiting())
    mine = transitions.claimed(old, "mine", START)
    theirs = transitions.claimed(old, "theirs", START)
    assert store.replace(old, mine) == mine
    assert store.replace(old, theirs) == mine
    assert store.get("m-1") == mine


def test_a_deleted_record_is_not_created_again(store):
    record = waiting()
    assert store.replace(record, transitions.claimed(record, "mine", START)) is None
    assert store.get("m-1") is None


def test_a_write_that_the_sdk_retried_is_recognised(store):
    """The first response was lost, and the second says that the condition is no longer true."""
    assert store.create(FULL) is FULL
    assert store.create(FULL) is FULL
    new = transitions.claimed(FULL, "mine", START)
    assert store.replace(FULL, new) is new
    assert store.replace(FULL, new) is new


def test_a_retried_write_is_recognised_even_though_the_table_trims_numbers(store, stack):
    """DynamoDB returns 86400.0 as 86400, and 0.10 as 0.1; the emulator does not."""
    store.create(FULL)
    trimmed = item(stack) | {"valid_for": {"N": "86400"}, "cost_eur": {"N": "0.1"}}
    stack.dynamodb.put_item(TableName=stack["MessageTable"], Item=trimmed)
    assert store.create(FULL) is FULL


def test_an_item_is_deleted_once_its_retention_is_over(store, stack):
    store.create(FULL)
    assert int(item(stack)["ttl"]["N"]) == int((FULL.expires_at + RETENTION).timestamp())


def test_an_item_has_no_attribute_for_a_secret_or_a_signature(store, stack):
    store.create(FULL)
    known = {one.name for one in fields(Record)}
    assert item(stack).keys() - known == {"ttl", "status_shard", "check_shard"}


def test_the_longest_text_of_all_fits(store):
    longest = waiting(text="🎉" * (255 * 33), cost_eur=Decimal("22.95"))
    store.create(longest)
    assert store.get("m-1") == longest


# Two versions of the code at once

POLICY = Policy(default_sender="Bottega", live=True)
LATER = {
    "opened_at": {"S": "2026-11-25T08:00:00.000Z"},
    "parts": {"L": [{"M": {"n": {"N": "1"}, "ok": {"BOOL": True}}}, {"NULL": True}]},
    "tags": {"SS": ["a", "b"]},
    "raw": {"B": b"\x00\xff"},
    "price": {"N": "0.1"},
    "nothing": {"NULL": True},
}


def written_by_a_later_version(stack, record, **changed):
    """Store the record with attributes that this version does not know, and these changed ones.

    `None` removes one.
    """
    attributes = to_item(record, RETENTION) | LATER | changed
    put = {name: value for name, value in attributes.items() if value is not None}
    stack.dynamodb.put_item(TableName=stack["MessageTable"], Item=put)


def later_part(stack, record_id="m-1"):
    found = item(stack, record_id)
    found["tags"] = {"SS": sorted(found["tags"]["SS"])}
    return {name: found[name] for name in LATER}


def test_what_a_later_version_has_stored_is_kept_by_every_write(store, stack):
    written_by_a_later_version(stack, waiting())
    record = store.get("m-1")
    reply = CallResult(CallOutcome.UNCERTAIN, "", "boh")
    steps = [
        lambda one: transitions.claimed(one, "c-1", START),
        lambda one: transitions.answered(one, reply, START, POLICY, 1.0).record,
        lambda one: transitions.resent(one, START, POLICY),
        lambda one: transitions.requeued(one, START),
        lambda one: transitions.claimed(one, "c-2", START),
        lambda one: transitions.released(one, Reason.GATEWAY_BUSY, START, 1.0).record,
        lambda one: transitions.cancelled(one, START, POLICY),
        lambda one: transitions.confirmed(one, START, POLICY),
    ]
    for step in steps:
        new = step(record)
        assert store.replace(record, new) == new
        assert later_part(stack) == LATER
        record = store.get("m-1")
        assert record == new
    assert record.status is Status.SENT
    assert "check_shard" not in item(stack)
    assert public(record).keys() & LATER.keys() == set()


def test_what_a_later_version_has_stored_is_kept_by_a_late_answer(store, stack):
    """While a worker was suspended in its call, another version recorded its lease as expired."""
    store.create(waiting())

    def lease_expired_meanwhile():
        after = transitions.lease_expired(store.get("m-1"), START, POLICY, 1.0)
        written_by_a_later_version(stack, after.record)
        return ACCEPTED

    delivery = delivery_on(
        FakeGateway(lease_expired_meanwhile), store, policy=POLICY, new_claim=lambda: "c-1"
    )
    assert delivery.send_stored("m-1", lambda: 60.0).record.status is Status.SENT
    assert store.get("m-1").status is Status.SENT
    assert later_part(stack) == LATER


def test_a_retried_write_is_recognised_among_attributes_of_a_later_version(store, stack):
    """A set has no order: DynamoDB returns it in any."""
    written_by_a_later_version(stack, waiting())
    old = store.get("m-1")
    new = transitions.claimed(old, "mine", START)
    assert store.replace(old, new) is new
    written_by_a_later_version(stack, new, tags={"SS": ["b", "a"]})
    assert store.replace(old, new) is new


def test_what_a_later_version_says_about_a_replacement_is_kept_and_not_shown(store, stack):
    replaced = {"character": {"S": "’"}, "by": {"S": "'"}, "count": {"N": "1"}, "at": {"N": "7"}}
    written_by_a_later_version(stack, waiting(), replaced={"L": [{"M": replaced}]})
    old = store.get("m-1")
    assert json.dumps(public(old)["replaced"], ensure_ascii=False) == (
        """[{"character": "’", "by": "'", "count": 1}]"""
    )
    store.replace(old, transitions.claimed(old, "mine", START))
    assert item(stack)["replaced"] == {"L": [{"M": replaced}]}


LATER_STATUS = {"status": {"S": "held"}}
DAMAGED = {
    "a status of a later version": LATER_STATUS,
    "a status that is not a word": {"status": {"S": "+393331234567"}},
    "a status that is not a text": {"status": {"N": "7"}},
    "no date and time": {"created_at": {"S": "gestern"}, "updated_at": {"S": "gestern"}},
    "a time without offset": {"expires_at": {"S": "2026-11-24T08:30:00"}},
    "a time before the year 1": {"send_at": {"S": "0001-01-01T00:00:00+23:00"}},
    "a number as time": {"updated_at": {"N": "1795626545"}},
    "a fraction as version": {"version": {"N": "1.5"}},
    "a text as number": {"segments": {"S": "2"}},
    "a number as text": {"text": {"N": "2"}},
    "a list as sender": {"sender": {"L": []}},
    "a text as flag": {"archive": {"S": "false"}},
    "replacements that are texts": {"replaced": {"L": [{"S": "x"}]}},
    "replacements without a count": {"replaced": {"L": [{"M": {}}]}},
    "a replacement by a number": {
        "replaced": {"L": [{"M": {"character": {"S": "’"}, "by": {"N": "1"}, "count": {"N": "1"}}}]}
    },
    "no fingerprint": {"fingerprint": None},
    "no source": {"source": {"NULL": True}},
    "no text to send": {"text": None},
    "no sender to send from": {"sender": {"NULL": True}},
    "nothing but keys": dict.fromkeys(
        "category expires_at fingerprint source updated_at version text sender".split()
    ),
    "nothing but its id": dict.fromkeys(
        "category expires_at fingerprint source updated_at version text sender"
        " status to created_at".split()
    ),
}


@pytest.fixture
def found():
    return []


@pytest.fixture
def reporting_store(stack, found):
    """A store that reports the records that it cannot read."""
    return DynamoStore(stack.dynamodb, stack["MessageTable"], RETENTION, found.append)


@pytest.mark.parametrize("changed", DAMAGED.values(), ids=DAMAGED)
def test_a_record_that_cannot_be_read_is_reported_and_not_overwritten(
    reporting_store, stack, found, changed
):
    written_by_a_later_version(stack, waiting(), **changed)
    before = item(stack)
    calls = [
        lambda: reporting_store.get("m-1"),
        lambda: reporting_store.create(waiting(text="altro")),
        lambda: reporting_store.replace(waiting(version=9), waiting(version=10)),
    ]
    for call in calls:
        with pytest.raises(UnreadableRecord) as refused:
            call()
        assert refused.value.id == "m-1"
        assert isinstance(refused.value, StoreUnavailable)  # for callers that know only that
        assert "333" not in refused.value.why
    assert item(stack) == before
    assert [one.id for one in found] == ["m-1"] * 3


def test_the_attribute_that_cannot_be_read_is_named(reporting_store, stack):
    written_by_a_later_version(stack, waiting(), **LATER_STATUS)
    with pytest.raises(UnreadableRecord) as refused:
        reporting_store.get("m-1")
    assert refused.value.why == "status held"


def test_a_record_that_cannot_be_read_hides_no_other_that_is_due(reporting_store, stack, found):
    fill(reporting_store, 12, check_at=START)
    for n, name in enumerate(["no text to send", "no fingerprint", "a number as text"]):
        written_by_a_later_version(stack, waiting(id=f"m-{n * 3}", check_at=START), **DAMAGED[name])
    due = sorted(one.id for one in reporting_store.due(START))
    assert due == sorted(f"m-{n}" for n in range(12) if n not in (0, 3, 6))
    assert sorted(one.id for one in found) == ["m-0", "m-3", "m-6"]


def test_a_record_that_cannot_be_read_is_shown_as_such_in_its_lists(reporting_store, stack):
    fill(reporting_store, 4, status=Status.UNKNOWN)
    there = {"created_at": START + timedelta(seconds=2), "status": Status.UNKNOWN}
    written_by_a_later_version(stack, waiting(id="m-2", **there), version={"S": "x"})
    for page in in_both_lists(reporting_store):
        first = page(2, None)
        rest = page(2, first.cursor)
        ids = [one.id for one in (*first.records, *rest.records)]
        assert ids == ["m-3", "m-2", "m-1", "m-0"]
        assert isinstance(first.records[1], UnreadableRecord)


def in_both_lists(store):
    yield lambda limit, cursor: lists(store).in_status(Status.UNKNOWN, limit, cursor)
    yield lambda limit, cursor: lists(store).to_recipient("+393331234567", limit, cursor)


@pytest.mark.parametrize("time", ["gestern", "2026-11-24", "1795626545"])
def test_a_list_continues_after_a_record_whose_time_is_damaged(store, stack, time):
    """The page that ends with it has a cursor that leads on."""
    fill(store, 3, status=Status.UNKNOWN)
    written_by_a_later_version(
        stack, waiting(id="m-9", status=Status.UNKNOWN), created_at={"S": time}
    )
    for page in in_both_lists(store):
        ids, cursor = [], None
        while cursor or not ids:
            found = page(1, cursor)
            ids, cursor = [*ids, *(one.id for one in found.records)], found.cursor
        assert sorted(ids) == ["m-0", "m-1", "m-2", "m-9"]


def test_a_record_of_a_later_status_is_listed_by_its_number_and_under_no_other_status(store, stack):
    fill(store, 2)
    written_by_a_later_version(stack, waiting(), **LATER_STATUS)
    found = lists(store).to_recipient("+393331234567", 20, None).records
    assert sorted(one.id for one in found) == ["m-0", "m-1"]
    assert [one.id for one in lists(store).in_status(Status.QUEUED, 20, None).records] == ["m-0"]


# Lists


def fill(store, count, **given):
    for n in range(count):
        created = START + timedelta(seconds=n)
        store.create(waiting(id=f"m-{n}", created_at=created, **given))


def test_a_list_is_newest_first_and_continues_page_by_page(store):
    fill(store, 5)
    store.create(waiting(id="other", to="+393331234568"))
    pages, cursor = [], None
    while True:
        page = lists(store).to_recipient("+393331234567", 2, cursor)
        pages.append([record.id for record in page.records])
        cursor = page.cursor
        if cursor is None:
            break
    assert [key for page in pages for key in page] == ["m-4", "m-3", "m-2", "m-1", "m-0"]
    assert pages[0] == ["m-4", "m-3"]


def test_messages_are_found_by_their_status(store):
    fill(store, 3)
    store.create(waiting(id="u", status=Status.UNKNOWN))
    assert [one.id for one in lists(store).in_status(Status.UNKNOWN, 20, None).records] == ["u"]
    assert lists(store).in_status(Status.FAILED, 20, None).records == []


def test_a_list_shows_records_as_they_are_now(store):
    """The index may lag behind the table."""
    fill(store, 2, status=Status.UNKNOWN)
    read = store.get
    store.get = lambda key: replace(read(key), status=Status.SENT) if key == "m-1" else read(key)
    assert [one.id for one in lists(store).in_status(Status.UNKNOWN, 20, None).records] == ["m-0"]


def cursor_of(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


NUMBER, MOMENT = "+393331234567", "2026-11-24T08:30:00.000Z"


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "è",
        "=",
        "AAAA",
        "\ud800",
        cursor_of(None),
        cursor_of([]),
        cursor_of({}),
        cursor_of([NUMBER]),
        cursor_of([NUMBER, MOMENT]),
        cursor_of([NUMBER, MOMENT, "m-1", "more"]),
        cursor_of({"to": NUMBER, "created_at": MOMENT, "id": "m-1"}),
        cursor_of(["+393331234568", MOMENT, "m-1"]),
        cursor_of([{"S": NUMBER}, MOMENT, "m-1"]),
        cursor_of([NUMBER, {"S": MOMENT}, "m-1"]),
        cursor_of([NUMBER, MOMENT, 1]),
        cursor_of([NUMBER, MOMENT, ""]),
        cursor_of([NUMBER, "", "m-1"]),
        cursor_of([NUMBER, MOMENT, "x" * 3000]),
        cursor_of([NUMBER, "x" * 3000, "m-1"]),
        cursor_of([NUMBER, "\ud800", "m-1"]),
        cursor_of([NUMBER, 2026, "m-1"]),
        cursor_of(["unknown", "2026", "a"]),
        "W1tb" * 9000,
    ],
)
def test_a_cursor_that_no_list_returned_is_refused(store, cursor):
    with pytest.raises(BadCursor):
        lists(store).to_recipient("+393331234567", 20, cursor)


# What is due


def test_only_open_records_whose_time_has_come_are_due(store):
    now = START + timedelta(minutes=20)
    store.create(waiting(id="late", check_at=now - timedelta(seconds=1)))
    store.create(waiting(id="now", check_at=now))
    store.create(waiting(id="early", check_at=now + timedelta(milliseconds=1)))
    store.create(sending(id="expired", check_at=START))
    store.create(waiting(id="done", status=Status.SENT))
    assert sorted(one.id for one in store.due(now)) == ["expired", "late", "now"]


def test_a_final_record_is_no_longer_due(store):
    record = store.create(waiting(check_at=START))
    store.replace(record, transitions.cancelled(record, START, Policy(default_sender="Bottega")))
    assert list(store.due(START + timedelta(days=1))) == []


def test_any_number_of_due_records_is_found_page_by_page(store, stack, hook):
    fill(store, 30, check_at=START)
    queries = []

    def two_at_a_time(params, **_):
        queries.append(params)
        params["Limit"] = 2

    hook(stack.dynamodb, "provide-client-params.dynamodb.Query", two_at_a_time)
    assert len({one.id for one in store.due(START)}) == 30
    assert len(queries) >= 15


def test_what_changed_since_the_index_saw_it_is_not_due(store):
    store.create(waiting(check_at=START))
    store.get = lambda _: waiting(check_at=START + timedelta(hours=1))
    assert list(store.due(START)) == []


# An unavailable table

CALLS = {
    "get": lambda store: store.get("m-1"),
    "create": lambda store: store.create(FULL),
    "replace": lambda store: store.replace(FULL, FULL),
    "due": lambda store: list(store.due(START)),
    "list": lambda store: lists(store).in_status(Status.UNKNOWN, 20, None),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url="https://canary"),
        EndpointConnectionError(endpoint_url="https://canary"),
        ConnectionClosedError(endpoint_url="https://canary"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_time_out_is_unavailable_and_reports_only_its_class(store, stack, hook, call, error):
    def fail(**_):
        raise error

    hook(stack.dynamodb, "before-send.dynamodb.*", fail)
    with pytest.raises(StoreUnavailable) as unavailable:
        call(store)
    assert str(unavailable.value) == type(error).__name__


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    "code",
    [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "InternalServerError",
        "TransactionConflictException",
        "ExpiredTokenException",
    ],
)
def test_a_throttled_table_is_unavailable(stack, call, code):
    assert _refused(stack, call, code) == code


@pytest.mark.parametrize(
    "code", ["ValidationException", "AccessDeniedException", "ResourceNotFoundException"]
)
def test_a_mistake_of_the_caller_is_not_translated(stack, code):
    with pytest.raises(ClientError, match=code):
        _refused(stack, CALLS["get"], code)


def _refused(stack, call, code):
    store = DynamoStore(stack.dynamodb, stack["MessageTable"], RETENTION)
    with Stubber(stack.dynamodb) as stub:
        stub.add_client_error(_OPERATION[call], code)
        with pytest.raises(StoreUnavailable) as unavailable:
            call(store)
    return str(unavailable.value)


_OPERATION = {
    CALLS["get"]: "get_item",
    CALLS["create"]: "put_item",
    CALLS["replace"]: "put_item",
    CALLS["due"]: "query",
    CALLS["list"]: "query",
}


# Many records at once


def test_many_records_are_read_at_once_whatever_their_number(store):
    for n in range(150):
        store.create(waiting(id=f"m-{n}"))
    asked = [*(f"m-{n}" for n in range(150)), "m-1", "gone"]
    assert sorted(one.id for one in store.get_many(asked)) == sorted(f"m-{n}" for n in range(150))
    assert list(store.get_many([])) == []


def test_of_many_one_that_cannot_be_read_hides_no_other(store, stack):
    found = []
    reader = DynamoStore(stack.dynamodb, stack["MessageTable"], RETENTION, found.append)
    for key in ("m-1", "m-9"):
        store.create(waiting(id=key))
    stack.dynamodb.put_item(
        TableName=stack["MessageTable"], Item=item(stack, "m-9") | {"status": {"S": "held"}}
    )
    assert [one.id for one in reader.get_many(["m-9", "m-1"])] == ["m-1"]
    assert [one.id for one in found] == ["m-9"]


def test_what_an_answer_leaves_out_is_asked_for_again(store, stack, hook):
    for key in ("m-1", "m-2"):
        store.create(waiting(id=key))
    asked = []

    def leave_out(parsed, **_):
        """As DynamoDB does after 16 MB, or while it throttles."""
        asked.append(len(parsed["Responses"][stack["MessageTable"]]))
        if len(asked) == 1:
            [left] = [{"id": one["id"]} for one in parsed["Responses"][stack["MessageTable"]][1:]]
            del parsed["Responses"][stack["MessageTable"]][1:]
            parsed["UnprocessedKeys"] = {
                stack["MessageTable"]: {"Keys": [left], "ConsistentRead": True}
            }

    hook(stack.dynamodb, "after-call.dynamodb.BatchGetItem", leave_out)
    assert sorted(one.id for one in store.get_many(["m-1", "m-2"])) == ["m-1", "m-2"]
    assert asked == [2, 1]


def test_a_table_that_leaves_out_the_same_for_ever_is_unavailable(store, stack, hook):
    def leave_all_out(parsed, **_):
        parsed["Responses"] = {}
        keys = {"Keys": [{"id": {"S": "m-1"}}], "ConsistentRead": True}
        parsed["UnprocessedKeys"] = {stack["MessageTable"]: keys}

    hook(stack.dynamodb, "after-call.dynamodb.BatchGetItem", leave_all_out)
    with pytest.raises(StoreUnavailable):
        list(store.get_many(["m-1"]))
