"""The route `/sending`: a person stops all sending or lets it go on, and sees what holds it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from openvoip_sms.delivery.switch import Switch
from openvoip_sms.rules.brake import BrakeState
from openvoip_sms.rules.rfc3339 import to_rfc3339
from openvoip_sms.rules.sending import Sending
from openvoip_sms.web import decision_request
from openvoip_sms.web.proxy_event import ProxyEvent
from openvoip_sms.web.response import Response


@dataclass(frozen=True, slots=True)
class SendingApi:
    """May raise any error of `messages_api.ERRORS`."""

    switch: Switch

    def respond(self, event: ProxyEvent, _seconds_left: Callable[[], float]) -> Response:
        if event["httpMethod"] == "GET":
            return Response(HTTPStatus.OK, shown(self.switch.show()))
        asked = decision_request.switch(event)
        if asked.paused:
            return Response(HTTPStatus.OK, shown(self.switch.pause(asked.reason, asked.by)))
        return Response(HTTPStatus.OK, shown(self.switch.resume()))


def shown(sending: Sending) -> dict[str, object]:
    """Switch and brake as the API shows them: absent rather than null."""
    pause, brake = sending.pause, sending.brake
    state = BrakeState.OPEN if brake.is_open else BrakeState.HOLDING
    at_brake = {
        "state": state,
        "since": brake.since and to_rfc3339(brake.since),
        "next_try": brake.next_try and to_rfc3339(brake.next_try),
    }
    about = {"paused": pause is not None, "brake": _present(at_brake)}
    if pause is None:
        return about
    at_pause = {"reason": pause.reason, "by": pause.by, "since": to_rfc3339(pause.since)}
    return about | _present(at_pause)


def _present(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}
