"""What only the webhooks function needs, so that no other function loads it."""

import time
from functools import cache
from pathlib import Path

from openvoip_sms.adapters.counters import DynamoCounters
from openvoip_sms.adapters.secret_reader import NamedSecrets
from openvoip_sms.delivery.flood_guard import FloodGuard
from openvoip_sms.delivery.source_states import SourceStates
from openvoip_sms.delivery.source_watch import SourceWatch
from openvoip_sms.intake.from_webhook import WebhookIntake
from openvoip_sms.web.webhook_api import WebhookApi
from openvoip_sms.webhooks.config.sources import Mistake, SourcesInvalid, load_sources
from openvoip_sms.webhooks.model import Sources
from openvoip_sms.wiring import core


@cache
def webhook_api() -> WebhookApi:
    """Build the API of webhooks.

    Raises:
        SourcesInvalid: the sources file has mistakes.
    """
    found = sources()
    if isinstance(found, SourcesInvalid):
        raise found
    telemetry, public_url = core.telemetry(), core.public_url()
    return WebhookApi(found, _secrets(), intake(), watch(), telemetry, core.clock, public_url)


@cache
def _counters() -> DynamoCounters:
    table, telemetry = core.env().required("TABLE_NAME"), core.telemetry()
    return DynamoCounters(core.client("dynamodb"), table, telemetry.record_unreadable)


@cache
def _states() -> SourceStates:
    return SourceStates(_counters())


@cache
def intake() -> WebhookIntake:
    guard = FloodGuard(core.store(), _counters(), core.telemetry(), _states())
    return WebhookIntake(core.enqueuer(), guard, core.env().whole("RECIPIENT_HOURLY_LIMIT"))


@cache
def watch() -> SourceWatch:
    return SourceWatch(_counters(), core.telemetry(), core.clock, _states())


@cache
def _secrets() -> NamedSecrets:
    return NamedSecrets(core.secret("WEBHOOK_SECRET_ARN"), time.monotonic)


@cache
def sources() -> Sources | SourcesInvalid:
    """The sources; a file with mistakes is cached too, so that it is read and logged once."""
    file = Path(core.env().required("SOURCES_FILE"))
    try:
        return load_sources(_text(file), file.name)
    except SourcesInvalid as invalid:
        core.telemetry().sources_invalid(str(invalid))
        return invalid


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        mistake = Mistake(file.name, 1, "(file)", "cannot be read", "It must be there, in UTF-8.")
        raise SourcesInvalid([mistake]) from None
