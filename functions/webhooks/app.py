"""A webhook in, messages stored and queued, a response out. The gateway is never called here."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from openvoip_sms.adapters.telemetry import entry_point
from openvoip_sms.delivery.ports import SecretNotSet, StoreUnavailable
from openvoip_sms.web import response
from openvoip_sms.web.response import Response
from openvoip_sms.web.webhook_api import ERRORS, EventNotAccepted, SourceUnusable
from openvoip_sms.webhooks.config.sources import SourcesInvalid
from openvoip_sms.wiring import core, webhooks
from openvoip_sms.wiring.settings import BadSetting


def _misconfigured(error: Exception) -> None:
    """Count an error that lasts until a person acts; `sources.invalid` was logged already."""
    if isinstance(error, SourcesInvalid):
        core.telemetry().no_sources()
    else:
        core.telemetry().configuration_error(str(error))


def respond(event: dict[str, Any]) -> Response:
    """Translate errors in one place."""
    try:
        return webhooks.webhook_api().respond(event)
    except tuple(ERRORS) as error:
        if isinstance(error, SecretNotSet):
            _misconfigured(error)
        else:
            core.telemetry().request_failed(error)
        return response.response_for(error, ERRORS)
    except (BadSetting, SourcesInvalid) as error:
        _misconfigured(error)
        return response.not_configured()
    except Exception as error:  # noqa: BLE001 - the sender gets a response, and may retry
        core.telemetry().unhandled_error("webhook", error)
        return response.internal_error()


def accept(event: dict[str, Any]) -> dict[str, Any]:
    """Raise errors of fixed wording only: Lambda logs them, and others may quote a text."""
    try:
        return webhooks.webhook_api().accept_shopify_event(event)
    except EventNotAccepted:
        raise
    except (BadSetting, SourcesInvalid, SourceUnusable) as error:
        _misconfigured(error)
        raise EventNotAccepted(f"not configured: {type(error).__name__}") from None
    except StoreUnavailable as error:
        core.telemetry().request_failed(error)
        raise EventNotAccepted(type(error).__name__) from None
    except Exception as error:  # noqa: BLE001 - Lambda retries
        core.telemetry().unhandled_error("webhook", error)
        raise EventNotAccepted(type(error).__name__) from None


@entry_point
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    return accept(event) if "detail-type" in event else respond(event).to_proxy()
