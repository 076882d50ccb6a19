"""What planned webhook messages become, and how little a bombed form can cost."""

from dataclasses import replace
from datetime import timedelta

import pytest

from openvoip_sms.delivery.enqueue import Enqueuer
from openvoip_sms.delivery.flood_guard import FloodGuard
from openvoip_sms.intake.from_webhook import WebhookIntake
from openvoip_sms.rules.policy import Policy
from openvoip_sms.webhooks.config.sources import load_sources
from openvoip_sms.webhooks.plan import PlannedMessage, RejectedMessage
from tests.fakes import FakeClock, FakeCounters, FakeQueue, FakeSchedule, FakeStore, FakeTelemetry

SOURCES = load_sources(
    """
form: {preset: make, secrets: [form], to: tel, message: {text: Grazie}}
shop: {preset: make, secrets: [shop], to: tel, message: {text: Grazie}}
""",
    "sources.yaml",
)
FORM, SHOP = SOURCES["form"], SOURCES["shop"]


@pytest.fixture
def house():
    return House()


class House:
    def __init__(self, recipient_limit=5, **policy):
        self.clock, self.store, self.queue = FakeClock(), FakeStore(), FakeQueue()
        self.telemetry, self.counters = FakeTelemetry(), FakeCounters()
        settings = Policy(default_sender="Bottega", **{"live": True} | policy)
        enqueuer = Enqueuer(
            self.store, self.queue, FakeSchedule(), self.telemetry, settings, self.clock
        )
        guard = FloodGuard(self.store, self.counters, self.telemetry, self.clock)
        self.intake = WebhookIntake(enqueuer, guard, recipient_limit)

    def post(self, n, to="+393331234567", text=None, source=FORM):
        return self.intake.handle(planned(f"{source.name}:{n}", to, text or f"Testo {n}"), source)


def planned(message_id, to, text, **more):
    usual = {"sender": None, "category": "transactional", "archive": None, "send_at": None}
    return PlannedMessage(id=message_id, to=to, text=text, found_at="tel", **usual | more)


def test_a_planned_message_is_stored_and_queued(house):
    taken = house.post(1)
    assert taken.accepted
    assert taken.record.source == "webhook:form"
    assert house.queue.put_in == [("form:1", 0.0)]


def test_the_same_event_again_is_a_duplicate_even_if_its_text_has_changed(house):
    house.post(1, text="Prima")
    again = house.post(1, text="Dopo")
    assert (again.repeated, again.reason) == (True, "duplicate")
    assert len(house.queue.put_in) == 1
    assert len(house.counters.counts) == 3  # the repeat was not counted


def test_a_message_whose_text_could_not_be_rendered_is_recorded_as_rejected(house):
    rejected = RejectedMessage(
        "form:1", "+393331234567", "transactional", "missing_value", "nome is missing"
    )
    taken = house.intake.handle(rejected, FORM)
    assert (taken.record.status, taken.reason) == ("rejected", "missing_value")
    assert house.queue.put_in == []


def test_a_text_that_is_too_long_is_recorded_as_rejected(house):
    taken = house.post(1, text="a" * 1000)
    assert (taken.record.status, taken.reason) == ("rejected", "too_long")


def test_one_number_gets_no_more_than_its_limit_within_an_hour(house):
    taken = [house.post(n) for n in range(7)]
    assert [one.reason for one in taken[5:]] == ["recipient_limit"] * 2
    assert len(house.queue.put_in) == 5
    assert house.telemetry.pauses == []  # one eager number does not stop a shop


def test_the_hour_slides_so_a_new_clock_hour_resets_nothing(house):
    house.clock.forward(25 * 60)  # 8:55
    for n in range(5):
        house.post(n)
    house.clock.forward(10 * 60)  # 9:05
    assert house.post(5).reason == "recipient_limit"
    house.clock.forward(55 * 60)  # 10:00
    assert house.post(6).accepted


def test_500_forged_posts_over_100_neighbouring_numbers_stop_early_and_pause_the_source(house):
    numbers = [f"+39333123{n:04d}" for n in range(100)]
    taken = [house.post(n, to=numbers[n % 100]) for n in range(500)]
    assert sum(one.accepted for one in taken) == FORM.range_hourly_limit == 20
    assert {one.record.status for one in taken[20:]} == {"suppressed"}
    assert taken[20].reason == "range_limit"
    assert taken[21].reason == "source_paused"
    assert len(house.store.records) == 500  # each is on record
    assert house.telemetry.pauses


def test_other_sources_continue_while_one_is_paused(house):
    for n in range(30):
        house.post(n, to=f"+39333123{n:04d}")
    assert house.post(30, to="+393471112222").reason == "source_paused"
    assert house.post(31, to="+393471112222", source=SHOP).accepted


def test_a_paused_source_resumes_automatically(house):
    for n in range(30):
        house.post(n, to=f"+39333123{n:04d}")
    house.clock.forward(2 * 3600)
    assert house.post(30, to="+393471112222").accepted


def test_a_source_sends_no_more_than_its_own_limit_whatever_the_numbers(house):
    small = replace(FORM, hourly_limit=3)
    taken = [house.post(n, to=f"+3933{n}1234567", source=small) for n in range(5)]
    assert [one.accepted for one in taken] == [True] * 3 + [False] * 2
    assert taken[3].reason == "source_limit"


def test_a_limit_of_zero_is_no_limit():
    house = House(recipient_limit=0)
    free = replace(FORM, hourly_limit=0, range_hourly_limit=0)
    assert all(house.post(n, source=free).accepted for n in range(60))


def test_the_same_text_from_another_event_is_suppressed_and_names_the_first(house):
    house.post(1, text="Grazie")
    second = house.post(2, text="Grazie")
    assert (second.record.status, second.reason) == ("suppressed", "same_text")
    assert "form:1" in second.record.detail
    assert len(house.queue.put_in) == 1


def test_the_same_text_may_be_sent_again_after_ten_minutes_or_to_another_number(house):
    house.post(1, text="Grazie")
    assert house.post(2, text="Grazie", to="+393471112222").accepted
    house.clock.forward(601)
    assert house.post(3, text="Grazie").accepted


def test_one_text_for_two_days_is_two_reminders_and_for_one_day_one(house):
    """A week before and a day before; but a form sent twice asks for one reminder."""

    def remind(n, days):
        moment = house.clock() + timedelta(days=days, seconds=n)
        words = planned(f"form:{n}", "+393331234567", "Domani hai una visita", send_at=moment)
        return house.intake.handle(words, FORM)

    assert [remind(1, 7).reason, remind(2, 13).reason] == ["scheduled", "scheduled"]
    assert remind(3, 7).reason == "same_text"


def test_a_text_whose_first_message_was_never_stored_is_sent(house):
    """Its claim stood, but nothing that could ever be sent: the second must not wait for it."""
    house.post(1, text="Grazie")
    del house.store.records["form:1"]
    assert house.post(2, text="Grazie").reason == "same_text"  # the first may still be at work
    house.clock.forward(60)
    assert house.post(3, text="Grazie").accepted


def test_a_source_may_allow_the_same_text(house):
    allowing = replace(FORM, allow_same_text=True)
    assert all(house.post(n, text="Grazie", source=allowing).accepted for n in range(2))


def test_what_is_suppressed_in_test_mode_is_not_queued():
    house = House(live=False)
    assert house.post(1).reason == "test_mode"
    assert house.queue.put_in == []
