"""How long one call of the SDK may take, and that it fits into the functions that make it.

The attempts and the waits between them are botocore's own, with each wait at its longest.
"""

from dataclasses import dataclass
from functools import partial

import boto3
import pytest
from botocore import endpoint
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from botocore.retries import standard

from openvoip_sms.delivery.call import CALL_BUDGET
from openvoip_sms.wiring import core
from tests.template import resource

# They have to answer or to continue. A webhook's sender times out after five seconds and retries:
# it loses nothing if the function ends before the table answers.
WAIT_FOR_THE_TABLE = ("ApiFunction", "SenderFunction", "ReconcilerFunction")


@dataclass
class Longest:
    """The longest that an attempt, and a call with all its attempts, can take in seconds."""

    attempt: float
    call: float


@pytest.fixture
def longest(monkeypatch):
    """Measures a client with that configuration against a table that never answers."""
    waits = []
    monkeypatch.setattr(endpoint.time, "sleep", waits.append)
    longest_waits = partial(standard.ExponentialBackoff, random=lambda: 1.0)
    monkeypatch.setattr(standard, "ExponentialBackoff", longest_waits)

    def measured(config):
        attempts = []

        def never_answers(request, **_):
            attempts.append(request)
            raise ReadTimeoutError(endpoint_url=request.url)

        client = boto3.session.Session("key", "secret").client(
            "dynamodb", "eu-south-1", config=config
        )
        client.meta.events.register("before-send.dynamodb.*", never_answers)
        waits.clear()
        with pytest.raises(ReadTimeoutError):
            client.get_item(TableName="messages", Key={"id": {"S": "m-1"}})
        attempt = config.connect_timeout + config.read_timeout
        return Longest(attempt, len(attempts) * attempt + sum(waits))

    return measured


def misfits(one):
    """The functions that a table that never answers would end."""
    found = [name for name in WAIT_FOR_THE_TABLE if one.call >= resource(name)["Timeout"]]
    if CALL_BUDGET.total_seconds() + one.call > resource("SenderFunction")["Timeout"]:
        found.append("SenderFunction, after a call")
    if one.attempt >= resource("WebhooksFunction")["Timeout"]:
        found.append("WebhooksFunction, in its first attempt")
    return found


def test_a_table_that_never_answers_leaves_time_to_report_it(longest):
    assert misfits(longest(core._CONFIG)) == []


def test_the_longest_call_is_made_of_four_attempts_and_the_waits_between_them(longest):
    assert longest(core._CONFIG).call == 4 * (1 + 4) + (1 + 2 + 4)


@pytest.mark.parametrize(
    "change",
    [
        {"read_timeout": 60},
        {"read_timeout": 5},
        {"connect_timeout": 10},
        {"retries": {"mode": "standard", "total_max_attempts": 5}},
    ],
    ids=str,
)
def test_a_longer_time_out_is_detected(longest, change):
    assert misfits(longest(core._CONFIG.merge(Config(**change))))


def test_a_read_time_out_of_two_minutes_would_end_every_function(longest):
    one = longest(core._CONFIG.merge(Config(read_timeout=120)))
    assert misfits(one)[: len(WAIT_FOR_THE_TABLE)] == list(WAIT_FOR_THE_TABLE)
    assert len(misfits(one)) == len(WAIT_FOR_THE_TABLE) + 2


def test_what_must_not_be_counted_twice_is_tried_once_and_no_longer_than_the_rest(longest):
    assert longest(core.ONCE) == Longest(attempt=1 + 4, call=1 + 4)
