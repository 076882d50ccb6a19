"""`make local`: runs the service on this machine until Ctrl-C, and prints commands to paste."""

import json
import platform
import sys
import threading
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path

from local.check_sources import OWN_SOURCES, SOURCES
from local.deployed_stack import (
    WEBHOOK_SECRETS,
    DeployedStack,
    architecture,
    deployed,
    find_running,
    local_gateway,
    state_file,
)
from local.processes import ROOT, WORK, NotStarted, Stopped, chosen_port, end_on_signals
from openvoip_sms.webhooks.config.sources import SourcesInvalid, load_sources
from openvoip_sms.webhooks.model import Sources

AWS_PORT, PAGE_PORT = 4566, 4580  # the first is what emulators of AWS use
LOOK_SECONDS = 0.5  # between looks at the sources file
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

Webhooks, with their secrets here; an edit of {sources} works at once:
{webhooks}

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


class OwnSources:
    """The sources file as it is now, and a local secret for each name that it refers to.

    It is the firm's own from the moment on when there is one.
    """

    def __init__(self, root: Path, secrets: MutableMapping[str, str]) -> None:
        self._own, self._file = root / OWN_SOURCES, root / SOURCES
        self.secrets = secrets
        self._seen, self._revision = ("", ""), 0

    def file(self) -> Path:
        if self._own.exists():
            self._file = self._own  # and stays it while an editor replaces it
        return self._file

    def read(self) -> Sources:
        """May raise `OSError`, `UnicodeDecodeError` or `SourcesInvalid`."""
        file = self.file()
        sources = load_sources(file.read_text("utf-8"), file.name)
        for source in sources.values():
            for name in source.auth.secrets:
                self.secrets.setdefault(name, f"local-{name}-secret")
        return sources

    def has_changed(self) -> bool:
        with suppress(OSError, UnicodeDecodeError):  # while an editor replaces it
            file = self.file()
            now = file.name, file.read_text("utf-8")
            changed, self._seen = now != self._seen, now
            return changed
        return False

    def hand_over(self, stack: DeployedStack) -> None:
        """Let the running service use the file as it is now, or say what is wrong with it."""
        try:
            sources = self.read()
        except (OSError, UnicodeDecodeError, SourcesInvalid) as error:
            print(f"{error}\nThe webhooks are as they were before.", flush=True)
            return
        self._revision += 1
        file = self.file()
        stack.add_webhook_secrets(self.secrets)
        stack.use_sources(file, self._revision)
        print(f"{file.name} was read:\n{self.described(stack, sources)}", flush=True)

    def described(self, stack: DeployedStack, sources: Sources) -> str:
        lines = (
            f"  {stack.api_url}/webhooks/{source.name}   {source.auth.kind}, "
            f"{', '.join(self.secrets[name] for name in source.auth.secrets) or 'no secret'}"
            for source in sources.values()
        )
        return "\n".join(lines)


def run(stack: DeployedStack, sources: OwnSources) -> None:
    """Follow the sources file until a signal comes."""
    with suppress(Stopped):  # the expected end
        while not threading.Event().wait(LOOK_SECONDS):
            if sources.has_changed():
                sources.hand_over(stack)


def _to_edit(file: Path) -> str:
    is_own = file.name == Path(OWN_SOURCES).name
    return OWN_SOURCES if is_own else f"{OWN_SOURCES} (make a copy of {SOURCES})"


def describe(stack: DeployedStack, webhooks: str, sources: str) -> str:
    return TEXT.format(
        page=stack.gateway_page,
        api=stack.api_url,
        key=stack.api_key,
        endpoint=stack.endpoint,
        webhooks=webhooks,
        sources=sources,
        region=stack.region,
        queue=stack.outputs["MessageQueueUrl"],
        env_file=ENV_FILE.relative_to(WORK.parent),
        architecture=architecture(),
        network=" --docker-network host" if _host_network() else "",
    )


def _ports() -> tuple[int, int]:
    ports = chosen_port("LOCAL_PORT", AWS_PORT), chosen_port("PAGE_PORT", PAGE_PORT)
    if len(set(ports)) == 1:
        raise NotStarted("LOCAL_PORT and PAGE_PORT are the same: choose another for one")
    return ports


def main() -> int:
    end_on_signals()
    if running := find_running():
        print(
            f"The service is running already; its page is {running.gateway_page}", file=sys.stderr
        )
        return 1
    own = OwnSources(ROOT, dict(WEBHOOK_SECRETS))
    try:
        sources = own.read()
        own.has_changed()
        ports = _ports()
        print("Building and deploying to this machine (about 20 seconds) …", flush=True)
        with (
            local_gateway(ports[1], own.file, own.secrets) as gateway,
            deployed(gateway, ports[0], SourcesFile=own.file().name) as stack,
            state_file(stack),
        ):
            write_env_file(stack)
            stack.add_webhook_secrets(own.secrets)
            print(describe(stack, own.described(stack, sources), _to_edit(own.file())), flush=True)
            run(stack, own)
    except (NotStarted, SourcesInvalid, OSError, UnicodeDecodeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
