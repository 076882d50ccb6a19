"""The real template on the local AWS, with the local gateway behind it."""

import json
import platform
import tomllib
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.check_sources import SOURCES
from local.gateway import LocalGateway
from local.own_stack import reachable
from local.preview.page_data import preview_handler
from local.processes import (
    ROOT,
    WORK,
    environment,
    free_port,
    one_at_a_time,
    run,
    running,
    wait_for,
)

CALL_GROUP, GATEWAY_SECRET = "9999", "local-gateway-secret"
WEBHOOK_SECRETS = {
    "shopify": "local-shopify-secret",
    "woocommerce": "local-woocommerce-secret",
    "scadenze": "local-scadenze-secret",
    "modulo": "local-modulo-token",
}
STATE = WORK / "state.json"


@dataclass(frozen=True)
class DeployedStack:
    """Addresses and names of a deployed stack."""

    name: str
    endpoint: str
    region: str
    outputs: dict[str, str]
    functions: dict[str, str]
    gateway_url: str
    gateway_page: str

    def client(self, service: Any) -> Any:  # noqa: ANN401 - the stubs tell clients apart by literal names
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - the local AWS accepts any
        )

    @cached_property
    def api_url(self) -> str:
        """The API's local address; the output `ApiUrl` is the one that it would have in AWS."""
        return reachable(self.outputs["ApiUrl"], self.endpoint)

    @cached_property
    def api_key(self) -> str:
        key = self.client("apigateway").get_api_key(
            apiKey=self.outputs["ApiKeyId"], includeValue=True
        )
        return str(key["value"])

    @cached_property
    def admin_key(self) -> str:
        """The admin key that the stack has made."""
        arn = self.outputs["AdminSecretArn"]
        held = self.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        return str(json.loads(held)["current"])

    def set_secrets(self, webhooks: Mapping[str, str] = WEBHOOK_SECRETS) -> None:
        """Set the gateway's account and the webhook secrets."""
        account = {"id_call_gr": CALL_GROUP, "secret": GATEWAY_SECRET}
        secrets = self.client("secretsmanager")
        for output, value in (("GatewaySecretArn", account), ("WebhookSecretArn", dict(webhooks))):
            secrets.put_secret_value(SecretId=self.outputs[output], SecretString=json.dumps(value))

    def add_webhook_secrets(self, secrets: Mapping[str, str]) -> None:
        """Set those that are not there yet; what a person has set stays."""
        client, arn = self.client("secretsmanager"), self.outputs["WebhookSecretArn"]
        held = json.loads(client.get_secret_value(SecretId=arn)["SecretString"])
        client.put_secret_value(SecretId=arn, SecretString=json.dumps({**secrets, **held}))

    def use_sources(self, file: Path, revision: int) -> None:
        """Let webhooks be read by a file of this machine as it is now."""
        client, function = self.client("lambda"), self.functions["webhooks"]
        given = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        changed = given | {"SOURCES_FILE": str(file), "SOURCES_REVISION": str(revision)}
        client.update_function_configuration(
            FunctionName=function, Environment={"Variables": changed}
        )

    def invoke(self, function: str, event: object) -> Any:  # noqa: ANN401 - what a handler returns
        """Call a deployed function by the name of its folder."""
        response = self.client("lambda").invoke(
            FunctionName=self.functions[function], Payload=json.dumps(event).encode()
        )
        return json.loads(response["Payload"].read())


@contextmanager
def local_gateway(
    port: int = 0,
    sources: Callable[[], Path] = lambda: ROOT / SOURCES,
    secrets: Mapping[str, str] = WEBHOOK_SECRETS,
) -> Iterator[LocalGateway]:
    """Run the local gateway; its page previews calls to the sources of that file."""
    preview = preview_handler(sources, secrets)
    with LocalGateway(CALL_GROUP, GATEWAY_SECRET, preview=preview, port=port) as gateway:
        yield gateway


@contextmanager
def deployed(gateway: LocalGateway, port: int = 0, **parameters: str) -> Iterator[DeployedStack]:
    """Start the local AWS with the template deployed there; everything ends with it."""
    with _local_aws(port or free_port()) as endpoint:
        yield deploy(endpoint, gateway, _config()["stack_name"], **parameters)


def deploy(
    endpoint: str, gateway: LocalGateway, stack_name: str, **parameters: str
) -> DeployedStack:
    """Build and deploy the template as it is under that name, with secrets set."""
    env, config = _aws_environment(endpoint), _config() | {"stack_name": stack_name}
    overrides = _overrides(config, GatewayUrl=gateway.url, **parameters)
    shared = ["--config-env", "local", "--parameter-overrides", *overrides]
    with one_at_a_time():  # builds share a folder
        run(["sam", "build", *shared], env, WORK / "build.log")
        run(["sam", "deploy", "--stack-name", stack_name, *shared], env, WORK / "deploy.log")
    stack = _describe(endpoint, config, gateway)
    _set_concurrency(stack)
    stack.set_secrets()
    return stack


@contextmanager
def state_file(stack: DeployedStack) -> Iterator[None]:
    """Write the file by which other commands find the running stack."""
    STATE.write_text(json.dumps(asdict(stack), indent=2))
    try:
        yield
    finally:
        STATE.unlink(missing_ok=True)


def find_running() -> DeployedStack | None:
    """Return the stack that another command keeps running, if it responds."""
    try:
        stack = DeployedStack(**json.loads(STATE.read_text()))
        urllib.request.urlopen(_health(stack.endpoint), timeout=5).close()  # noqa: S310 - our own
        outputs = _outputs(stack)
    except (OSError, ClientError, BotoCoreError):  # no file, or one of a killed command
        return None
    return stack if outputs == stack.outputs else None  # another's, on the same port


@contextmanager
def _local_aws(port: int) -> Iterator[str]:
    env = environment(
        GATEWAY_PORT=str(port),
        BIND_HOST="127.0.0.1",
        LAMBDA_EXECUTOR="local",
        SFTP_ENABLED="0",
        IOT_MTLS_ENABLED="0",
    )
    endpoint = f"http://127.0.0.1:{port}"
    with running("aws", ["ministack"], env) as log:
        wait_for(_health(endpoint), log)
        yield endpoint


def _health(endpoint: str) -> str:
    return f"{endpoint}/_ministack/health"


def _aws_environment(endpoint: str) -> dict[str, str]:
    return environment(
        AWS_ENDPOINT_URL=endpoint,
        AWS_ACCESS_KEY_ID="local",
        AWS_SECRET_ACCESS_KEY="local",  # noqa: S106 - the local AWS accepts any
        AWS_CONFIG_FILE="/dev/null",
        AWS_SHARED_CREDENTIALS_FILE="/dev/null",
        SAM_CLI_TELEMETRY="0",
    )


def _config() -> dict[str, Any]:
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text())
    parameters: dict[str, Any] = settings["local"]["deploy"]["parameters"]
    return parameters


def architecture() -> str:
    """Return the template's `Architecture` for this machine."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def _overrides(config: dict[str, Any], **more: str) -> list[str]:
    given = dict(pair.split("=", 1) for pair in config["parameter_overrides"].split())
    chosen = {**given, "Architecture": architecture(), **more}
    return [f"{name}={value}" for name, value in chosen.items()]


def _set_concurrency(stack: DeployedStack) -> None:
    """Set again, as a number, what the local AWS keeps as text from the template's `!Ref`."""
    client = stack.client("lambda")
    for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
        concurrency = int(mapping["ScalingConfig"]["MaximumConcurrency"])
        client.update_event_source_mapping(
            UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": concurrency}
        )


def _outputs(stack: DeployedStack) -> dict[str, str]:
    described = stack.client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"][0]
    return {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])}


def _describe(endpoint: str, config: dict[str, Any], gateway: LocalGateway) -> DeployedStack:
    name, region = config["stack_name"], config["region"]
    bare = DeployedStack(name, endpoint, region, {}, {}, gateway.url, gateway.page_url)
    outputs = _outputs(bare)
    cloudformation = bare.client("cloudformation")
    resources = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    functions = {
        one["LogicalResourceId"].removesuffix("Function").lower(): one["PhysicalResourceId"]
        for one in resources
        if one["ResourceType"] == "AWS::Lambda::Function"
    }
    return DeployedStack(name, endpoint, region, outputs, functions, gateway.url, gateway.page_url)
