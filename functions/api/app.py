"""HTTP calls in, domain calls, HTTP answers out. API Gateway has checked key and route."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from openvoip_sms import __version__, api, http, wiring
from openvoip_sms.adapters.journal import logger
from openvoip_sms.adapters.store import BadCursor
from openvoip_sms.api_gateway import Event
from openvoip_sms.delivery.decide import Decided
from openvoip_sms.delivery.ports import OutcomeUnrecorded, StoreUnavailable
from openvoip_sms.http import Answer, problem
from openvoip_sms.rules.json_body import NotJson
from openvoip_sms.rules.message import InvalidMessage, parse_message
from openvoip_sms.rules.new_record import record_of
from openvoip_sms.rules.record import WAITING, Record, Status, public
from openvoip_sms.settings import BadSetting


def create(event: Event, context: LambdaContext) -> Answer:
    """Send now, or store for later. An id that came before changes nothing."""
    policy, now = wiring.policy(), wiring.clock()
    message = parse_message(api.message_in(event), policy, now)
    record = record_of(
        message, id=message.id or wiring.new_id(), source="api", policy=policy, now=now
    )
    if message.dry_run:
        return Answer(HTTPStatus.OK, api.preview(record, policy, now))
    if record.status is Status.SCHEDULED or api.wants_async(event):
        accepted = wiring.acceptance().accept(record)
        return _stands(accepted.record, context, accepted.repeated, accepted.conflict)
    sent = wiring.delivery().send_new(record, _seconds_left(context))
    stands = sent.record or record
    if sent.retry_in is not None and stands.status in WAITING:
        wiring.acceptance().hand_over(stands, sent.retry_in)
    return _stands(stands, context, sent.repeated, sent.conflict)


def _stands(record: Record, context: LambdaContext, repeated: bool, conflict: bool) -> Answer:  # noqa: FBT001 - both named by their callers' types
    if conflict:
        return problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "This id belongs to a message with other content: use a new id for a new message.",
            reason="id_in_use",
        )
    if repeated and record.status is Status.SENDING:
        # Its sender may have died: then this says `unknown`, and otherwise changes nothing.
        record = wiring.delivery().send_stored(record.id, _seconds_left(context)).record or record
    return http.record_answer(record, replayed=repeated)


def show(event: Event, _context: LambdaContext) -> Answer:
    record = wiring.store().get(api.message_id(event))
    return _not_found() if record is None else Answer(HTTPStatus.OK, public(record))


def find(event: Event, _context: LambdaContext) -> Answer:
    search = api.search(event)
    store = wiring.store()
    if search.status is not None:
        page = store.in_status(search.status, search.limit, search.cursor)
    else:
        page = store.to_recipient(search.to or "", search.limit, search.cursor)
    more = {"cursor": page.cursor} if page.cursor else {}
    return Answer(HTTPStatus.OK, {"messages": [public(one) for one in page.records]} | more)


def cancel(event: Event, _context: LambdaContext) -> Answer:
    decided = wiring.decisions().cancel(api.message_id(event))
    return _decided(decided, HTTPStatus.OK, "Only a waiting message can be cancelled.")


def resend(event: Event, _context: LambdaContext) -> Answer:
    decided = wiring.decisions().resend(api.message_id(event))
    only = "Only an unknown, failed or expired message that has kept its text can be sent again."
    return _decided(decided, HTTPStatus.ACCEPTED, only)


def confirm(event: Event, _context: LambdaContext) -> Answer:
    decided = wiring.decisions().confirm(api.message_id(event))
    return _decided(decided, HTTPStatus.OK, "Only an unknown message can be confirmed.")


def _decided(decided: Decided, done: HTTPStatus, only: str) -> Answer:
    if decided.record is None:
        return _not_found()
    if decided.done:
        return Answer(done, public(decided.record))
    detail = f"{only} This one is {decided.record.status}."
    shown = public(decided.record)
    return problem(HTTPStatus.CONFLICT, detail, reason="wrong_status", message=shown)


def health(_event: Event, _context: LambdaContext) -> Answer:
    return Answer(HTTPStatus.OK, {"status": "ok", "version": __version__})


def _not_found() -> Answer:
    return problem(HTTPStatus.NOT_FOUND, "There is no message with this id.", reason="not_found")


def _seconds_left(context: LambdaContext) -> Callable[[], float]:
    return lambda: context.get_remaining_time_in_millis() / 1000


ROUTES: dict[tuple[str, str], Callable[[Event, LambdaContext], Answer]] = {
    ("POST", "/messages"): create,
    ("GET", "/messages"): find,
    ("GET", "/messages/{id}"): show,
    ("DELETE", "/messages/{id}"): cancel,
    ("POST", "/messages/{id}/resend"): resend,
    ("POST", "/messages/{id}/confirm"): confirm,
    ("GET", "/health"): health,
}


ERRORS: http.ErrorTable = {
    InvalidMessage: lambda error: http.invalid(error.violations),
    NotJson: lambda error: problem(HTTPStatus.BAD_REQUEST, str(error), reason="not_json"),
    api.TooLarge: lambda error: problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error), reason="too_large"
    ),
    api.BadQuery: lambda error: problem(HTTPStatus.BAD_REQUEST, str(error), reason="bad_query"),
    BadCursor: lambda error: problem(HTTPStatus.BAD_REQUEST, str(error), reason="bad_cursor"),
    OutcomeUnrecorded: lambda error: http.unrecorded(error.record_id),
    StoreUnavailable: lambda _: http.unavailable(),
    BadSetting: lambda _: http.not_set_up(),
}


def answer(event: Event, context: LambdaContext) -> Answer:
    """Translate errors in one place."""
    try:
        return ROUTES[event["httpMethod"], event["resource"]](event, context)
    except tuple(ERRORS) as error:
        refused = http.answer_for(error, ERRORS)
        if refused.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            logger.error(
                "api.unavailable", extra={"error": type(error).__name__, "why": str(error)}
            )
        if isinstance(error, BadSetting):
            wiring.journal().count({"SetupProblems": 1}, "api")
        return refused
    except Exception as error:  # noqa: BLE001 - the caller gets a sentence, not a bare 502
        wiring.journal().surprise("api.stumbled", error)
        return http.internal_error()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return answer(event, context).to_proxy()
