"""A damaged item is either unreadable, or a record that every change can be made of."""

import itertools
from contextlib import suppress
from datetime import timedelta

import pytest

from openvoip_sms.adapters.record_item import _FIELDS, to_item, to_record
from openvoip_sms.delivery.ports import UnreadableRecord
from openvoip_sms.rules import transitions
from openvoip_sms.rules.call_result import CallOutcome, CallResult
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import Reason, Status, public
from tests.fakes import START
from tests.records import sending, waiting

POLICY, RETENTION = Policy(default_sender="Bottega", live=True), timedelta(days=90)
REPLACED = {"character": {"S": "’"}, "by": {"S": "'"}, "count": {"N": "1"}, "later": {"N": "3"}}
DAMAGE = {
    "missing": None,
    "null": {"NULL": True},
    "empty": {"S": ""},
    "another text": {"S": "x" * 30},
    "zero": {"N": "0"},
    "negative": {"N": "-5"},
    "fraction": {"N": "1.5"},
    "all digits": {"N": "9" * 38},
    "largest": {"N": "9.9E125"},
    "smallest": {"N": "1E-130"},
    "true": {"BOOL": True},
    "list": {"L": [{"S": "a"}]},
    "empty list": {"L": []},
    "map": {"M": {"a": {"N": "1"}}},
    "bytes": {"B": b"abc"},
    "set": {"SS": ["a"]},
    "first moment": {"S": "0001-01-01T00:00:00.000Z"},
    "last moment": {"S": "9999-12-31T23:59:59.999Z"},
    "no offset": {"S": "2026-11-24T08:30:00"},
    "later status": {"S": "cancelling"},
    "other status": {"S": "sent"},
    "replaced": {"L": [{"M": REPLACED}]},
}
RECORDS = {
    Status.QUEUED: waiting(maybe_sent=True, send_at=START),
    Status.SENDING: sending(),
    Status.UNKNOWN: sending(status=Status.UNKNOWN, reason="lease_expired", check_at=None),
    Status.FAILED: waiting(status=Status.FAILED, reason="gateway_error"),
    Status.SENT: waiting(status=Status.SENT, sent_at=START),
}


def item(status, name, value):
    """A record's item with one attribute damaged, and one of a later version."""
    whole = to_item(RECORDS[status], RETENTION) | {"later": {"S": "kept"}}
    rest = {key: one for key, one in whole.items() if key != name}
    return rest if value is None else rest | {name: value}


def changes(record):
    """Every next version that something makes of a record in its status."""
    if record.status in transitions.WAITING:
        yield transitions.claimed(record, "c-2", START)
        yield transitions.requeued(record, START)
        yield transitions.ended(record, Status.FAILED, Reason.INTERRUPTED, START, POLICY)
    if record.status is Status.SENDING:
        yield transitions.lease_expired(record, START, POLICY, 1.0).record
        for outcome in CallOutcome:
            result = CallResult(outcome, retry_after=1e9)
            yield transitions.answered(record, result, START, POLICY, 1.0).record
    for action in (transitions.cancelled, transitions.confirmed, transitions.resent):
        if (after := action(record, START, POLICY)) is not None:
            yield after


def readable(statuses, name):
    """The records with this attribute damaged in each way, where they can still be read."""
    for status, value in itertools.product(statuses, DAMAGE.values()):
        with suppress(UnreadableRecord):
            yield to_record(item(status, name, value))


@pytest.mark.parametrize("name", [*_FIELDS, "ttl", "check_shard"])
def test_a_record_that_can_be_read_can_be_shown_and_changed(name):
    for record in readable(RECORDS, name):
        assert public(record)["id"]
        for after in changes(record):
            written = to_item(after, RETENTION)
            assert written["later"] == {"S": "kept"}
            assert to_record(written).version == record.version + 1


@pytest.mark.parametrize("name", ["to", "text", "sender", "archive"])
def test_no_open_record_lacks_what_is_sent(name):
    for record in readable([Status.QUEUED, Status.SENDING], name):
        assert record.to == "+393331234567"
        assert record.text
        assert record.sender
        assert record.archive is not None


def test_what_lacks_its_sender_is_not_queued_again():
    record = to_record(item(Status.FAILED, "sender", None))
    assert transitions.resent(record, START, POLICY) is None
