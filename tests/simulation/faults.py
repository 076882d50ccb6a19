"""What may go wrong, and how often: a name and a probability at each occasion."""

from collections import Counter
from random import Random

EVERY_FAULT = {
    # the process
    "crash_before_a_call": 0.003,
    "crash_after_a_call": 0.003,
    "frozen": 0.002,
    "clock_wrong": 0.1,  # of a container, by up to five minutes
    # the table
    "table_throttled": 0.005,
    "table_timeout_written": 0.003,
    "table_timeout_not_written": 0.003,
    "table_retried": 0.005,  # written, its answer lost, and tried again by the SDK
    "index_stale": 0.05,
    "batch_cut": 0.5,  # some keys of a batch are not answered
    # queue and scheduler
    "queue_refused": 0.01,
    "queue_timeout_taken": 0.01,
    "delivered_twice": 0.05,
    "ack_lost": 0.01,
    "visibility_refused": 0.01,
    "invoke_refused": 0.05,
    "schedule_refused": 0.02,
    "schedule_timeout_taken": 0.02,
    "schedule_retried": 0.02,  # taken, its answer lost, and tried again by the SDK
    "schedule_fired_twice": 0.05,
    "schedule_lingers": 0.2,
    # secrets
    "secret_unavailable": 0.01,
    "secret_rotated": 0.5,  # in the course of a run
    # the gateway
    "accepted_reply_lost": 0.02,
    "cut_before_acceptance": 0.02,
    "server_error": 0.02,
    "generic_error": 0.03,
    "bad_destination": 0.02,
    "security_error": 0.01,
    "unreachable": 0.03,
    "busy": 0.03,
    "misconfigured": 0.01,
    "gateway_down": 0.5,  # for some minutes of a run
    "gateway_unwell": 0.3,  # the same, with unclear answers
    # those who send
    "sent_again_by_client": 0.1,
    "same_id_other_text": 0.01,
    "not_a_message": 0.01,
    "forged_webhook": 0.02,
    "low_limits": 0.2,  # of the webhooks of a run
    "low_daily_limit": 0.2,  # of a run
    "sending_paused": 0.3,  # by a person, for some minutes of a run
    "reconciler_twice": 0.2,
}

# Every fault here is reported to whoever meets it, and what it stops is tried again without help.
MILD = (
    "delivered_twice secret_unavailable secret_rotated generic_error bad_destination"
    " security_error unreachable busy misconfigured gateway_down sent_again_by_client"
    " reconciler_twice"
).split()


class Faults:
    """Draws faults from the run's own random numbers, and counts those that happened."""

    def __init__(self, random: Random, rates: dict[str, float]) -> None:
        self._random, self._rates = random, rates
        self.happened: Counter[str] = Counter()

    def happens(self, *names: str) -> str | None:
        """Draw at most one of several faults that exclude each other."""
        rates = self._rates
        if not rates:
            return None
        drawn = self._random.random()
        for name in names:
            drawn -= rates.get(name, 0.0)
            if drawn < 0.0:
                self.happened[name] += 1
                return name
        return None


def all_at_once(seed: int) -> dict[str, float]:
    """Every fault, each rarer or more frequent from run to run: some only show on their own."""
    random = Random(seed)  # noqa: S311 - a simulation must repeat itself
    more = {name: random.choice((0.0, 0.3, 1.0, 1.0, 3.0)) for name in EVERY_FAULT}
    return {name: min(0.9, rate * more[name]) for name, rate in EVERY_FAULT.items()}


def only(*names: str, more: float = 1.0) -> dict[str, float]:
    """Some faults alone, `more` times as frequent."""
    return {name: min(0.9, EVERY_FAULT[name] * more) for name in names}
