"""`POST /webhooks/{source}`, and Shopify's events over EventBridge: verified, stored, queued."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any, Protocol

from openvoip_sms.delivery.ports import SecretNotSet, SecretUnavailable, StoreUnavailable
from openvoip_sms.delivery.source_watch import SourceWatch
from openvoip_sms.intake.from_webhook import WebhookIntake, WebhookOutcome
from openvoip_sms.rules.record import Status
from openvoip_sms.web import proxy_event, response
from openvoip_sms.web.proxy_event import ProxyEvent
from openvoip_sms.web.response import Response, problem
from openvoip_sms.web.webhook_request import from_api_gateway, from_event_bridge
from openvoip_sms.webhooks.bodies import Unreadable
from openvoip_sms.webhooks.model import Source, Sources
from openvoip_sms.webhooks.plan import (
    NothingToSend,
    Pinged,
    Planned,
    plan,
    plan_trusted,
    plan_without_secrets,
)
from openvoip_sms.webhooks.request import MAX_BODY_BYTES, WebhookRequest
from openvoip_sms.webhooks.verify import Refused

MAX_NAME = 64  # characters of a source's name that are compared: anybody can write one
SHOPIFY = "shopify"  # the source that EventBridge's partner events belong to


class WebhookTelemetry(Protocol):
    """The telemetry of webhooks that cause no message."""

    def webhook_refused(self, source: str, reason: str, *, configuration_error: bool) -> None: ...

    def webhook_ignored(self, source: str, reason: str) -> None: ...

    def webhook_unreadable(self, source: str, reason: str) -> None: ...

    def no_such_source(self, meant: str | None) -> None: ...


class WebhookSecrets(Protocol):
    """The webhook secrets by name. May raise `SecretUnavailable` and `SecretNotSet`."""

    def current(self) -> Mapping[str, str]:
        """Return them as they were a few minutes ago, or are now."""

    def refreshed(self, *, at_once: bool) -> Mapping[str, str] | None:
        """Return them as they are now; unless `at_once`, None if that was known moments ago."""


class SourceUnusable(Exception):
    """There is no such source: a person must correct `sources.yaml`."""


class EventNotAccepted(Exception):
    """An event cannot be read: Lambda retries it, then moves it to the dead-letter queue."""


@dataclass(frozen=True, slots=True)
class WebhookApi:
    """May raise any error of `ERRORS`."""

    sources: Sources
    secrets: WebhookSecrets
    intake: WebhookIntake
    watch: SourceWatch
    telemetry: WebhookTelemetry
    clock: Callable[[], datetime]
    public_url: str = ""  # empty: the address that was called

    def respond(self, event: ProxyEvent) -> Response:
        name = proxy_event.path_parameter(event, "source")
        source = self.sources.get(name)
        if source is None:
            meant = get_close_matches(name[:MAX_NAME], self.sources, 1)
            self.telemetry.no_such_source(meant[0] if meant else None)
            detail = "There is no such source in sources.yaml."
            return problem(HTTPStatus.NOT_FOUND, detail, reason="no_such_source")
        request = from_api_gateway(event, source.auth.url or self._public_url(event))
        if len(request.body) > MAX_BODY_BYTES:
            self.telemetry.webhook_refused(source.name, "too_large", configuration_error=False)
            detail = f"A webhook takes at most {MAX_BODY_BYTES} bytes."
            return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, reason="too_large")
        now = self.clock()
        # First without the secrets: a call that no secret could make authentic is a stranger's.
        planned = plan_without_secrets(source, request, now) or self._plan(source, request, now)
        return self._response(source, planned)

    def _plan(
        self, source: Source, request: WebhookRequest, now: datetime
    ) -> Refused | Unreadable | Pinged | Planned:
        """Plan with the secrets of the cache; if they refuse the call, as they are by now."""
        planned = plan(source, request, self.secrets.current(), now)
        if not isinstance(planned, Refused) or not planned.depends_on_secret:
            return planned
        secrets = self.secrets.refreshed(at_once=planned.misconfigured)
        return planned if secrets is None else plan(source, request, secrets, now)

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
            self._not_read(source, planned)
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
                self._not_read(source, planned)
                return problem(HTTPStatus.BAD_REQUEST, planned.detail, reason=planned.reason)
            case Pinged():
                return Response(HTTPStatus.OK, {"reason": "ping"})
            case Planned():
                return self._accepted(source, planned)

    def _not_read(self, source: Source, unreadable: Unreadable) -> None:
        self.telemetry.webhook_unreadable(source.name, unreadable.reason)
        self.watch.unused(source.name, unreadable.reason, is_fault=True)

    def _accepted(self, source: Source, planned: Planned) -> Response:
        nothing = [one for one in planned.messages if isinstance(one, NothingToSend)]
        others = [one for one in planned.messages if not isinstance(one, NothingToSend)]
        reasons = [one.reason for one in nothing] if planned.messages else ["no_event"]
        for reason in reasons:
            self.telemetry.webhook_ignored(source.name, reason)
        outcomes = [self.intake.handle(one, source) for one in others]
        if all(one.record.status == Status.REJECTED for one in outcomes):
            faults = [one.reason for one in nothing if one.is_fault]
            rejected = [str(one.record.reason) for one in outcomes]
            why = [*faults, *reasons, *rejected][0]
            self.watch.unused(source.name, why, is_fault=bool(faults))
        return _answer(outcomes, reasons)


def _answer(outcomes: list[WebhookOutcome], reasons: list[str]) -> Response:
    messages = [{"id": one.record.id, "status": one.record.status} for one in outcomes]
    if any(one.accepted for one in outcomes):
        return Response(HTTPStatus.ACCEPTED, {"messages": messages})
    reasons = [one.reason for one in outcomes] + reasons  # a batch may be empty
    return Response(HTTPStatus.OK, {"reason": reasons[0], "messages": messages})


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
