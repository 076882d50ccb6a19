"""One event is one SMS, however often it arrives."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from openvoip_sms.delivery.ports import StoreUnavailable, UnreadableRecord
from openvoip_sms.wiring import core
from tests.integration.service import metric_sum
from tests.integration.webhooks.proxy_events import call, form, sent, shopify, woocommerce


def test_a_retry_and_a_replay_are_one_record_and_one_sms(service):
    """Shopify's retries keep everything; only the time it was triggered is another."""
    first = service.webhook(shopify())
    again = service.webhook(shopify(**{"X-Shopify-Triggered-At": "2026-11-24T12:00:00Z"}))
    replay = service.webhook(shopify())
    assert [one.status for one in (first, again, replay)] == [202, 200, 200]
    assert (again.reason, replay.reason) == ("duplicate", "duplicate")
    assert again.body["messages"][0]["id"] == first.body["messages"][0]["id"]
    assert sent(service) == ["Ordine #1042 ricevuto."]
    assert service.webhook(shopify()).reason == "duplicate"  # after it was sent, too
    assert sent(service) == ["Ordine #1042 ricevuto."]
    assert [record.status for record in service.records()] == ["sent"]


def test_a_call_that_arrives_many_times_at_once_is_one_sms(service):
    with ThreadPoolExecutor(8) as lines:
        answers = list(lines.map(lambda _: service.webhook(shopify()), range(8)))
    assert sorted(answer.status for answer in answers) == [200] * 7 + [202]
    assert sent(service) == ["Ordine #1042 ricevuto."]
    assert len(service.records()) == 1


def test_a_call_that_could_not_be_stored_is_accepted_when_it_is_repeated(service, monkeypatch):
    def down(*_):
        raise StoreUnavailable("ThrottlingException")

    with monkeypatch.context() as broken:
        broken.setattr(type(core.store()), "create", down)
        assert service.webhook(form()).status == 503
    assert service.webhook(form()).status == 202
    assert sent(service) == ["Grazie Anna, a presto."]


def test_two_subscriptions_to_one_topic_are_one_sms_and_two_topics_are_two(service):
    answers = [
        service.webhook(given)
        for given in (shopify(), shopify(webhook_id="webhook-2"), shopify(topic="orders/paid"))
    ]
    assert [answer.status for answer in answers] == [202, 200, 202]
    assert sorted(sent(service)) == ["Ordine #1042 pagato.", "Ordine #1042 ricevuto."]
    assert len(service.records()) == 2


@pytest.mark.parametrize("source", ["woocommerce", "plain-woocommerce"])
def test_two_orders_saved_in_one_second_are_two_sms(service, source):
    """WooCommerce makes one delivery id of them."""
    calls = [woocommerce("same", source, number=n) for n in (727, 728, 727)]
    assert [service.webhook(given).status for given in calls] == [202, 202, 200]
    assert len(sent(service)) == 2


def test_a_burst_of_order_updated_is_one_sms_for_each_status(service):
    statuses = ["pending"] * 5 + ["processing"] * 10 + ["completed"] * 10 + ["processing"] * 5
    for n, status in enumerate(statuses):
        given = woocommerce(f"d{n}", status=status, date_modified=f"2026-11-24T10:00:{n:02}")
        assert service.webhook(given).status in (200, 202)
    assert sorted(sent(service)) == ["Ordine 727: completed.", "Ordine 727: processing."]
    assert len(service.records()) == 2


def test_a_person_finds_the_message_by_the_id_in_the_answer(service):
    [answered] = service.webhook(woocommerce("d1")).body["messages"]
    assert answered["id"].startswith("woocommerce:order.updated:727-completed:")
    found = service.call("GET", "/messages/{id}", answered["id"])
    assert (found.status, found.body["source"]) == (200, "webhook:woocommerce")


def group(*events):
    return call("gruppo", {"eventi": list(events)}, {"X-Webhook-Token": "a-token"})


EVENTS = [{"tel": f"333 12312{n:02}", "nome": "Anna"} for n in range(3)]


def test_a_record_that_cannot_be_read_does_not_stop_the_other_messages_of_a_call(service, capsys):
    [accepted] = service.webhook(group(EVENTS[1])).body["messages"]
    service.stack.dynamodb.update_item(
        TableName=service.stack["MessageTable"],
        Key={"id": {"S": accepted["id"]}},
        UpdateExpression="SET #s = :held",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":held": {"S": "held"}},
    )
    answer = service.webhook(group(*EVENTS))
    assert answer.status == 202
    assert [one["status"] for one in answer.body["messages"]] == ["queued", "unreadable", "queued"]
    again = service.webhook(group(EVENTS[1]))
    assert (again.status, again.reason) == (200, "duplicate")
    assert metric_sum(capsys.readouterr().out, "UnreadableRecords") == 2


def test_nor_does_a_record_that_a_later_version_creates_during_the_call(service, monkeypatch):
    create, ids = type(core.store()).create, []

    def second_is_unreadable(store, record):
        ids.append(record.id)
        if len(ids) == 2:
            raise UnreadableRecord(record.id, {}, "status held")
        return create(store, record)

    monkeypatch.setattr(type(core.store()), "create", second_is_unreadable)
    answer = service.webhook(group(*EVENTS))
    assert answer.status == 202
    assert [one["status"] for one in answer.body["messages"]] == ["queued", "unreadable", "queued"]
