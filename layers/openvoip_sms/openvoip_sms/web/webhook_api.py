"""`POST /webhooks/{source}`, and Shopify's events over EventBridge: verified, stored, queued."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Protocol

from openvoip_sms.delivery.ports import SecretNotSet, SecretUnavailable, StoreUnavailable
from openvoip_sms.intake.from_webhook import WebhookIntake
from openvoip_sms.web import proxy_event, response
from openvoip_sms.web.proxy_event import ProxyEvent
from openvoip_sms.web.response import Response, problem
from openvoip_sms.web.webhook_request import from_api_gateway, from_event_bridge
from openvoip_sms.webhooks.bodies import Unreadable
from openvoip_sms.webhooks.model import Source, Sources
from openvoip_sms.webhooks.plan import NothingToSend, Pinged, Planned, plan, plan_trusted
from openvoip_sms.webhooks.request import MAX_BODY_BYTES
from openvoip_sms.webhooks.verify import Refused

SHOPIFY = "shopify"  # the source that EventBridge's partner events belong to


class WebhookTelemetry(Protocol):
    """The telemetry of webhooks that cause no message."""

    def webhook_refused(self, source: str, reason: str, *, configuration_error: bool) -> None: ...

    def webhook_ignored(self, source: str, reason: str) -> None: ...


class SourceUnusable(Exception):
    """There is no such source: a person must correct `sources.yaml`."""


class EventNotAccepted(Exception):
    """An event cannot be read: Lambda retries it, then moves it to the dead-letter queue."""


@dataclass(frozen=True, slots=True)
class WebhookApi:
    """May raise any error of `ERRORS`."""

    sources: Sources
    secrets: Callable[[], Mapping[str, str]]
    intake: WebhookIntake
    telemetry: WebhookTelemetry
    clock: Callable[[], datetime]
    public_url: str = ""  # empty: the address that was called

    def respond(self, event: ProxyEvent) -> Response:
        source = self.sources.get(proxy_event.path_parameter(event, "source"))
        if source is None:
            detail = "There is no such source in sources.yaml."
            return problem(HTTPStatus.NOT_FOUND, detail, reason="no_such_source")
        request = from_api_gateway(event, source.auth.url or self._public_url(event))
        if len(request.body) > MAX_BODY_BYTES:
            detail = f"A webhook takes at most {MAX_BODY_BYTES} bytes."
            return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, reason="too_large")
        return self._response(source, plan(source, request, self.secrets(), self.clock()))

    def _public_url(self, event: ProxyEvent) -> str | None:
        """The address that its sender knows, for signatures that cover it."""
        if not self.public_url:
            return None
        return f"{self.public_url}/webhooks/{proxy_event.path_as_written(event, 'source')}"

    def accept_shopify_event(self, event: dict[str, Any]) -> dict[str, Any]:
        """Accept an event by the source of Shopify's HTTPS calls; AWS has authenticated it.

        Raises:
            SourceUnusable: no source `shopify`.
            EventNotAccepted: the event cannot be read.
        """
        source = self.sources.get(SHOPIFY)
        if source is None:
            raise SourceUnusable(f"no source {SHOPIFY} in sources.yaml")
        planned = plan_trusted(source, from_event_bridge(event), self.clock())
        if isinstance(planned, Unreadable):
            raise EventNotAccepted(planned.reason)
        return dict(self._accepted(source, planned).body)

    def _response(
        self, source: Source, planned: Refused | Unreadable | Pinged | Planned
    ) -> Response:
        match planned:
            case Refused():
                self.telemetry.webhook_refused(
                    source.name, planned.reason, configuration_error=planned.misconfigured
                )
                return refused(planned)
            case Unreadable():
                return problem(HTTPStatus.BAD_REQUEST, planned.detail, reason=planned.reason)
            case Pinged():
                return Response(HTTPStatus.OK, {"reason": "ping"})
            case Planned():
                return self._accepted(source, planned)

    def _accepted(self, source: Source, planned: Planned) -> Response:
        outcomes, reasons = [], []
        for one in planned.messages:
            if isinstance(one, NothingToSend):
                self.telemetry.webhook_ignored(source.name, one.reason)
                reasons.append(one.reason)
            else:
                outcomes.append(self.intake.handle(one, source))
        messages = [{"id": one.record.id, "status": one.record.status} for one in outcomes]
        if any(one.accepted for one in outcomes):
            return Response(HTTPStatus.ACCEPTED, {"messages": messages})
        reasons = [one.reason for one in outcomes] + reasons
        reason = reasons[0] if reasons else "no_event"  # a batch may be empty
        return Response(HTTPStatus.OK, {"reason": reason, "messages": messages})


def refused(why: Refused) -> Response:
    """An unset secret is a configuration error here: 503, so that the shop retries the call."""
    if why.misconfigured:
        status, headers = HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "300"}
        return problem(status, why.detail, reason=why.reason, headers=headers)
    return problem(HTTPStatus.UNAUTHORIZED, why.detail, reason=why.reason)


ERRORS: response.ErrorTable = {
    StoreUnavailable: lambda _: response.unavailable(),
    SecretNotSet: lambda _: refused(Refused("secret_not_set")),
    SecretUnavailable: lambda _: response.unavailable(),
}
