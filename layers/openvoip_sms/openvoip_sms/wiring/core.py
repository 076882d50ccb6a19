"""What every function needs: settings, clients, table, queue, telemetry."""

import os
import secrets
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from openvoip_sms.adapters.attempts import DynamoAttempts
from openvoip_sms.adapters.authorities import amazon_roots
from openvoip_sms.adapters.control import DynamoControl
from openvoip_sms.adapters.message_queue import SqsQueue
from openvoip_sms.adapters.record_lists import DynamoLists
from openvoip_sms.adapters.schedule import EventBridgeSchedule
from openvoip_sms.adapters.secret_reader import JsonSecret
from openvoip_sms.adapters.store import DynamoStore
from openvoip_sms.adapters.telemetry import CloudWatchTelemetry
from openvoip_sms.adapters.usage import DynamoUsage
from openvoip_sms.delivery.braking import Probes
from openvoip_sms.delivery.enqueue import Enqueuer
from openvoip_sms.rules.policy import Policy
from openvoip_sms.wiring import settings

WORKERS = 10  # messages that one container sends at the same time: the sender's BatchSize

# A table that does not answer must leave time for a response: one call takes at most 27 seconds,
# with all retries and the waits between them; API Gateway waits 29.
_CONFIG = Config(
    connect_timeout=1,
    read_timeout=4,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=WORKERS,
)


# To repeat it behind our back could count twice.
ONCE = Config(
    connect_timeout=1,
    read_timeout=4,
    retries={"mode": "standard", "total_max_attempts": 1},
    max_pool_connections=WORKERS,
)


def clock() -> datetime:
    """Now, in milliseconds, the precision of records."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def new_id() -> str:
    """A new message id; ids sort by time."""
    milliseconds = int(datetime.now(UTC).timestamp() * 1000)
    return f"{milliseconds:012x}{secrets.token_hex(10)}"


@cache
def env() -> settings.Environment:
    return settings.Environment(os.environ)


@cache
def policy() -> Policy:
    return settings.policy(env())


@cache
def public_url() -> str:
    return settings.public_url(env())


@cache
def _session() -> boto3.session.Session:
    return boto3.session.Session()


@cache
def _authorities() -> str | None:
    return amazon_roots(_session())


def client(service: str, config: Config = _CONFIG) -> Any:  # noqa: ANN401 - of any service
    return _session().client(service, config=config, verify=_authorities())  # type: ignore[call-overload]


def secret(variable: str) -> JsonSecret:
    return JsonSecret(client("secretsmanager"), env().required(variable))


@cache
def _table() -> tuple[Any, str]:
    """Client and name of the message table; each client has connections of its own."""
    return client("dynamodb"), env().required("TABLE_NAME")


@cache
def store() -> DynamoStore:
    retention, found_unreadable = settings.retention(env()), telemetry().record_unreadable
    return DynamoStore(*_table(), retention, found_unreadable)


@cache
def lists() -> DynamoLists:
    return DynamoLists(store(), *_table())


@cache
def attempts() -> DynamoAttempts:
    return DynamoAttempts(*_table())


@cache
def control() -> DynamoControl:
    return DynamoControl(*_table(), clock, telemetry().record_unreadable)


@cache
def usage() -> DynamoUsage:
    client_, table = _table()
    return DynamoUsage(client_, client("dynamodb", ONCE), table, telemetry().usage_not_counted)


@cache
def queue() -> SqsQueue:
    url, dead_letters = env().required("QUEUE_URL"), env().required("DEAD_LETTER_QUEUE_URL")
    return SqsQueue(client("sqs"), url, dead_letters)


@cache
def probes() -> Probes:
    return Probes(queue(), telemetry(), clock)


@cache
def schedule() -> EventBridgeSchedule:
    return EventBridgeSchedule(
        client("scheduler"),
        group=env().required("SCHEDULE_GROUP"),
        role_arn=env().required("SCHEDULE_ROLE_ARN"),
        queue_arn=env().required("QUEUE_ARN"),
    )


@cache
def telemetry() -> CloudWatchTelemetry:
    """Its key for ids is the table's name: generated, and in no log."""
    id_key = env().values.get("TABLE_NAME", "")
    return CloudWatchTelemetry(env().required("STACK_NAME"), id_key=id_key)


@cache
def enqueuer() -> Enqueuer:
    return Enqueuer(store(), queue(), schedule(), telemetry(), policy(), clock)
