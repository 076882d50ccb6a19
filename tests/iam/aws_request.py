"""From an HTTP request that an SDK makes to the action and resource that IAM evaluates.

Which action on which resource: the service authorization reference, one page a service.
"""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.iam.policies import Use

SCHEDULER_OPERATIONS = {"POST": "CreateSchedule", "DELETE": "DeleteSchedule"}


class UnknownRequest(Exception):
    """A call of a kind that was not made so far: add here what IAM evaluates for it."""


@dataclass(frozen=True)
class Account:
    """What a request leaves out of an ARN."""

    id: str
    secrets: dict[str, str]  # ARNs by name, which a stack on the local AWS knows its secrets by


@dataclass(frozen=True)
class Request:
    """One call as it went over the wire."""

    method: str
    target: str  # path and query
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body or b"{}")
        return found

    @property
    def region(self) -> str:
        return self._scope[2]

    @property
    def service(self) -> str:
        return self._scope[3]

    @property
    def function(self) -> str | None:
        """The application id that the SDK is configured to put into its user agent."""
        found = re.search(r"\bapp/(\S+)", self.headers.get("user-agent", ""))
        return found[1] if found else None

    @property
    def _scope(self) -> list[str]:
        """Signature version 4: Credential=<key id>/<date>/<region>/<service>/aws4_request."""
        found = re.search(r"Credential=([^,]+)", self.headers.get("authorization", ""))
        if found is None:
            raise UnknownRequest(f"{self.method} {self.target} is not signed")
        return found[1].split("/")


def uses(request: Request, account: Account) -> set[Use]:
    """Return what the caller's role has to allow.

    Raises:
        UnknownRequest: nothing is known here about such a call.
    """
    place = f"{request.region}:{account.id}"
    match request.service:
        case "dynamodb":
            return _tables(request, place)
        case "sqs":
            return {_queue(request)}
        case "secretsmanager":
            return {_secret(request, account.secrets)}
        case "scheduler":
            return {_schedule(request, place), *_passed(request.json)}
        case "lambda":
            return {_invocation(request, place)}
    raise UnknownRequest(f"{request.service}: {request.method} {request.target}")


def _operation(request: Request) -> str:
    """JSON protocols: the operation's name ends the target."""
    return request.headers["x-amz-target"].rpartition(".")[2]


def _tables(request: Request, place: str) -> set[Use]:
    """A batch needs its own permission for each of its tables."""
    body, operation = request.json, _operation(request)
    tables = list(body["RequestItems"]) if operation == "BatchGetItem" else [body.get("TableName")]
    if not all(tables):
        raise UnknownRequest(f"dynamodb: {operation} names no table, or several")
    index = f"/index/{body['IndexName']}" if "IndexName" in body else ""
    arns = [f"arn:aws:dynamodb:{place}:table/{table}{index}" for table in tables]
    return {Use(f"dynamodb:{operation}", arn) for arn in arns}


def _queue(request: Request) -> Use:
    """A batch needs the permission of a single one."""
    owner, name = urlsplit(request.json["QueueUrl"]).path.split("/")[-2:]
    arn = f"arn:aws:sqs:{request.region}:{owner}:{name}"
    return Use(f"sqs:{_operation(request).removesuffix('Batch')}", arn)


def _secret(request: Request, arns: dict[str, str]) -> Use:
    given = request.json["SecretId"]
    return Use(f"secretsmanager:{_operation(request)}", arns.get(given, given))


def _invocation(request: Request, place: str) -> Use:
    found = re.fullmatch(r"/[0-9-]+/functions/([\w-]+)/invocations", urlsplit(request.target).path)
    if request.method != "POST" or found is None:
        raise UnknownRequest(f"lambda: {request.method} {request.target}")
    return Use("lambda:InvokeFunction", f"arn:aws:lambda:{place}:function:{found[1]}")


def _schedule(request: Request, place: str) -> Use:
    address = urlsplit(request.target)
    path, operation = address.path.split("/"), SCHEDULER_OPERATIONS.get(request.method)
    if operation is None or path[:-1] != ["", "schedules"]:
        raise UnknownRequest(f"scheduler: {request.method} {request.target}")
    groups = parse_qs(address.query).get("groupName", ["default"])
    group = request.json.get("GroupName", groups[0])
    return Use(f"scheduler:{operation}", f"arn:aws:scheduler:{place}:schedule/{group}/{path[-1]}")


def _passed(body: dict[str, Any]) -> set[Use]:
    """Who makes a schedule passes it a role (EventBridge Scheduler user guide: iam:PassRole)."""
    if "Target" not in body:
        return set()
    to = frozenset({("iam:PassedToService", "scheduler.amazonaws.com")})
    return {Use("iam:PassRole", body["Target"]["RoleArn"], to)}
