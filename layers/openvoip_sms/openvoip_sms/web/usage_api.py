"""The route `/usage`: what days of Rome have used up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from http import HTTPStatus

from openvoip_sms.delivery.ports import Clock, Usage
from openvoip_sms.rules.rome import day_of
from openvoip_sms.rules.usage import DayUsage
from openvoip_sms.web import usage_request
from openvoip_sms.web.proxy_event import ProxyEvent
from openvoip_sms.web.response import Response


@dataclass(frozen=True, slots=True)
class UsageApi:
    """May raise any error of `messages_api.ERRORS`."""

    usage: Usage
    clock: Clock

    def respond(self, event: ProxyEvent, _seconds_left: Callable[[], float]) -> Response:
        first, last = usage_request.days(event, day_of(self.clock()))
        return Response(HTTPStatus.OK, _shown(first, last, self.usage.days(first, last)))


def _shown(first: date, last: date, days: Sequence[DayUsage]) -> dict[str, object]:
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "segments": sum(day.segments for day in days),
        "cost_eur": float(sum((day.cost_eur for day in days), Decimal(0))),
        "uncertain_segments": sum(day.uncertain_segments for day in days),
        "days": [_day(day) for day in days],
    }


def _day(day: DayUsage) -> dict[str, object]:
    return {
        "day": day.day.isoformat(),
        "segments": day.segments,
        "messages": day.messages,
        "cost_eur": float(day.cost_eur),
        "uncertain_segments": day.uncertain_segments,
        "by_source": dict(day.by_source),
    }
