"""A campaign's messages wait out an outage of twelve simulated hours."""

from openvoip_sms.rules.record import Status
from tests.simulation.outage import OUTAGE, outage

MESSAGES = 300


def test_hundreds_of_messages_wait_out_half_a_day():
    down = outage(2, patient=MESSAGES)
    assert not down.outcome.violations
    assert down.outcome.ends[Status.SENT] == MESSAGES
    assert sum(call.accepted for call in down.after) == MESSAGES
    assert len(down.during) <= (10 + OUTAGE / 450 + 1) * MESSAGES
    assert down.max_at_once <= 5 * 10
    assert max(call.at for call in down.after) <= OUTAGE + 900 + 60
