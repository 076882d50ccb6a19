"""An old event sends nothing, and one whose age cannot be told is not sent silently either."""

from datetime import timedelta

import pytest

from openvoip_sms.webhooks.config.sources import SourcesInvalid
from openvoip_sms.webhooks.plan import NothingToSend, PlannedMessage, RejectedMessage, plan_trusted
from tests.unit.webhooks.webhook_calls import NOW, json_call, preset, source

ORDER = {"id": 1, "status": "completed", "phone": "333 1231234"}


def outcome(created, *, now=NOW, **keys):
    given = {"event_time": "date_created", "max_age": "P2D"} | keys
    sender = preset("make", message={"text": "Spedito", **given})
    [only] = plan_trusted(sender, json_call(ORDER | {"date_created": created}), now).messages
    return only


@pytest.mark.parametrize(
    "created",
    ["2026-11-24T10:00:00", "2026-11-22T10:30:00+01:00", "22/11/2026", 1795512600, "2027-01-01"],
)
def test_an_event_within_its_age_is_sent(created):
    assert isinstance(outcome(created), PlannedMessage)


@pytest.mark.parametrize(
    "created", ["2025-11-24T10:00:00", "2026-11-22T10:29:59", "21/11/2026", 1263978000]
)
def test_an_older_event_sends_nothing_and_says_why(created):
    found = outcome(created)
    assert isinstance(found, NothingToSend)
    assert found.reason == "too_old"


def test_an_age_in_seconds_counts_to_the_second():
    created = NOW - timedelta(seconds=90)
    assert isinstance(outcome(created.isoformat(), max_age=90), PlannedMessage)
    assert outcome(created.isoformat(), max_age=89).reason == "too_old"


def test_a_date_without_a_time_is_as_young_as_it_may_be():
    late = NOW.replace(hour=22)  # 23:00 in Rome
    assert isinstance(outcome("2026-11-24", now=late, max_age=3600), PlannedMessage)
    assert outcome("2026-11-23", now=late, max_age=3600).reason == "too_old"


@pytest.mark.parametrize("created", [None, "", "ieri", True, []])
def test_an_event_of_unknown_age_is_rejected_on_the_record(created):
    found = outcome(created)
    assert isinstance(found, RejectedMessage)
    assert found.reason == "bad_event_time"
    assert "date_created" in found.detail


def test_now_can_be_compared_with_the_times_of_an_event():
    keys = {"max_age": 3600, "event_time": "not_null(date_created, now())"}
    assert isinstance(outcome(None, **keys), PlannedMessage)
    assert outcome("2026-11-24T10:00:00", when="date_created > now()").reason == "when_false"
    sent = outcome("2026-11-24T10:00:00", send_at="days_after(now(), `1`)")
    assert sent.send_at == NOW + timedelta(days=1)
    assert outcome("2026-11-24T10:00:00", text="Oggi è il {date(now())}").text == (
        "Oggi è il 24 novembre"
    )


def test_a_source_says_it_once_for_all_messages():
    sender = source(
        "preset: shopify\nsecrets: [a]\nto: phone\nmax_age: P1D\nevent_time: created_at\n"
        "messages:\n  orders/create: {text: a}\n  orders/paid: {text: b, max_age: P30D}"
    )
    body = {"phone": "333 1231234", "created_at": "2026-11-20T10:00:00Z"}

    def reason(topic):
        call = json_call(body, {"X-Shopify-Topic": topic})
        return getattr(plan_trusted(sender, call, NOW).messages[0], "reason", "sent")

    assert (reason("orders/create"), reason("orders/paid")) == ("too_old", "sent")


@pytest.mark.parametrize(
    ("keys", "part"),
    [
        ({"max_age": "P2D"}, "max_age needs event_time"),
        ({"event_time": "created_at"}, "event_time does nothing without max_age"),
        ({"max_age": "two days", "event_time": "a"}, "must be seconds or an ISO 8601 duration"),
        ({"max_age": 0, "event_time": "a"}, "must be longer than nothing"),
        ({"max_age": "P2D", "event_time": "a ="}, "bad expression"),
        ({"once": "now()"}, "now() changes with each delivery"),
        ({"once": "[id, date(now())]"}, "now() changes with each delivery"),
        ({"to": "now()"}, "now() changes with each delivery"),
        ({"when": "now(`1`)"}, "now() takes 0 argument(s), not 1"),
    ],
)
def test_what_cannot_work_is_a_mistake(keys, part):
    with pytest.raises(SourcesInvalid) as invalid:
        preset("make", message={"text": "a", "to": "phone", **keys})
    [mistake] = invalid.value.mistakes
    assert part in str(mistake)


@pytest.mark.parametrize("key", ["id: 'body:now()'", "topic: 'body:now()'", "each: now()"])
def test_identity_does_not_depend_on_the_clock(key):
    with pytest.raises(SourcesInvalid, match=r"now\(\) changes with each delivery"):
        source(f"preset: make\nsecrets: [a]\nto: phone\nmessage: {{text: a}}\n{key}")
