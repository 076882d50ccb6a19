"""Answers to HTTP callers: a record by its status, an error as a problem document (RFC 9457)."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import Any

from openvoip_sms.rules.message import Violation
from openvoip_sms.rules.record import STATUS_IN_WORDS, Record, Status, public

JSON, PROBLEM = "application/json", "application/problem+json"
RETRY_SECONDS = "5"

STATUS = {
    Status.SENT: HTTPStatus.CREATED,
    Status.QUEUED: HTTPStatus.ACCEPTED,
    Status.SCHEDULED: HTTPStatus.ACCEPTED,
    Status.SUPPRESSED: HTTPStatus.OK,
    Status.CANCELLED: HTTPStatus.OK,
    Status.SENDING: HTTPStatus.CONFLICT,
    Status.EXPIRED: HTTPStatus.GONE,
    Status.REJECTED: HTTPStatus.UNPROCESSABLE_ENTITY,
    Status.FAILED: HTTPStatus.BAD_GATEWAY,
    Status.UNKNOWN: HTTPStatus.GATEWAY_TIMEOUT,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, still without the form that API Gateway wants."""

    status: HTTPStatus
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content_type(self) -> str:
        return PROBLEM if self.status >= HTTPStatus.BAD_REQUEST else JSON

    def to_proxy(self) -> dict[str, Any]:
        """As a Lambda proxy response."""
        return {
            "statusCode": int(self.status),
            "headers": {"Content-Type": self.content_type, **self.headers},
            "body": json.dumps(self.body, ensure_ascii=False),
        }


def problem(
    status: HTTPStatus,
    detail: str,
    *,
    reason: str,
    violations: Sequence[Violation] = (),
    headers: Mapping[str, str] | None = None,
    **members: Any,  # noqa: ANN401 - RFC 9457 extension members
) -> Answer:
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
    return Answer(status, body, headers or {})


def record_answer(record: Record, *, replayed: bool = False) -> Answer:
    """The answer to a message as it stands now (docs/api.md)."""
    status = STATUS[record.status]
    headers = {"Location": f"/v1/messages/{record.id}"}
    if replayed:
        headers["Idempotent-Replayed"] = "true"
    if status < HTTPStatus.BAD_REQUEST:
        return Answer(status, public(record), headers)
    if status is HTTPStatus.CONFLICT:
        headers["Retry-After"] = RETRY_SECONDS
    return problem(
        status,
        " ".join(part for part in (STATUS_IN_WORDS[record.status], record.detail) if part),
        reason=record.reason or str(record.status),
        headers=headers,
        message=public(record),
    )


def unavailable() -> Answer:
    """The table did not answer: with an id of their own, callers repeat safely."""
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The message could not be stored just now. Try again with the same id.",
        reason="store_unavailable",
        headers={"Retry-After": RETRY_SECONDS},
    )


type ErrorTable = Mapping[type[Exception], Callable[[Any], Answer]]


def answer_for(error: Exception, table: ErrorTable) -> Answer:
    """The answer to an error by the first entry of the table that it is an instance of."""
    return next(answer(error) for kind, answer in table.items() if isinstance(error, kind))


def unrecorded(record_id: str) -> Answer:
    return problem(
        HTTPStatus.GATEWAY_TIMEOUT,
        "The gateway was called, but what came of it could not be stored. Do not send the message"
        " anew: look at it in two minutes, when it is known to be unknown.",
        reason="outcome_unrecorded",
        headers={"Location": f"/v1/messages/{record_id}"},
    )


def not_set_up() -> Answer:
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "The service is not set up correctly; its log says what is missing.",
        reason="not_set_up",
    )


def internal_error() -> Answer:
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "This is a mistake of the service's own; its log says where. Try again with the same id.",
        reason="internal_error",
    )


def invalid(violations: Sequence[Violation]) -> Answer:
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        " ".join(one.detail for one in violations[:1]),
        reason="invalid_message",
        violations=violations,
    )
