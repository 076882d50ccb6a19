"""Builds what only webhooks need: apart from `wiring`, so that no other function loads it."""

from functools import cache
from pathlib import Path

from openvoip_sms import wiring
from openvoip_sms.adapters.counters import DynamoCounters
from openvoip_sms.adapters.secrets import WebhookSecrets
from openvoip_sms.delivery.from_webhook import WebhookIntake
from openvoip_sms.webhooks.sources import Mistake, SourcesInvalid, load_sources
from openvoip_sms.webhooks.vocabulary import Sources


@cache
def intake() -> WebhookIntake:
    counters = DynamoCounters(wiring.client("dynamodb"), wiring.env().required("TABLE_NAME"))
    return WebhookIntake(
        wiring.acceptance(), counters, wiring.env().whole("RECIPIENT_HOURLY_LIMIT")
    )


@cache
def secrets() -> WebhookSecrets:
    return WebhookSecrets(
        wiring.client("secretsmanager"), wiring.env().required("WEBHOOK_SECRET_ARN")
    )


@cache
def sources() -> Sources | SourcesInvalid:
    """The sources; a file with a mistake is an answer too, so that it is read and told once."""
    file = Path(wiring.env().required("SOURCES_FILE"))
    try:
        return load_sources(_text(file), file.name)
    except SourcesInvalid as invalid:
        wiring.journal().sources_invalid(str(invalid))
        return invalid


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        mistake = Mistake(file.name, 1, "(file)", "cannot be read", "It must be there, in UTF-8.")
        raise SourcesInvalid([mistake]) from None
