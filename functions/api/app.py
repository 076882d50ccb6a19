"""HTTP calls about messages: event in, the API's response out. API Gateway has checked the key."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol

from aws_lambda_powertools.utilities.typing import LambdaContext

from openvoip_sms import __version__
from openvoip_sms.adapters.telemetry import entry_point
from openvoip_sms.delivery.ports import SecretNotSet, SecretUnavailable
from openvoip_sms.web import response
from openvoip_sms.web.admin_access import NotAdmin
from openvoip_sms.web.messages_api import ERRORS
from openvoip_sms.web.response import Response
from openvoip_sms.web.routes import Need, need_of, route_of
from openvoip_sms.wiring import api, core
from openvoip_sms.wiring.settings import BadSetting


class Routes(Protocol):
    """What answers the calls of some routes."""

    def respond(self, event: dict[str, Any], seconds_left: Callable[[], float], /) -> Response: ...


ROUTES: dict[str, Callable[[], Routes]] = {
    "/resolutions": api.resolutions_api,
    "/sending": api.sending_api,
    "/usage": api.usage_api,
}


def answer_to(event: dict[str, Any], context: LambdaContext) -> Response:
    if event["resource"] == "/health":
        return Response(HTTPStatus.OK, {"status": "ok", "version": __version__})
    if need_of(route_of(event)) is Need.ADMIN_KEY:
        api.admin_access().check(event)
    routes = ROUTES.get(event["resource"], api.messages_api)
    return routes().respond(event, lambda: context.get_remaining_time_in_millis() / 1000)


def respond(event: dict[str, Any], context: LambdaContext) -> Response:
    """Translate errors in one place."""
    try:
        return answer_to(event, context)
    except tuple(ERRORS) as error:
        answer = response.response_for(error, ERRORS)
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            core.telemetry().request_failed(error)
        return answer
    except NotAdmin:
        core.telemetry().admin_refused(route_of(event))
        return response.admin_only()
    except (BadSetting, SecretNotSet) as error:
        core.telemetry().configuration_error(str(error), "api")
        return response.not_configured()
    except SecretUnavailable as error:
        core.telemetry().request_failed(error)
        return response.secret_unavailable()
    except Exception as error:  # noqa: BLE001 - the caller gets a problem document, not a bare 502
        core.telemetry().unhandled_error("api", error)
        return response.internal_error()


@entry_point
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return respond(event, context).to_proxy()
