"""What planned webhook messages become, and how little a flooded form can cost."""

from dataclasses import replace
from datetime import timedelta

import pytest

from openvoip_sms.delivery.enqueue import Enqueuer
from openvoip_sms.delivery.flood_guard import FloodGuard
from openvoip_sms.delivery.ports import UnreadableRecord
from openvoip_sms.delivery.source_states import SourceStates
from openvoip_sms.intake.from_webhook import WebhookIntake
from openvoip_sms.rules.policy import Policy
from openvoip_sms.webhooks.config.sources import load_sources
from openvoip_sms.webhooks.plan import PlannedMessage, RejectedMessage
from tests.fakes import FakeClock, FakeCounters, FakeQueue, FakeSchedule, FakeStore, FakeTelemetry

SOURCES = load_sources(
    """
form: {preset: make, secrets: [form], to: tel, message: {text: Grazie}}
shop: {preset: make, secrets: [shop], to: tel, message: {text: Grazie}}
signed: {preset: shopify, secrets: [shop], to: tel, message: {text: Grazie}}
""",
    "sources.yaml",
)
FORM, SHOP, SIGNED = SOURCES["form"], SOURCES["shop"], SOURCES["signed"]


@pytest.fixture
def setup():
    return Setup()


class Setup:
    def __init__(self, recipient_limit=5, **policy):
        self.clock, self.store, self.queue = FakeClock(), FakeStore(), FakeQueue()
        self.telemetry, self.counters = FakeTelemetry(), FakeCounters()
        settings = Policy(default_sender="Bottega", **{"live": True} | policy)
        enqueuer = Enqueuer(
            self.store, self.queue, FakeSchedule(), self.telemetry, settings, self.clock
        )
        self.states = SourceStates(self.counters)
        guard = FloodGuard(self.store, self.counters, self.telemetry, self.states)
        self.intake = WebhookIntake(enqueuer, guard, recipient_limit)

    def post(self, n, to="+393331234567", text=None, source=FORM):
        return self.intake.handle(planned(f"{source.name}:{n}", to, text or f"Testo {n}"), source)


def planned(message_id, to, text, **more):
    usual = {"sender": None, "category": "transactional", "archive": None, "send_at": None}
    return PlannedMessage(id=message_id, to=to, text=text, found_at="tel", **usual | more)


def test_a_planned_message_is_stored_and_queued(setup):
    outcomes = setup.post(1)
    assert outcomes.accepted
    assert outcomes.record.source == "webhook:form"
    assert setup.queue.queued == [("form:1", 0.0)]


def test_the_same_event_again_is_a_duplicate_even_if_its_text_has_changed(setup):
    setup.post(1, text="Prima")
    again = setup.post(1, text="Dopo")
    assert (again.repeated, again.reason) == (True, "duplicate")
    assert len(setup.queue.queued) == 1
    assert [len(of) for of in setup.counters.entries.values()] == [1, 1]  # range and source, once


def test_a_hand_over_that_failed_is_done_when_the_shop_calls_again(setup):
    setup.queue.down = True
    setup.post(1)
    setup.queue.down = False
    assert setup.post(1).repeated
    assert setup.queue.queued == [("form:1", 0.0)]


def test_a_message_whose_text_could_not_be_rendered_is_recorded_as_rejected(setup):
    rejected = RejectedMessage(
        "form:1", "+393331234567", "transactional", "missing_value", "nome is missing"
    )
    outcomes = setup.intake.handle(rejected, FORM)
    assert (outcomes.record.status, outcomes.reason) == ("rejected", "missing_value")
    assert setup.queue.queued == []


def test_a_text_that_is_too_long_is_recorded_as_rejected(setup):
    outcomes = setup.post(1, text="a" * 1000)
    assert (outcomes.record.status, outcomes.reason) == ("rejected", "too_long")


def test_one_number_gets_no_more_than_its_limit_within_an_hour(setup):
    outcomes = [setup.post(n) for n in range(7)]
    assert [one.reason for one in outcomes[5:]] == ["recipient_limit"] * 2
    assert len(setup.queue.queued) == 5
    assert setup.telemetry.pauses == []  # one eager number does not stop a shop


def test_the_hour_slides_so_a_new_clock_hour_resets_nothing(setup):
    setup.clock.advance(25 * 60)  # 8:55
    for n in range(5):
        setup.post(n)
    setup.clock.advance(10 * 60)  # 9:05
    assert setup.post(5).reason == "recipient_limit"
    setup.clock.advance(55 * 60)  # 10:00
    assert setup.post(6).accepted


def test_500_forged_posts_over_100_neighbouring_numbers_stop_early_and_pause_the_source(setup):
    numbers = [f"+39333123{n:04d}" for n in range(100)]
    outcomes = [setup.post(n, to=numbers[n % 100]) for n in range(500)]
    assert sum(one.accepted for one in outcomes) == FORM.range_hourly_limit == 20
    assert {one.record.status for one in outcomes[20:]} == {"suppressed"}
    assert outcomes[20].reason == "range_limit"
    assert outcomes[21].reason == "source_paused"
    assert len(setup.store.records) == 500  # each is on record
    assert setup.telemetry.pauses


def test_other_sources_continue_while_one_is_paused(setup):
    for n in range(30):
        setup.post(n, to=f"+39333123{n:04d}")
    assert setup.post(30, to="+393471112222").reason == "source_paused"
    assert setup.post(31, to="+393471112222", source=SHOP).accepted


def test_a_paused_source_resumes_automatically(setup):
    for n in range(30):
        setup.post(n, to=f"+39333123{n:04d}")
    setup.clock.advance(2 * 3600)
    assert setup.post(30, to="+393471112222").accepted


def test_a_source_sends_no_more_than_its_own_limit_whatever_the_numbers(setup):
    small = replace(FORM, hourly_limit=3)
    outcomes = [setup.post(n, to=f"+3933{n}1234567", source=small) for n in range(5)]
    assert [one.accepted for one in outcomes] == [True] * 3 + [False] * 2
    assert outcomes[3].reason == "source_limit"


def test_a_limit_of_zero_is_no_limit():
    setup = Setup(recipient_limit=0)
    free = replace(FORM, hourly_limit=0, range_hourly_limit=0)
    assert all(setup.post(n, source=free).accepted for n in range(60))


def test_the_same_text_from_another_event_is_suppressed_and_names_the_first(setup):
    setup.post(1, text="Grazie")
    second = setup.post(2, text="Grazie")
    assert (second.record.status, second.reason) == ("suppressed", "same_text")
    assert "form:1" in second.record.detail
    assert len(setup.queue.queued) == 1


def test_the_same_text_may_be_sent_again_after_ten_minutes_or_to_another_number(setup):
    setup.post(1, text="Grazie")
    assert setup.post(2, text="Grazie", to="+393471112222").accepted
    setup.clock.advance(601)
    assert setup.post(3, text="Grazie").accepted


def test_one_text_for_two_days_is_two_reminders_and_for_one_day_one(setup):
    """A week before and a day before; but a form sent twice asks for one reminder."""

    def remind(n, days):
        moment = setup.clock() + timedelta(days=days, seconds=n)
        reminder = planned(f"form:{n}", "+393331234567", "Domani hai una visita", send_at=moment)
        return setup.intake.handle(reminder, FORM)

    assert [remind(1, 7).reason, remind(2, 13).reason] == ["scheduled", "scheduled"]
    assert remind(3, 7).reason == "same_text"


def test_a_text_whose_first_message_was_never_stored_is_sent(setup):
    """The text was claimed for a message that does not exist: it must not block the second."""
    setup.post(1, text="Grazie")
    del setup.store.records["form:1"]
    assert setup.post(2, text="Grazie").reason == "same_text"  # the first may still be at work
    setup.clock.advance(60)
    assert setup.post(3, text="Grazie").accepted


def test_a_text_whose_first_message_cannot_be_read_counts_as_sent(setup):
    """It was accepted, and another version may have sent it."""
    setup.post(1, text="Grazie")
    read = setup.store.get

    def get(record_id):
        if record_id == "form:1":
            raise UnreadableRecord(record_id, {}, "status held")
        return read(record_id)

    setup.store.get = get
    setup.clock.advance(60)
    assert setup.post(2, text="Grazie").reason == "same_text"


def test_a_source_may_allow_the_same_text(setup):
    allowing = replace(FORM, allow_same_text=True)
    assert all(setup.post(n, text="Grazie", source=allowing).accepted for n in range(2))


def test_what_is_suppressed_in_test_mode_is_not_queued():
    setup = Setup(live=False)
    assert setup.post(1).reason == "test_mode"
    assert setup.queue.queued == []


# A source that signs


def test_reminders_of_a_signed_source_all_go_however_many(setup):
    """600 due dates of one day: none may be lost to a limit made for forms."""
    taken = [setup.post(n, to=f"+3933{n:08d}", source=SIGNED) for n in range(600)]
    assert all(one.accepted for one in taken)
    assert len(setup.queue.queued) == 600
    assert setup.telemetry.exceeded == []
    assert setup.telemetry.pauses == []


def test_limits_apply_by_default_to_what_cannot_sign_only():
    assert (FORM.hourly_limit, FORM.range_hourly_limit) == (500, 20)
    assert (SIGNED.hourly_limit, SIGNED.range_hourly_limit) == (0, 0)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"hourly_limit": 3}, "source_limit"),
        ({"range_hourly_limit": 3}, "range_limit"),
    ],
)
def test_a_signed_source_that_passes_a_limit_of_its_own_goes_on_and_alarms(setup, limits, reason):
    own = replace(SIGNED, **limits)
    taken = [setup.post(n, to=f"+39333123{n:04d}", source=own) for n in range(6)]
    assert all(one.accepted for one in taken)
    assert setup.telemetry.exceeded == [(f"signed:{n}", reason) for n in (3, 4, 5)]
    assert setup.telemetry.pauses == []


def test_a_number_that_passes_its_limit_with_signed_messages_gets_them_and_alarms(setup):
    taken = [setup.post(n, source=SIGNED) for n in range(7)]
    assert all(one.accepted for one in taken)
    assert [reason for _, reason in setup.telemetry.exceeded] == ["recipient_limit"] * 2


def test_a_strangers_posts_do_not_silence_a_customers_order(setup):
    for n in range(10):
        setup.post(n)
    order = setup.post(10, source=SIGNED)
    assert order.accepted
    assert setup.telemetry.exceeded == []


def test_signed_messages_use_up_nothing_of_what_a_form_may_send(setup):
    for n in range(10):
        setup.post(n, source=SIGNED)
    assert setup.post(10).accepted


def test_a_text_that_a_stranger_posted_first_does_not_hold_back_the_signed_one(setup):
    setup.post(1, text="Grazie")
    assert setup.post(2, text="Grazie", source=SIGNED).accepted
    assert setup.post(3, text="Grazie", source=SIGNED).reason == "same_text"
