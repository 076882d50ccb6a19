"""From a call to messages: who gets which text when, and one SMS per event."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from openvoip_sms.web.webhook_request import from_event_bridge
from openvoip_sms.webhooks.bodies import Unreadable
from openvoip_sms.webhooks.plan import (
    NothingToSend,
    Pinged,
    Planned,
    PlannedMessage,
    RejectedMessage,
    plan,
    plan_trusted,
)
from openvoip_sms.webhooks.verify import Refused
from tests.unit.webhooks.webhook_calls import (
    NOW,
    base64_hmac,
    call,
    hex_hmac,
    json_call,
    preset,
    source,
)

TOKEN = {"key": "a secret token"}
PERSON = {"phone": "333 1231234", "name": "Anna"}
ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def messages(sender, body, headers=(), now=NOW, **more):
    planned = plan_trusted(sender, json_call(body, headers, **more), now)
    assert isinstance(planned, Planned)
    for message in planned.messages:
        if not isinstance(message, NothingToSend):
            assert ID.fullmatch(message.id)
    return planned.messages


def message(sender, body, headers=(), now=NOW):
    (only,) = messages(sender, body, headers, now)
    return only


def simple(**message_keys):
    return preset("make", message={"text": "Ciao {name}", **message_keys})


# --- who and what ---


def test_an_authentic_call_becomes_a_message():
    request = json_call(PERSON, {"X-Webhook-Token": TOKEN["key"]})
    (found,) = plan(simple(), request, TOKEN, NOW).messages
    assert isinstance(found, PlannedMessage)
    assert (found.to, found.text, found.found_at) == ("+393331231234", "Ciao Anna", "phone")
    assert (found.sender, found.category, found.archive, found.send_at) == (
        None,
        "transactional",
        None,
        None,
    )


def test_a_call_that_is_not_authentic_is_not_even_read():
    request = json_call(b"[" * 200_000, {"X-Webhook-Token": "wrong"})
    assert plan(simple(), request, TOKEN, NOW) == Refused("token_wrong")


def test_an_authentic_call_that_cannot_be_read_is_unreadable():
    request = json_call(b"{", {"X-Webhook-Token": TOKEN["key"]})
    assert plan(simple(), request, TOKEN, NOW) == Unreadable("json")


def test_the_keys_of_a_message_reach_it():
    found = message(simple(sender="Ditta", category="marketing", archive=False), PERSON)
    assert (found.sender, found.category, found.archive) == ("Ditta", "marketing", False)


@pytest.mark.parametrize(
    ("body", "found_at"),
    [
        ({"a": "333 1231234", "b": "3471231234"}, "a"),
        ({"a": None, "b": "3331231234"}, "b"),
        ({"a": " ", "b": 3331231234}, "b"),
        ({"a": "06 1234567", "b": "+39 333 123 1234"}, "b"),
        ({"a": {"full": "3331231234"}, "b": "3331231234"}, "b"),
        ({"a": 3331231234.0, "b": "3331231234"}, "b"),
        ({"a": True, "b": " 393331231234"}, "b"),
        ({"b": [None, "06 1234567", "3331231234"]}, "b"),
        ({"c": [{"n": "3331231234"}]}, "c[].n"),
    ],
)
def test_the_first_mobile_of_the_ordered_paths_wins(body, found_at):
    found = message(preset("make", to=["a", "b", "c[].n"]), body)
    assert (found.to, found.found_at) == ("+393331231234", found_at)


def test_without_a_mobile_nothing_is_sent_and_each_path_says_why():
    sender = preset("make", to=["a", "b", "c"])
    found = message(sender, {"a": "06 1234567", "b": "+44 7911 123456"})
    assert found == NothingToSend("no_mobile", "a: landline; b: foreign; c: missing")


def test_when_decides_whether_anything_is_sent():
    sender = simple(when="state == 'shipped' && total > `10`")
    assert isinstance(message(sender, PERSON | {"state": "shipped", "total": 11}), PlannedMessage)
    for body in ({"state": "shipped", "total": 9}, {"state": "new", "total": 11}, {}):
        found = message(sender, PERSON | body)
        assert found == NothingToSend(
            "when_false", "This is false: state == 'shipped' && total > `10`"
        )


@pytest.mark.parametrize(
    ("text", "reason", "part"),
    [
        ("Ciao {missing}", "missing_value", "missing is missing or empty"),
        ("Ciao {blank}", "missing_value", "blank is missing or empty"),
        ("Ciao {tags}", "not_text", "tags is true, false, a list or an object"),
        ("{blank || ''}", "empty_text", "Nothing is left"),
    ],
)
def test_a_text_that_would_read_oddly_is_rejected_and_names_the_field(text, reason, part):
    sender = preset("make", message={"text": text, "category": "marketing"})
    found = message(sender, PERSON | {"blank": " ", "tags": ["a"]})
    assert isinstance(found, RejectedMessage)
    assert (found.to, found.reason, found.category) == ("+393331231234", reason, "marketing")
    assert part in found.detail


# --- topics ---


def shop():
    return preset(
        "shopify",
        messages={
            "orders/create": {"text": "created"},
            "orders/paid": [{"text": "paid"}, {"name": "poi", "text": "and later", "delay": 60}],
        },
    )


def topic(name):
    return {"X-Shopify-Topic": name}


def test_the_topic_chooses_the_message():
    assert message(shop(), PERSON, topic("orders/create")).text == "created"


def test_a_topic_may_have_several_messages_with_ids_of_their_own():
    first, second = messages(shop(), PERSON, topic("orders/paid"))
    assert (first.text, second.text) == ("paid", "and later")
    assert second.id == f"{first.id}:poi"


@pytest.mark.parametrize("headers", [topic("orders/updated"), topic("Orders/Create"), {}])
def test_another_topic_sends_nothing(headers):
    assert message(shop(), PERSON, headers).reason == "other_topic"


def test_a_default_message_is_used_for_every_other_topic():
    sender = preset(
        "shopify", messages={"default": {"text": "other"}, "orders/paid": {"text": "a"}}
    )
    for headers in (topic("b"), {}, topic("default")):
        assert message(sender, PERSON, headers).text == "other"
    assert message(sender, PERSON, topic("orders/paid")).text == "a"


def test_the_topic_may_be_in_the_body_or_fixed():
    keys = {"messages": {"new": {"text": "a"}}}
    assert (
        message(
            preset("make", topic="body:kind.name", **keys), PERSON | {"kind": {"name": "new"}}
        ).text
        == "a"
    )
    assert message(preset("make", topic="form:kind", **keys), PERSON | {"kind": "new"}).text == "a"
    assert message(preset("make", topic="new", **keys), PERSON).text == "a"


# --- one event, one SMS ---

SHOPIFY = {
    "X-Shopify-Shop-Domain": "negozio.myshopify.com",
    "X-Shopify-Topic": "orders/create",
    "X-Shopify-Event-Id": "event-1",
    "X-Shopify-Webhook-Id": "webhook-1",
}


def id_of(sender, body, headers=(), now=NOW):
    return message(sender, body, headers, now).id


def test_a_retry_has_the_same_id_however_late():
    first = id_of(shop(), PERSON, SHOPIFY)
    assert first == id_of(shop(), PERSON, SHOPIFY, NOW + timedelta(hours=4))
    assert first.startswith("x:orders-create:negozio.myshopify.com-event-1:")


@pytest.mark.parametrize(
    ("changed", "is_same"),
    [
        ({"X-Shopify-Webhook-Id": "webhook-2"}, True),  # a second subscription to the topic
        ({"X-Shopify-Triggered-At": "2026-11-24T00:00:00Z"}, True),
        ({"X-Shopify-Event-Id": "event-2"}, False),
        ({"X-Shopify-Topic": "orders/paid"}, False),  # one action, two topics
        ({"X-Shopify-Shop-Domain": "altro.myshopify.com"}, False),
    ],
)
def test_shopify_events_are_distinguished_by_shop_topic_and_event(changed, is_same):
    first = messages(shop(), PERSON, SHOPIFY)[0].id
    other = messages(shop(), PERSON, SHOPIFY | changed)[0].id
    assert (first == other) is is_same


def test_without_an_event_id_shopifys_webhook_id_is_used():
    headers = {key: value for key, value in SHOPIFY.items() if key != "X-Shopify-Event-Id"}
    assert id_of(shop(), PERSON, headers) == id_of(shop(), PERSON | {"name": "B"}, headers)
    assert id_of(shop(), PERSON, headers) != id_of(
        shop(), PERSON, headers | {"X-Shopify-Webhook-Id": "2"}
    )


WOO = {"X-WC-Webhook-Delivery-ID": "d1", "X-WC-Webhook-Topic": "order.updated"}
ORDER = {"id": 727, "status": "completed", "phone": "3331231234"}


def woo(**keys):
    return preset("woocommerce", messages={"order.updated": {"text": "ciao", **keys}})


def test_two_orders_saved_in_one_second_share_woocommerces_id_and_get_an_sms_each():
    plain = source(
        "preset: woocommerce\nsecrets: [key]\nto: phone\nonce: nothing\nmessage: {text: ciao}"
    )
    assert id_of(plain, ORDER, WOO) == id_of(plain, ORDER, WOO)
    assert id_of(plain, ORDER, WOO) != id_of(plain, ORDER | {"id": 728}, WOO)
    assert id_of(woo(), ORDER, WOO) != id_of(woo(), ORDER | {"id": 728}, WOO)


def test_a_burst_of_order_updated_is_one_sms_per_order_and_status():
    ids = {
        id_of(woo(), ORDER | {"date_modified": str(n)}, WOO | {"X-WC-Webhook-Delivery-ID": f"d{n}"})
        for n in range(20)
    }
    assert len(ids) == 1
    assert next(iter(ids)).startswith("x:order.updated:727-completed:")
    assert id_of(woo(), ORDER | {"status": "refunded"}, WOO) not in ids


def test_once_counts_instead_of_the_events_id():
    sender = simple(once="order")
    first = id_of(sender, PERSON | {"order": 7, "step": 1})
    assert first == id_of(sender, PERSON | {"order": 7, "step": 2})
    assert first != id_of(sender, PERSON | {"order": "7", "step": 1})
    assert first != id_of(sender, PERSON | {"order": 8, "step": 1})


@pytest.mark.parametrize("value", [None, "", " ", []])
def test_once_without_a_value_falls_back_to_the_event(value):
    sender = simple(once="[order, other]")
    first = id_of(sender, PERSON | {"order": value, "n": 1})
    assert first != id_of(sender, PERSON | {"order": value, "n": 2})


def test_without_any_id_the_content_is_the_identity_not_its_spelling():
    first = messages(simple(), b'{"phone":"3331231234","name":"\\u00c8va"}')[0].id
    same = messages(simple(), '{ "name": "Èva", "phone": "3331231234" }'.encode())[0].id
    other = messages(simple(), b'{"phone":"3331231234","name":"Eva"}')[0].id
    assert first == same != other


def test_sources_never_share_an_id():
    text = "preset: make\nsecrets: [key]\nto: phone\nmessage: {text: ciao}"
    assert id_of(source(text, "a"), PERSON) != id_of(source(text, "b"), PERSON)


def test_wpforms_the_signed_second_and_the_content_make_the_id():
    def signed(at, body=b'{"phone":"3331231234"}', tail=""):
        stamp = int(at.timestamp())
        signature = hex_hmac("k", f"{stamp}.".encode() + body)
        headers = {"X-WPForms-Webhook-Signature": f"t={stamp},v={signature}{tail}"}
        return plan(preset("wpforms"), call(body, headers), {"key": "k"}, NOW).messages[0].id

    assert signed(NOW) == signed(NOW) == signed(NOW, tail=",v=00")
    assert signed(NOW) != signed(NOW + timedelta(seconds=1))
    assert signed(NOW) != signed(NOW, b'{"phone":"3331231235"}')


def test_ids_of_standard_webhooks_survive_a_new_signature():
    headers = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,a"}
    first = id_of(preset("standard-webhooks"), PERSON, headers)
    assert first == id_of(preset("standard-webhooks"), PERSON, headers | {"webhook-timestamp": "2"})
    assert first.startswith("x:msg_1:")


@pytest.mark.parametrize(
    "value",
    [
        "+393331231234",
        "3331231234",
        "393331231234",
        "333-1231234",
        "333.123.12.34",
        "0039_333_1231234",
        "anna@example.it",
        "Anna Verdi",
        "a/b" * 99,
        "12-347-883-1234",
        "cliente3478831234",
        "RSSMRA80A01H501U",
        "rss-mra-80a01-h501u",
        "RSSMRAULALMHRLMU",
        "IT60X0542811101000000123456",
        "DE89370400440532013000",
        ["347883", "1234"],
    ],
)
def test_an_id_never_shows_a_number_a_name_or_an_address(value):
    found = id_of(simple(once="v"), PERSON | {"v": value})
    assert re.fullmatch(r"x:[0-9a-f]{20}", found)


def test_a_number_as_the_topic_is_not_shown_either():
    keys = "preset: github\nsecrets: [key]\nto: phone\n"
    sender = source(f"{keys}messages: {{default: {{text: a}}}}")
    found = messages(sender, PERSON, {"X-GitHub-Event": "333 1231234"})[0].id
    assert re.fullmatch(r"x:[0-9a-f]{20}", found)


def test_the_longest_id_still_fits():
    keys = "preset: github\nsecrets: [key]\nto: phone\nonce: id\n"
    sender = source(keys + "messages:\n  default: [{text: a}, {name: b, text: b}]", "n" * 40)
    found = messages(sender, PERSON | {"id": "d" * 64}, {"X-GitHub-Event": "t" * 99})
    assert [len(message.id) for message in found] == [123, 125]


# --- several events in one call ---


def hubspot_event(number, kind="contact.creation", phone="3331231234"):
    return {"eventId": number, "subscriptionType": kind, "phone": phone, "occurredAt": 1}


def hubspot():
    return preset("hubspot", messages={"contact.creation": {"text": "ciao"}})


def test_each_item_of_an_array_is_an_event_of_its_own():
    body = [hubspot_event(1), hubspot_event(2, "contact.deletion"), hubspot_event(3, phone="06")]
    planned = plan_trusted(hubspot(), json_call(body), NOW)
    assert [event.topic for event in planned.events] == [
        "contact.creation",
        "contact.deletion",
        "contact.creation",
    ]
    first, second, third = planned.messages
    assert first.to == "+393331231234"
    assert (second.reason, third.reason) == ("other_topic", "no_mobile")


def test_an_event_keeps_its_id_in_every_batch():
    alone = messages(hubspot(), [hubspot_event(2)])[0].id
    assert messages(hubspot(), [hubspot_event(1), hubspot_event(2)])[1].id == alone
    assert messages(hubspot(), hubspot_event(2))[0].id == alone


def test_what_should_be_a_list_of_events_and_is_not_is_unreadable():
    assert plan_trusted(hubspot(), json_call(b"7"), NOW) == Unreadable("not_events")
    many = [hubspot_event(n) for n in range(101)]
    assert plan_trusted(hubspot(), json_call(many), NOW) == Unreadable("too_many_events")
    assert messages(hubspot(), []) == ()


# --- when to send ---


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        ("2026-12-16", utc(2026, 12, 13, 8)),
        ("2027-07-16", utc(2027, 7, 13, 7)),  # summer time
        ("2027-03-31", utc(2027, 3, 28, 7)),  # the day of the change
        ("2026-11-26", None),  # three days before has passed: at once
    ],
)
def test_three_days_before_the_due_date_at_nine(due, expected):
    sender = simple(send_at="at(days_before(due, `3`), '09:00')")
    assert message(sender, PERSON | {"due": due}).send_at == expected


@pytest.mark.parametrize("due", [None, "", "presto", {}])
def test_an_invalid_date_rejects_the_message_and_is_named(due):
    found = message(simple(send_at="due"), PERSON | {"due": due})
    assert (found.reason, "due is missing" in found.detail) == ("bad_send_at", True)


def test_more_than_a_year_ahead_is_rejected():
    year = NOW + timedelta(days=365)
    assert message(simple(send_at="due"), PERSON | {"due": year.isoformat()}).send_at == year
    late = (year + timedelta(seconds=1)).isoformat()
    assert message(simple(send_at="due"), PERSON | {"due": late}).reason == "send_at_too_far"


@pytest.mark.parametrize(
    ("delay", "expected"),
    [(0, None), (900, NOW + timedelta(minutes=15)), ("PT15M", NOW + timedelta(minutes=15))],
)
def test_a_delay_counts_from_now(delay, expected):
    assert message(simple(delay=delay), PERSON).send_at == expected


def test_a_clock_in_rome_plans_the_same():
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - only here

    autumn = utc(2026, 10, 24, 22)
    sender = simple(send_at="due")
    for now in (autumn, autumn.astimezone(ZoneInfo("Europe/Rome"))):
        found = message(sender, PERSON | {"due": "2027-10-24T23:30:00+02:00"}, now=now)
        assert found.send_at == utc(2027, 10, 24, 21, 30)


# --- the ping, and the ways in ---


def test_the_ping_of_woocommerce_is_recognised_and_nothing_like_it():
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}

    def answer(body, headers=form):
        return plan(woo(), call(body, headers), TOKEN, NOW)

    assert answer(b"webhook_id=12") == Pinged()
    for body in (b"webhook_id=12&a=1", b"webhook_id=", b"webhook_id=1x", b"webhook_id=12\n", b""):
        assert isinstance(answer(body), Refused)
    assert isinstance(answer(b"webhook_id=12", {}), Refused)
    assert isinstance(answer(b"webhook_id=12", form | {"X-WC-Webhook-Topic": "a"}), Refused)
    assert isinstance(answer(b"webhook_id=12", form | {"X-WC-Webhook-Signature": "a"}), Refused)
    assert isinstance(plan(shop(), call(b"webhook_id=12", form), TOKEN, NOW), Refused)


def test_an_unset_secret_does_not_break_the_ping():
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert plan(woo(), call(b"webhook_id=12", form), {}, NOW) == Pinged()


def test_shopify_through_eventbridge_is_the_same_event_as_over_https():
    event = {
        "detail-type": "shopifyWebhook",
        "source": "aws.partner/shopify.com/1/shop",
        "detail": {
            "metadata": {**SHOPIFY, "Content-Type": "application/json; charset=utf-8"},
            "payload": PERSON,
        },
    }
    (found,) = plan_trusted(shop(), from_event_bridge(event), NOW).messages
    body = b'{"phone": "333 1231234", "name": "Anna"}'
    signed = SHOPIFY | {"X-Shopify-Hmac-Sha256": base64_hmac("k", body)}
    (over_https,) = plan(shop(), json_call(body, signed), {"key": "k"}, NOW).messages
    assert found == over_https


@pytest.mark.parametrize(
    "event", [{}, {"detail": None}, {"detail": {"payload": [1]}}, {"detail": {"metadata": 1}}]
)
def test_an_event_that_is_not_shopifys_sends_nothing(event):
    planned = plan_trusted(shop(), from_event_bridge(event), NOW)
    assert [found.reason for found in planned.messages] == ["other_topic"]
