"""A flooded form costs little, at the gateway and at the table."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count

import pytest

from openvoip_sms.rules import limits
from openvoip_sms.wiring import core, webhooks
from tests.integration.service import metric_sum
from tests.integration.webhooks.proxy_events import form, sent, shopify, woocommerce

ATTACKERS = 8


def reasons(service):
    found = [str(record.reason or record.status) for record in service.records()]
    return {reason: found.count(reason) for reason in set(found)}


def test_forged_posts_over_neighbouring_numbers_stop_early_and_do_not_affect_other_sources(
    service, capsys
):
    posts = [form(tel=f"333 123 {n % 30:04d}", nome=f"Anna{n:03}") for n in range(60)]
    with ThreadPoolExecutor(ATTACKERS) as attackers:
        answers = list(attackers.map(service.webhook, posts))
    assert {answer.status for answer in answers} == {200, 202}
    assert len(service.records()) == 60
    found = reasons(service)
    queued = found.pop("queued")
    assert (
        20 - ATTACKERS < queued <= 20
    )  # the pause may begin while one within the limit is checked
    assert set(found) <= {"range_limit", "source_paused"}
    assert any("source.paused" in line for line in service.log_lines)
    assert metric_sum(capsys.readouterr().out, "SourcesPaused") >= 1
    assert service.webhook(form("altro-modulo", tel="347 111 2222")).status == 202
    assert len(sent(service)) == queued + 1


def test_a_number_gets_no_more_than_its_limit_from_all_sources_together(service):
    sources = ["modulo", "altro-modulo"] * 5
    for n, source in enumerate(sources):
        assert service.webhook(form(source, nome=f"Anna {n}")).status in (200, 202)
    assert reasons(service) == {"queued": 5, "recipient_limit": 5}


def test_the_same_text_from_another_event_is_suppressed_and_names_the_first(service):
    first = service.webhook(form()).body["messages"][0]["id"]
    second = service.webhook(form("altro-modulo", giro=2))
    assert (second.status, second.reason) == (200, "same_text")
    record = service.call("GET", "/messages/{id}", second.body["messages"][0]["id"]).body
    assert (record["status"], first in record["detail"]) == ("suppressed", True)
    assert sent(service) == ["Grazie Anna, a presto."]


@pytest.fixture
def costs(service):  # noqa: ARG001 - deployed first
    """Counts the requests to the table."""
    made = []
    events = core.client("dynamodb").meta.events

    def note(operation_name, **_):
        made.append(operation_name)

    events.register("request-created.dynamodb", note)
    yield lambda: {name: made.count(name) for name in set(made)}
    events.unregister("request-created.dynamodb", note)


@pytest.fixture
def at_one_moment(monkeypatch):
    """What a container knows of a source does not get old: a clock of a millisecond a reading."""
    start, readings = core.clock(), count()
    monkeypatch.setattr(core, "clock", lambda: start + timedelta(milliseconds=next(readings)))


@pytest.fixture
def sampled(monkeypatch):
    """Decides whether a message is one of those that are counted for their source."""
    return lambda *, yes: monkeypatch.setattr(limits, "is_sampled", lambda *_: yes)


def difference(after, before):
    more = {name: times - before.get(name, 0) for name, times in after.items()}
    return {name: times for name, times in more.items() if times}


@pytest.mark.usefixtures("at_one_moment")
def test_what_a_message_costs_at_the_table(service, costs, sampled):
    """One write for all its limits, one for its record; one more in the sample of its source."""
    sampled(yes=False)
    service.webhook(form(tel="347 111 2222"))
    before = costs()
    assert before == {"GetItem": 1, "PutItem": 1, "UpdateItem": 1}  # its container's first look
    assert service.webhook(form()).status == 202
    assert difference(costs(), before) == {"PutItem": 1, "UpdateItem": 1}
    sampled(yes=True)
    before = costs()
    assert service.webhook(form(nome="Bruno")).status == 202
    assert difference(costs(), before) == {"PutItem": 1, "UpdateItem": 2}


@pytest.mark.usefixtures("at_one_moment")
def test_what_a_signed_message_costs_at_the_table(service, costs):
    service.webhook(woocommerce("d1", number=1))
    before = costs()
    assert service.webhook(woocommerce("d2", number=2)).status == 202
    assert difference(costs(), before) == {"PutItem": 1, "UpdateItem": 1}


def test_what_a_message_costs_that_a_pause_suppresses(service, costs, sampled):
    """Its record, and a look at its source at most every two seconds."""
    sampled(yes=False)
    subject = limits.subject("source", "webhook:modulo")
    webhooks.intake().flood_guard.counters.pause(subject, core.clock() + timedelta(hours=1))
    before = costs()
    assert service.webhook(form()).reason == "source_paused"
    assert before == {"UpdateItem": 1}
    assert difference(costs(), before) == {"GetItem": 1, "PutItem": 1}
    assert reasons(service) == {"source_paused": 1}


@pytest.mark.usefixtures("at_one_moment")
def test_what_a_repeated_call_costs(service, costs, sampled):
    """Two writes that are refused."""
    sampled(yes=False)
    service.webhook(form())
    before = costs()
    assert service.webhook(form()).reason == "duplicate"
    assert difference(costs(), before) == {"PutItem": 1, "UpdateItem": 1}


def test_a_write_that_the_sdk_repeats_after_a_lost_answer_counts_once(service, hook, sampled):
    sampled(yes=True)
    client, lost = webhooks.intake().flood_guard.counters._client, []

    def lose(request_dict, response, caught_exception, **_):
        """The first answer of each operation gets lost."""
        target = request_dict["headers"]["X-Amz-Target"]
        if response is not None and caught_exception is None and lost.count(target) < 2:
            lost.append(target)
            return 0.0
        return None

    hook(client, "needs-retry.dynamodb.*", lose)
    assert service.webhook(form()).status == 202
    assert len(lost) >= 3
    items = service.stack.dynamodb.scan(TableName=service.stack["MessageTable"])["Items"]
    sets = [one for item in items for one in item.values() if "SS" in one]
    assert [len(one["SS"]) for one in sets] == [1, 1]


def test_a_call_that_arrives_many_times_at_once_uses_up_one_of_its_numbers_limit(service):
    with ThreadPoolExecutor(8) as lines:
        list(lines.map(lambda _: service.webhook(form()), range(16)))
    others = [service.webhook(form(nome=f"Anna {n}")) for n in range(5)]
    assert [one.status for one in others] == [202] * 4 + [200]
    assert others[4].reason == "recipient_limit"


def test_a_customer_whose_number_a_stranger_posts_still_gets_the_order(service):
    for n in range(10):
        service.webhook(form(tel="333 123 1234", nome=f"Anna {n}"))
    assert service.webhook(shopify()).status == 202
    assert reasons(service)["recipient_limit"] == 5


def test_a_signed_source_is_not_stopped_by_a_limit_and_a_person_is_told(service, capsys):
    for n in range(7):
        assert service.webhook(woocommerce(f"d{n}", number=n)).status == 202
    assert reasons(service) == {"queued": 7}
    assert metric_sum(capsys.readouterr().out, "LimitsExceeded") == 2


def test_what_a_limit_suppressed_is_sent_when_a_person_says_so(service):
    for n in range(6):
        service.webhook(form(nome=f"Anna {n}"))
    [suppressed] = [one for one in service.records() if one.status == "suppressed"]
    assert service.call("POST", "/messages/{id}/resend", suppressed.id).status in (200, 202)
    assert core.store().get(suppressed.id).status == "queued"
    assert len(sent(service)) == 6


def test_of_many_resends_one_completes_and_the_others_say_what_can_be_sent(service):
    for n in range(6):
        service.webhook(form(nome=f"Anna {n}"))
    [suppressed] = [one for one in service.records() if one.status == "suppressed"]
    with ThreadPoolExecutor(4) as people:
        answers = list(
            people.map(
                lambda _: service.call("POST", "/messages/{id}/resend", suppressed.id), range(4)
            )
        )
    assert sorted(answer.status for answer in answers) == [202, 409, 409, 409]
    refused = next(answer for answer in answers if answer.status == 409)
    assert "suppressed by a limit" in refused.body["detail"]
    assert len(sent(service)) == 6


def test_of_more_signed_messages_than_a_form_may_send_none_is_lost(service, capsys):
    for n in range(30):  # to one number: a form's range may get 20
        given = woocommerce(f"d{n}", number=n)
        assert service.webhook(given).status == 202
    assert reasons(service) == {"queued": 30}
    assert metric_sum(capsys.readouterr().out, "SourcesPaused") == 0
