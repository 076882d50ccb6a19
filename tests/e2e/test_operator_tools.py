"""What an operator runs against a stack, run against the deployed one."""

import json
import shutil
import subprocess
import sys

import boto3
import pytest

from local import answers, set_secret
from local.deployed_stack import WEBHOOK_SECRETS, architecture
from local.find_message import ids_of, table_of
from local.own_stack import OwnStack
from local.processes import ROOT
from openvoip_sms.rules.log_id import log_id
from tests.e2e.conftest import wait_until
from tests.e2e.telemetry_lines import lines

SECRET = "segreto-di-acme"
ACME = """
acme:
  auth: token
  secrets: [acme]
  header: X-T
  to: tel
  message: {text: "Ciao da acme"}
"""


def own(deployment):
    stack = deployment.stack
    session = boto3.Session("local", "local", region_name=stack.region)
    return OwnStack(session, stack.name, stack.endpoint)


def environment(deployment):
    """As a person has it who works with this AWS."""
    return {
        "PATH": f"{ROOT / '.venv/bin'}:/usr/bin:/bin",
        "AWS_ENDPOINT_URL": deployment.stack.endpoint,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "SAM_CLI_TELEMETRY": "0",
        "PYTHONPATH": str(ROOT),
    }


@pytest.fixture
def acme(deployment, tmp_path):
    """The shipped sources and one more, added while the stack runs."""
    file = tmp_path / "sources.local.yaml"
    file.write_text(deployment.sources.read_text("utf-8") + ACME, "utf-8")
    deployment.stack.use_sources(file, 2)
    yield
    deployment.stack.use_sources(deployment.sources, 3)
    deployment.stack.set_secrets()


@pytest.mark.usefixtures("acme")
def test_a_source_that_is_added_works_once_its_secret_is_set_and_the_others_go_on(deployment):
    ended = subprocess.run(
        [sys.executable, "-m", "local.set_secret", "acme"],
        cwd=ROOT,
        env=environment(deployment),
        input=f"{SECRET}\n".encode(),
        capture_output=True,
        check=False,
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0, said
    assert SECRET.encode() not in said
    status, _, body = deployment.call("POST", "/webhooks/acme", {"tel": "3331234621"}, X_T=SECRET)
    assert status == 202
    deployment.wait_for(body["messages"][0]["id"], "sent")
    secrets = deployment.stack.client("secretsmanager")
    held = json.loads(
        secrets.get_secret_value(SecretId=deployment.stack.outputs["WebhookSecretArn"])[
            "SecretString"
        ]
    )
    assert held == WEBHOOK_SECRETS | {"acme": SECRET}


def test_the_gateways_account_is_set_and_messages_are_sent_with_it(deployment):
    account = set_secret.piped("9999\nlocal-gateway-secret")
    set_secret.set_secret("gateway", own(deployment), account)
    message = {"id": "conto-1", "to": "3331234622", "text": "Con il nuovo conto"}
    assert deployment.call("POST", "/messages", message)[0] == 201


def test_a_message_is_found_by_its_log_lines_and_its_log_lines_by_the_message(deployment):
    message = {"id": "cliente3331234623", "to": "3331234623", "text": "Da ritrovare"}
    assert deployment.call("POST", "/messages", message)[0] == 201
    shown = log_id(message["id"], table_of(own(deployment)))

    def logged():
        return [one for one in lines(deployment.stack) if one.get("message_id") == shown]

    wait_until(logged, "its log lines")
    assert {one["message"] for one in logged()} >= {"gateway.called", "sms.sent"}
    assert list(ids_of(own(deployment), shown)) == [message["id"]]


def test_a_person_pauses_all_sending_and_lets_it_go_on(deployment):
    def make(*arguments):
        ended = subprocess.run(
            [sys.executable, "-m", "local.switch", *arguments],
            cwd=ROOT,
            env=environment(deployment),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    try:
        assert "by Anna: Testo sbagliato." in make("pause", "Testo sbagliato", "Anna")
        message = {"to": "3331234624", "text": "Dopo la ripresa"}
        held = deployment.send_until_held(message, "paused")["id"]
        before = len(deployment.accepted("Dopo la ripresa"))
    finally:
        said = make("resume")
    assert "is on; what waited for it is sent now." in said
    deployment.wait_for(held, "sent")
    assert len(deployment.accepted("Dopo la ripresa")) == before + 1


def test_a_parameter_that_was_given_once_survives_the_next_deployment(deployment, tmp_path):
    shutil.copy(ROOT / "samconfig.toml", tmp_path)
    (tmp_path / ".aws-sam").symlink_to(ROOT / ".aws-sam")
    firm = tmp_path / answers.FILE
    firm.write_text('version = 0.1\n[default.deploy.parameters]\nstack_name = "bottega"\n')
    overrides = [f"Architecture={architecture()}", "DefaultSender=Bottega", "MaxSegments=3"]

    def deploy(*arguments):
        for module in ("save_answers", "deploy"):
            ended = subprocess.run(
                [sys.executable, "-m", f"local.{module}", "--no-confirm-changeset", *arguments],
                cwd=tmp_path,
                env=environment(deployment),
                capture_output=True,
                text=True,
                check=False,
            )
            assert ended.returncode == 0, ended.stdout + ended.stderr

    deploy("--parameter-overrides", *overrides)
    deploy("--parameter-overrides", "SegmentPriceEur=0.08")
    session = boto3.Session("local", "local", region_name=deployment.stack.region)
    given = OwnStack(session, "bottega", deployment.stack.endpoint).parameters()
    assert (given["MaxSegments"], given["SegmentPriceEur"]) == ("3", "0.08")
    assert (given["DefaultSender"], given["SourcesFile"]) == ("Bottega", "sources.yaml")
