"""The stack's table, queues, secrets and settings as the template defines them, in an emulated AWS.

So a definition exists once: a test that passes here passes with what is deployed.
"""

import itertools
import json
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from tests.template import create_table, resource, template

REGION = "eu-south-1"
ACCOUNT_SECRET = {"id_call_gr": "9999", "secret": "local-secret"}

_numbers = itertools.count()


def client(service: str, _config: Config | None = None) -> Any:
    """A client that makes one attempt, whatever is configured."""
    return _client(service)


@cache
def _client(service: str) -> Any:
    """Making a client takes longer than most tests, so all share one."""
    make: Any = boto3.client
    return make(service, REGION, config=Config(retries={"total_max_attempts": 1}))


GENERATED = "Generated0123456789Generated0123456789abc"


def _generated(
    SecretStringTemplate: str,  # noqa: N803 - CloudFormation's names
    GenerateStringKey: str,  # noqa: N803 - as above
    PasswordLength: int,  # noqa: N803 - as above
    ExcludePunctuation: bool,  # noqa: FBT001, N803 - as above
) -> str:
    """What Secrets Manager makes of it, with the same letters each time."""
    assert ExcludePunctuation
    value = (GENERATED * 2)[:PasswordLength]
    return json.dumps(json.loads(SecretStringTemplate) | {GenerateStringKey: value})


class EmulatedStack:
    """The resources of the functions, new and empty; make it within `moto.mock_aws`."""

    def __init__(self) -> None:
        self._name = f"stack-{next(_numbers)}"
        self.dynamodb: Any = client("dynamodb")
        self.sqs: Any = client("sqs")
        self.secrets: Any = client("secretsmanager")
        self.scheduler: Any = client("scheduler")
        self._ids: dict[str, str] = {
            "MessageTable": create_table(self.dynamodb, self._name),
            "MessageQueue": self._queue("MessageQueue"),
            "DeadLetterQueue": self._queue("DeadLetterQueue"),
            "GatewaySecret": self._secret("GatewaySecret"),
            "WebhookSecret": self._secret("WebhookSecret"),
            "AdminSecret": self._secret("AdminSecret"),
            "ScheduleGroup": self._schedule_group(),
        }

    def __getitem__(self, name: str) -> str:
        """What `!Ref` gives: a name, an address, an ARN."""
        return self._ids[name]

    def arn(self, queue: str) -> str:
        found = self.sqs.get_queue_attributes(
            QueueUrl=self._ids[queue], AttributeNames=["QueueArn"]
        )
        return str(found["Attributes"]["QueueArn"])

    def environment(self, function: str, **parameters: str) -> dict[str, str]:
        """The variables that a function gets when the stack is deployed with these parameters."""
        everyone = template()["Globals"]["Function"]["Environment"]["Variables"]
        own = resource(function).get("Environment", {}).get("Variables", {})
        return {name: self._resolve(value, parameters) for name, value in (everyone | own).items()}

    def received(self, queue: str = "MessageQueue") -> list[dict[str, Any]]:
        """Receive what a queue holds now."""
        answer: Any = self.sqs.receive_message(
            QueueUrl=self._ids[queue], MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return list(answer.get("Messages", []))

    def set_account(self, account: object = ACCOUNT_SECRET) -> None:
        text = account if isinstance(account, str) else json.dumps(account)
        self.secrets.put_secret_value(SecretId=self._ids["GatewaySecret"], SecretString=text)

    def _resolve(self, value: Any, parameters: dict[str, str]) -> str:
        if not isinstance(value, dict):
            return str(value)
        if attribute := value.get("GetAtt"):
            name = attribute.split(".")[0]
            return self.arn(name) if name in self._ids else f"arn:aws:iam::123456789012:role/{name}"
        name = value["Ref"]
        if name == "AWS::StackName":
            return self._name
        if name in self._ids:
            return self._ids[name]
        if name in template()["Resources"]:
            return f"{self._name}-{name}"
        default = template()["Parameters"][name].get("Default")
        return str(parameters[name] if default is None else parameters.get(name, default))

    def _queue(self, name: str) -> str:
        simple = {k: v for k, v in resource(name).items() if not isinstance(v, dict)}
        attributes = {k: str(v).lower() for k, v in simple.items()}
        made = self.sqs.create_queue(QueueName=f"{self._name}-{name}", Attributes=attributes)
        return str(made["QueueUrl"])

    def _secret(self, name: str) -> str:
        given = resource(name).get("SecretString") or _generated(
            **resource(name)["GenerateSecretString"]
        )
        made = self.secrets.create_secret(Name=f"{self._name}-{name}", SecretString=given)
        return str(made["ARN"])

    def _schedule_group(self) -> str:
        self.scheduler.create_schedule_group(Name=self._name)
        return self._name
