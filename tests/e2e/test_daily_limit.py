"""The day's limit of segments, on a stack of its own that was deployed with it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from local.deployed_stack import deploy
from tests.e2e.conftest import LONG_TIME_OUT, Deployment, wait_until
from tests.e2e.load import LoadGenerator, key_in
from tests.e2e.table_and_queue import records, variables_set

LIMIT = 10
COUNTS = {"async": 10, "sync": 10, "queue": 10, "webhook": 10}
DRY_RUN = {"to": "3331234741", "text": "Prova", "dry_run": True}
ROME = ZoneInfo("Europe/Rome")


@pytest.fixture
def limited(deployment):
    stack = deploy(
        deployment.stack.endpoint, deployment.gateway, "limite", DailySegmentLimit=str(LIMIT)
    )
    stack.use_sources(deployment.sources, 1)
    return Deployment(stack, deployment.gateway, None, deployment.sources)


def send_at_once(traffic):
    """Everything on every way in, several calls at a time."""
    with ThreadPoolExecutor(8) as at_once:
        jobs = [
            *(at_once.submit(traffic.post, key, "async") for key in traffic.keys["async"]),
            *(at_once.submit(traffic.post, key, "sync") for key in traffic.keys["sync"]),
            *(at_once.submit(traffic.webhook, key) for key in traffic.keys["webhook"]),
            at_once.submit(traffic.queue, traffic.keys["queue"]),
        ]
    for job in jobs:
        job.result()


def ends(limited):
    """How many messages are in each status, and why."""
    found = [one for one in records(limited.stack) if "status" in one]
    return Counter((one["status"], one.get("reason")) for one in found)


def calls(limited, traffic):
    return [call for call in limited.gateway.calls if key_in(call.text) in traffic.all_keys]


def test_the_days_segments_are_called_and_everything_else_waits_until_there_is_room(limited):
    traffic = LoadGenerator(limited, "limite-1", COUNTS)
    send_at_once(traffic)
    settled = {("sent", None): LIMIT, ("queued", "daily_limit"): 40 - LIMIT}
    wait_until(lambda: ends(limited) == settled, "ten sent and thirty held", LONG_TIME_OUT)
    assert sum(call.segments for call in calls(limited, traffic)) == LIMIT
    the_others_wait_for_midnight(limited)
    assert limited.call("POST", "/messages", DRY_RUN)[2]["stopped_by"]["reason"] == "daily_limit"
    a_refused_message_gives_its_segment_back(limited, traffic)
    with variables_set(limited.stack, limited.stack.functions, DAILY_SEGMENT_LIMIT="1000"):
        limited.stack.invoke("reconciler", {})
        wait_until(lambda: ends(limited)["sent", None] == 39, "the others sent", LONG_TIME_OUT)
        accepted = Counter(key_in(call.text) for call in calls(limited, traffic) if call.accepted)
        assert set(accepted.values()) == {1}
        the_usage_is_the_gateways_own(limited, traffic)


def the_others_wait_for_midnight(limited):
    tomorrow = datetime.now(ROME).date() + timedelta(days=1)
    midnight = datetime.combine(tomorrow, time(), ROME)
    waiting = limited.call("GET", "/messages?status=queued&limit=100")[2]["messages"]
    assert len(waiting) == 40 - LIMIT
    until = {datetime.fromisoformat(one["held_until"]) for one in waiting}
    assert until == {midnight.astimezone(UTC)}


def a_refused_message_gives_its_segment_back(limited, traffic):
    """One more may go: it is refused, and so does not count, and another one may go."""
    before = len(calls(limited, traffic))
    one_more = {"DAILY_SEGMENT_LIMIT": str(LIMIT + 1)}
    limited.gateway.fail_next(1, "refuse_020")
    with variables_set(limited.stack, limited.stack.functions, **one_more):
        assert limited.stack.invoke("reconciler", {})["woken"] == 1
        wait_until(lambda: ends(limited)["rejected", "bad_destination"] == 1, "a refusal")
        wait_until(lambda: used(limited) == LIMIT, "the segment given back")
        assert limited.stack.invoke("reconciler", {})["woken"] == 1
        wait_until(lambda: ends(limited)["sent", None] == LIMIT + 1, "another one sent")
        assert limited.stack.invoke("reconciler", {})["woken"] == 0
    assert len(calls(limited, traffic)) == before + 2
    assert ends(limited)["queued", "daily_limit"] == 28


def used(limited):
    return limited.call("GET", "/usage")[2]["segments"]


def the_usage_is_the_gateways_own(limited, traffic):
    """To the segment, also for a long text, and without what is in doubt."""
    long, doubt = "Due segmenti " * 15, "In dubbio oltre il limite"
    first = len(limited.gateway.calls)
    assert limited.call("POST", "/messages", {"to": "3331234742", "text": long})[0] == 201
    limited.gateway.fail_next(1, "cut_after", to="+393331234743")
    uncertain = {"to": "3331234743", "text": doubt}
    assert limited.call("POST", "/messages", uncertain)[2]["status"] == "unknown"
    more = limited.gateway.calls[first:]
    accepted = [call for call in [*calls(limited, traffic), *more] if call.accepted]
    in_doubt = [call for call in more if call.text == doubt]
    shown = limited.call("GET", "/usage")[2]
    assert [call.segments for call in more] == [2, 1]
    assert shown["uncertain_segments"] == sum(call.segments for call in in_doubt) == 1
    assert shown["segments"] + 1 == sum(call.segments for call in accepted) == 42
    [day] = shown["days"]
    assert (day["messages"], day["cost_eur"]) == (len(accepted) - 1, 3.69)
    assert day["by_source"] == by_source(accepted, in_doubt)


def by_source(accepted, in_doubt):
    """Segments as the gateway counted them, by the way in that is part of the key."""
    source = {"queue": "queue", "webhook": "webhook:shopify"}
    found = Counter()
    for call in accepted:
        if call not in in_doubt:
            key = key_in(call.text)
            found[source.get(key.split("-")[2] if key else "", "api")] += call.segments
    return dict(found)
