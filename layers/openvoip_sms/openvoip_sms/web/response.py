"""Responses to HTTP callers: a record by its status, an error as a problem document (RFC 9457)."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import Any

from openvoip_sms.delivery.permission import End, Hold
from openvoip_sms.delivery.ports import Page, UnreadableRecord
from openvoip_sms.intake.from_api import DryRun
from openvoip_sms.rules.csv_text import csv_text
from openvoip_sms.rules.message import Violation
from openvoip_sms.rules.record import REASON_IN_WORDS, STATUS_IN_WORDS, Record, Status, public

JSON, PROBLEM = "application/json", "application/problem+json"
CSV = "text/csv; charset=utf-8"
# The public record without what is a list or of no use in a table.
CSV_COLUMNS = (
    "id status reason detail to sender text encoding segments cost_eur category source reference"
    " attempts gateway_code gateway_reply decided_by created_at updated_at sent_at send_at"
    " expires_at"
).split()
RETRY_SECONDS = "5"
UNREADABLE = (
    "This version of the service cannot read the record: a later version has written it, or it is"
    " damaged. Nothing is sent for it; the log says which attribute is the cause."
)

STATUS = {
    Status.SENT: HTTPStatus.CREATED,
    Status.QUEUED: HTTPStatus.ACCEPTED,
    Status.SCHEDULED: HTTPStatus.ACCEPTED,
    Status.SUPPRESSED: HTTPStatus.OK,
    Status.CANCELLED: HTTPStatus.OK,
    Status.UNKNOWN: HTTPStatus.ACCEPTED,  # callers repeat a 5xx: without an id, a second SMS
    Status.SENDING: HTTPStatus.CONFLICT,
    Status.EXPIRED: HTTPStatus.GONE,
    Status.REJECTED: HTTPStatus.UNPROCESSABLE_ENTITY,
    Status.FAILED: HTTPStatus.BAD_GATEWAY,
}


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response, before its conversion for API Gateway."""

    status: HTTPStatus
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None  # replaces the body; `headers` say what it is

    @property
    def content_type(self) -> str:
        return PROBLEM if self.status >= HTTPStatus.BAD_REQUEST else JSON

    def to_proxy(self) -> dict[str, Any]:
        """As a Lambda proxy response."""
        return {
            "statusCode": int(self.status),
            "headers": {"Content-Type": self.content_type, **self.headers},
            "body": json.dumps(self.body, ensure_ascii=False) if self.text is None else self.text,
        }


def problem(
    status: HTTPStatus,
    detail: str,
    *,
    reason: str,
    violations: Sequence[Violation] = (),
    headers: Mapping[str, str] | None = None,
    **members: Any,  # noqa: ANN401 - RFC 9457 extension members
) -> Response:
    """A problem document; `detail` is a sentence for a person, `reason` a word for a program."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        "reason": reason,
    } | members
    if violations:
        body["violations"] = [
            {name: part for name, part in asdict(one).items() if name != "structural"}
            for one in violations
        ]
    return Response(status, body, headers or {})


def record_response(record: Record, location: str, *, replayed: bool = False) -> Response:
    """The response for a message in its current status (docs/api.md)."""
    status = STATUS[record.status]
    headers = {"Location": location}
    if replayed:
        headers["Idempotent-Replayed"] = "true"
    if status < HTTPStatus.BAD_REQUEST:
        return Response(status, public(record), headers)
    if status is HTTPStatus.CONFLICT:
        headers["Retry-After"] = RETRY_SECONDS
    return problem(
        status,
        " ".join(part for part in (STATUS_IN_WORDS[record.status], record.detail) if part),
        reason=record.reason or str(record.status),
        headers=headers,
        message=public(record),
    )


def listed(record: Record | UnreadableRecord) -> dict[str, Any]:
    """A record as a list shows it."""
    if isinstance(record, UnreadableRecord):
        return {"id": record.id, "status": record.status, "detail": UNREADABLE}
    return public(record)


def page(found: Page) -> Response:
    """One page of a list."""
    more = {"cursor": found.cursor} if found.cursor else {}
    return Response(HTTPStatus.OK, {"messages": [listed(one) for one in found.records]} | more)


def csv_page(found: Page, next_page: str | None) -> Response:
    """One page of a list, as CSV; `next_page` is the address of the next one."""
    headers = {"Content-Type": CSV} | (
        {"Link": f'<{next_page}>; rel="next"'} if next_page is not None else {}
    )
    rows = (_flat(listed(one)) for one in found.records)
    return Response(HTTPStatus.OK, {}, headers, csv_text(CSV_COLUMNS, rows))


def _flat(shown: dict[str, Any]) -> dict[str, Any]:
    """A record as one row: a gateway's answer in two cells."""
    answer = shown.get("gateway", {})
    return shown | {"gateway_code": answer.get("code"), "gateway_reply": answer.get("reply")}


def unreadable(record: UnreadableRecord) -> Response:
    """The response for a record that cannot be read: it is left as it is."""
    status, shown = HTTPStatus.INTERNAL_SERVER_ERROR, listed(record)
    return problem(status, UNREADABLE, reason=record.reason, message=shown)


def unavailable() -> Response:
    """The table did not answer: with an id of their own, callers may retry safely."""
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The table could not be read or written just now. Try again with the same id.",
        reason="store_unavailable",
        headers={"Retry-After": RETRY_SECONDS},
    )


type ErrorTable = Mapping[type[Exception], Callable[[Any], Response]]


def response_for(error: Exception, table: ErrorTable) -> Response:
    """The response to an error by the first entry of the table that it is an instance of."""
    return next(respond(error) for kind, respond in table.items() if isinstance(error, kind))


def outcome_not_recorded(record: Record, location: str) -> Response:
    """The gateway was called for this record, and nothing more is stored yet."""
    detail = (
        "The gateway was called, but the outcome could not be stored. Do not send the message"
        " again: within ten minutes its status becomes unknown, and a person can decide."
    )
    shown = {"status": Status.UNKNOWN, "reason": "outcome_unrecorded", "detail": detail}
    return Response(STATUS[Status.UNKNOWN], public(record) | shown, {"Location": location})


def not_configured() -> Response:
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "The service is not configured correctly; its log says what is missing.",
        reason="not_set_up",
    )


def admin_only() -> Response:
    return problem(
        HTTPStatus.FORBIDDEN,
        "This is for people: besides the API key it needs the admin key in the header x-admin-key."
        " It stands in the secret of the stack's output AdminSecretArn.",
        reason="admin_only",
    )


def secret_unavailable() -> Response:
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "A secret of the service cannot be read just now, and nothing was done. Try again.",
        reason="secret_unavailable",
        headers={"Retry-After": RETRY_SECONDS},
    )


def internal_error() -> Response:
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "The service had an unexpected error; its log says where. Try again with the same id.",
        reason="internal_error",
    )


def invalid(violations: Sequence[Violation], reason: str) -> Response:
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        " ".join(one.detail for one in violations[:1]),
        reason=reason,
        violations=violations,
    )


def dry_run_response(dry_run: DryRun) -> Response:
    """The message as it would be sent, its price, and what would prevent that."""
    shown = public(dry_run.record)
    names = "to sender text replaced encoding segments cost_eur category archive reference send_at"
    body = {name: shown[name] for name in names.split() if name in shown} | {"dry_run": True}
    match dry_run.permission:
        case End(reason=reason, detail=detail):
            body["stopped_by"] = {"reason": reason, "detail": detail or REASON_IN_WORDS[reason]}
        case Hold(reason=reason):
            body["stopped_by"] = {"reason": reason, "detail": REASON_IN_WORDS[reason]}
        case _:
            pass
    return Response(HTTPStatus.OK, body)
