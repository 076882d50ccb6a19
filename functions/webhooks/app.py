"""A webhook in, messages stored and queued, an answer out. The gateway is never called here."""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from openvoip_sms import http, webhook_wiring, wiring
from openvoip_sms.adapters.journal import logger
from openvoip_sms.delivery.ports import AccountNotSet, AccountUnavailable, StoreUnavailable
from openvoip_sms.http import Answer, problem
from openvoip_sms.settings import BadSetting
from openvoip_sms.webhooks.bodies import Unreadable
from openvoip_sms.webhooks.plan import NothingToSend, Pinged, Planned, plan, plan_trusted
from openvoip_sms.webhooks.request import MAX_BODY_BYTES, from_api_gateway, from_event_bridge
from openvoip_sms.webhooks.sources import SourcesInvalid
from openvoip_sms.webhooks.verify import Refused
from openvoip_sms.webhooks.vocabulary import Source

SHOPIFY = "shopify"  # the source that EventBridge's partner events belong to


def receive(event: dict[str, Any]) -> Answer:
    sources = webhook_wiring.sources()
    if isinstance(sources, SourcesInvalid):
        wiring.journal().count({"SetupProblems": 1}, "webhook")
        return http.not_set_up()
    source = sources.get((event.get("pathParameters") or {}).get("source", ""))
    if source is None:
        detail = "There is no such source in sources.yaml."
        return problem(HTTPStatus.NOT_FOUND, detail, reason="no_such_source")
    request = from_api_gateway(event, source.auth.url)
    if len(request.body) > MAX_BODY_BYTES:
        detail = f"A webhook takes at most {MAX_BODY_BYTES} bytes."
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, reason="too_large")
    return _answer(
        source, plan(source, request, webhook_wiring.secrets().current(), wiring.clock())
    )


def _answer(source: Source, planned: Refused | Unreadable | Pinged | Planned) -> Answer:
    match planned:
        case Refused():
            wiring.journal().refused(source.name, planned.reason, ours=planned.misconfigured)
            return _refused(planned)
        case Unreadable():
            return problem(HTTPStatus.BAD_REQUEST, planned.detail, reason=planned.reason)
        case Pinged():
            return Answer(HTTPStatus.OK, {"reason": "ping"})
        case Planned():
            return _taken(source, planned)


def _refused(refused: Refused) -> Answer:
    """A secret that is not set is our fault: the sender shall keep the call and come again."""
    if refused.misconfigured:
        status, headers = HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "300"}
        return problem(status, refused.detail, reason=refused.reason, headers=headers)
    return problem(HTTPStatus.UNAUTHORIZED, refused.detail, reason=refused.reason)


def _taken(source: Source, planned: Planned) -> Answer:
    intake, taken, reasons = webhook_wiring.intake(), [], []
    for one in planned.messages:
        if isinstance(one, NothingToSend):
            logger.info("webhook.ignored", extra={"source": source.name, "reason": one.reason})
            reasons.append(one.reason)
        else:
            taken.append(intake.take(one, source))
    messages = [{"id": one.record.id, "status": one.record.status} for one in taken]
    if any(one.accepted for one in taken):
        return Answer(HTTPStatus.ACCEPTED, {"messages": messages})
    reasons = [one.reason for one in taken] + reasons
    reason = reasons[0] if reasons else "no_event"  # a bundle may be empty
    return Answer(HTTPStatus.OK, {"reason": reason, "messages": messages})


ERRORS: http.ErrorTable = {
    StoreUnavailable: lambda _: http.unavailable(),
    AccountNotSet: lambda _: _refused(Refused("secret_not_set")),
    AccountUnavailable: lambda _: http.unavailable(),
    BadSetting: lambda _: http.not_set_up(),
}
LASTING = (AccountNotSet, BadSetting)  # until a person changes something


class NotTaken(Exception):
    """An event of EventBridge's cannot be read now: Lambda tries again, then sets it aside."""


def receive_shopify_event(event: dict[str, Any]) -> dict[str, Any]:
    """The same source and texts as for Shopify's HTTPS calls; AWS has verified who sent it."""
    sources = webhook_wiring.sources()
    if isinstance(sources, SourcesInvalid) or SHOPIFY not in sources:
        wiring.journal().count({"SetupProblems": 1}, f"webhook:{SHOPIFY}")
        raise NotTaken(f"no usable source {SHOPIFY} in sources.yaml")
    planned = plan_trusted(sources[SHOPIFY], from_event_bridge(event), wiring.clock())
    if isinstance(planned, Unreadable):
        raise NotTaken(planned.reason)
    return dict(_taken(sources[SHOPIFY], planned).body)


def answer(event: dict[str, Any]) -> Answer:
    """Translate errors in one place."""
    try:
        return receive(event)
    except tuple(ERRORS) as error:
        why = {"error": type(error).__name__, "why": str(error)}
        logger.error("webhook.unavailable", extra=why)
        if isinstance(error, LASTING):
            wiring.journal().count({"SetupProblems": 1}, "webhook")
        return http.answer_for(error, ERRORS)
    except Exception as error:  # noqa: BLE001 - the sender gets an answer, and comes again
        wiring.journal().surprise("webhook.stumbled", error)
        return http.internal_error()


def taken(event: dict[str, Any]) -> dict[str, Any]:
    """Let out errors whose words are ours alone: Lambda logs them, and others may quote a text."""
    try:
        return receive_shopify_event(event)
    except NotTaken:
        raise
    except Exception as error:  # noqa: BLE001 - Lambda tries again
        wiring.journal().surprise("webhook.stumbled", error)
        raise NotTaken(type(error).__name__) from None


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    return taken(event) if "detail-type" in event else answer(event).to_proxy()
