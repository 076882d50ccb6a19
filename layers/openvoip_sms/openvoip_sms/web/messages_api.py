"""The routes under `/messages`: each calls an intake or use case and makes its response."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from openvoip_sms.delivery.manual_actions import ActionResult, ManualActions
from openvoip_sms.delivery.ports import (
    BadCursor,
    OutcomeNotRecorded,
    RecordLists,
    StoreUnavailable,
    UnreadableRecord,
)
from openvoip_sms.intake.from_api import ApiIntake, DryRun
from openvoip_sms.rules.message import InvalidMessage
from openvoip_sms.rules.record import public
from openvoip_sms.rules.strict_json import NotJson
from openvoip_sms.web import api_request, decision_request, proxy_event, response
from openvoip_sms.web.decision_request import InvalidRequest
from openvoip_sms.web.proxy_event import ProxyEvent
from openvoip_sms.web.response import Response, problem

ERRORS: response.ErrorTable = {
    InvalidMessage: lambda error: response.invalid(error.violations, "invalid_message"),
    InvalidRequest: lambda error: response.invalid(error.violations, "invalid_request"),
    NotJson: lambda error: problem(HTTPStatus.BAD_REQUEST, str(error), reason="not_json"),
    api_request.TooLarge: lambda error: problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error), reason="too_large"
    ),
    api_request.BadQuery: lambda error: problem(
        HTTPStatus.BAD_REQUEST, str(error), reason="bad_query"
    ),
    BadCursor: lambda error: problem(HTTPStatus.BAD_REQUEST, str(error), reason="bad_cursor"),
    UnreadableRecord: response.unreadable,
    StoreUnavailable: lambda _: response.unavailable(),
}
_ID_IN_USE = "This id belongs to a message with other content: use a new id for a new message."


@dataclass(frozen=True, slots=True)
class MessagesApi:
    """May raise any error of `ERRORS`."""

    intake: ApiIntake
    records: RecordLists
    actions: ManualActions
    public_url: str = ""  # empty: the address that was called

    def respond(self, event: ProxyEvent, seconds_left: Callable[[], float]) -> Response:
        """API Gateway has checked key and route."""
        route = (event["httpMethod"], event["resource"])
        if route == ("POST", "/messages"):
            return self._create(event, seconds_left)
        return self._routes[route](event)

    @property
    def _routes(self) -> dict[tuple[str, str], Callable[[ProxyEvent], Response]]:
        return {
            ("GET", "/messages"): self._find,
            ("GET", "/messages/{id}"): self._show,
            ("POST", "/messages/{id}/cancel"): self._cancel,
            ("POST", "/messages/{id}/resend"): self._resend,
            ("POST", "/messages/{id}/confirm"): self._confirm,
        }

    def _create(self, event: ProxyEvent, seconds_left: Callable[[], float]) -> Response:
        try:
            outcome = self.intake.handle(
                api_request.message_in(event),
                respond_async=api_request.wants_async(event),
                seconds_left=seconds_left,
            )
        except OutcomeNotRecorded as error:
            location = self._location(event, error.record.id)
            return response.outcome_not_recorded(error.record, location)
        if isinstance(outcome, DryRun):
            return response.dry_run_response(outcome)
        if outcome.conflict:
            return problem(HTTPStatus.UNPROCESSABLE_ENTITY, _ID_IN_USE, reason="id_in_use")
        location = self._location(event, outcome.record.id)
        return response.record_response(outcome.record, location, replayed=outcome.repeated)

    def _location(self, event: ProxyEvent, record_id: str) -> str:
        return proxy_event.address(event, self.public_url, f"/messages/{record_id}")

    def _show(self, event: ProxyEvent) -> Response:
        record = self.records.get(api_request.message_id(event))
        return _not_found() if record is None else Response(HTTPStatus.OK, public(record))

    def _find(self, event: ProxyEvent) -> Response:
        search = api_request.search(event)
        limits = search.limit, search.cursor, search.period
        if search.status is not None:
            page = self.records.in_status(search.status, *limits)
        else:
            page = self.records.to_recipient(search.to or "", *limits)
        if not api_request.wants_csv(event):
            return response.page(page)
        if page.cursor is None:
            return response.csv_page(page, None)
        query = api_request.next_page(event, page.cursor)
        return response.csv_page(
            page, proxy_event.address(event, self.public_url, f"/messages?{query}")
        )

    def _cancel(self, event: ProxyEvent) -> Response:
        result = self.actions.cancel(*_decision(event))
        return _action(result, HTTPStatus.OK, "Only a waiting message can be cancelled.")

    def _resend(self, event: ProxyEvent) -> Response:
        result = self.actions.resend(*_decision(event))
        only = (
            "Only an unknown, failed or expired message, or one suppressed by a limit, can be sent"
            " again, and only with its text."
        )
        return _action(result, HTTPStatus.ACCEPTED, only)

    def _confirm(self, event: ProxyEvent) -> Response:
        result = self.actions.confirm(*_decision(event))
        return _action(result, HTTPStatus.OK, "Only an unknown message can be confirmed.")


def _action(result: ActionResult, completed: HTTPStatus, only: str) -> Response:
    if result.record is None:
        return _not_found()
    if result.completed:
        return Response(completed, public(result.record))
    detail = f"{only} This one is {result.record.status}."
    shown = public(result.record)
    return problem(HTTPStatus.CONFLICT, detail, reason="wrong_status", message=shown)


def _decision(event: ProxyEvent) -> tuple[str, str | None]:
    """The message that is decided about, and who decides."""
    return api_request.message_id(event), decision_request.decided_by(event)


def _not_found() -> Response:
    return problem(HTTPStatus.NOT_FOUND, "There is no message with this id.", reason="not_found")
