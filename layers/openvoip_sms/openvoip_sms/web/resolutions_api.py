"""The route `/resolutions`: a person decides about many messages of unknown outcome at once."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from http import HTTPStatus

from openvoip_sms.delivery.resolutions import MAX_MESSAGES, Refusal, Resolver, Why
from openvoip_sms.rules.resolution import Resolution
from openvoip_sms.web import decision_request
from openvoip_sms.web.proxy_event import ProxyEvent
from openvoip_sms.web.response import Response, problem

_ID_IN_USE = "This id belongs to a resolution with other content: use a new id for a new decision."
_TOO_MANY = (
    f"More than {MAX_MESSAGES} messages of this period are unknown: narrow since and until, and"
    " decide part by part."
)


@dataclass(frozen=True, slots=True)
class ResolutionsApi:
    """May raise any error of `messages_api.ERRORS`."""

    resolver: Resolver

    def respond(self, event: ProxyEvent, seconds_left: Callable[[], float]) -> Response:
        """Answer 202 as long as the same call must be repeated."""
        asked = decision_request.resolution(event)
        result = self.resolver.resolve(asked, seconds_left)
        if isinstance(result, Refusal):
            return _refused(result, asked)
        status = HTTPStatus.ACCEPTED if result.remaining else HTTPStatus.OK
        about = {"id": asked.id, "decision": str(asked.decision), "messages": asked.messages}
        return Response(status, about | asdict(result))


def _refused(refusal: Refusal, asked: Resolution) -> Response:
    if refusal.why is Why.ID_IN_USE:
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, _ID_IN_USE, reason=refusal.why)
    if refusal.why is Why.TOO_MANY:
        return problem(HTTPStatus.CONFLICT, _TOO_MANY, reason=refusal.why)
    detail = (
        f"Unknown in this period are {refusal.found}, not {asked.messages}: look at them again, and"
        " decide about the number that you find."
    )
    return problem(HTTPStatus.CONFLICT, detail, reason=refusal.why, found=refusal.found)
