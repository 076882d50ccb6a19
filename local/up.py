"""`make local`: runs the service on this machine until Ctrl-C, and prints commands to paste."""

import json
import platform
import sys
import threading
from contextlib import suppress

from local.deployed_stack import (
    WEBHOOK_SECRETS,
    DeployedStack,
    architecture,
    deployed,
    find_running,
    local_gateway,
    state_file,
)
from local.processes import WORK, NotStarted, Stopped, end_on_signals

ENV_FILE = WORK / "env.json"
TEXT = """
The service is running. Ctrl-C ends it and everything that it started.

  phones and gateway   {page}
  API                  {api}
  API key              {key}
  local AWS            {endpoint}   (any credentials; AWS_ENDPOINT_URL={endpoint})

Send an SMS and wait for the answer:
  curl -s {api}/messages -H 'x-api-key: {key}' \\
    -d '{{"to": "333 1234567", "text": "Ciao, il tuo ordine è pronto", "id": "order-1"}}'

Look at it, and at what needs a person:
  curl -s {api}/messages/order-1 -H 'x-api-key: {key}'
  curl -s '{api}/messages?status=unknown' -H 'x-api-key: {key}'

A form's webhook with a token:
  curl -s {api}/webhooks/modulo -H 'X-Webhook-Token: {token}' \\
    -H 'Content-Type: application/json' \\
    -d '{{"telefono": "333 1234567", "nome": "Anna"}}'

From another system, over the queue (with the AWS CLI):
  AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION={region} \\
    aws --endpoint-url {endpoint} sqs send-message --queue-url {queue} \\
    --message-body '{{"to": "333 1234567", "text": "Dalla coda", "id": "queue-1"}}'

A deployed function with an event file:
  make invoke FUNCTION=api EVENT=events/api_send.json
With Docker, the same code in Lambda's own image:
  .venv/bin/sam local invoke ApiFunction --event events/api_send.json \\
    --env-vars {env_file} --parameter-overrides Architecture={architecture}{network}
"""


def write_env_file(stack: DeployedStack) -> None:
    """Write the file for `sam local invoke --env-vars` against this stack."""
    host = "127.0.0.1" if _host_network() else "host.docker.internal"
    configured = stack.client("lambda").get_function_configuration(
        FunctionName=stack.functions["api"]
    )
    variables = configured["Environment"]["Variables"] | {
        "AWS_ENDPOINT_URL": stack.endpoint.replace("127.0.0.1", host),
        "GATEWAY_URL": stack.gateway_url.replace("127.0.0.1", host),
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": stack.region,
    }
    ENV_FILE.write_text(json.dumps({"Parameters": variables}, indent=2))


def _host_network() -> bool:
    """On Linux a container reaches this machine's loopback through the host's network only."""
    return platform.system() == "Linux"


def describe(stack: DeployedStack) -> str:
    return TEXT.format(
        page=stack.gateway_page,
        api=stack.api_url,
        key=stack.api_key,
        endpoint=stack.endpoint,
        token=WEBHOOK_SECRETS["modulo"],
        region=stack.region,
        queue=stack.outputs["MessageQueueUrl"],
        env_file=ENV_FILE.relative_to(WORK.parent),
        architecture=architecture(),
        network=" --docker-network host" if _host_network() else "",
    )


def main() -> int:
    end_on_signals()
    if running := find_running():
        print(
            f"The service is running already; its page is {running.gateway_page}", file=sys.stderr
        )
        return 1
    print("Building and deploying to this machine (about 20 seconds) …", flush=True)
    try:
        with local_gateway() as gateway, deployed(gateway) as stack, state_file(stack):
            write_env_file(stack)
            print(describe(stack), flush=True)
            with suppress(Stopped):  # the expected end
                threading.Event().wait()
    except NotStarted as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
