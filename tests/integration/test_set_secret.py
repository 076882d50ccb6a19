"""`make secret`: one secret is set, the others stay, and nothing shows it."""

import io
import json
import os
import pty
import subprocess
import sys
import threading
from types import SimpleNamespace

import boto3
import pytest
from botocore.stub import Stubber

from local import set_secret
from local.own_stack import NoStack, OwnStack
from local.set_secret import Refused, checked, piped
from tests.emulated_stack import REGION
from tests.functions import ROOT

SECRET = "shpss_0a1b2c3d4e5f"


class Emulated(OwnStack):
    """Secrets are emulated; what CloudFormation knows of the stack is given."""

    def __init__(self, stack, described):
        super().__init__(boto3.Session("local", "local", region_name=REGION), "sms")
        self._found = described
        self.emulated = stack

    def outputs(self):
        return self._found


@pytest.fixture
def stack(stack):
    names = ("GatewaySecret", "WebhookSecret")
    return Emulated(stack, {f"{name}Arn": stack[name] for name in names})


def held(stack, output="WebhookSecretArn"):
    client = stack.client("secretsmanager")
    return json.loads(client.get_secret_value(SecretId=stack.outputs()[output])["SecretString"])


def put(stack, text):
    arn = stack.outputs()["WebhookSecretArn"]
    stack.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=text)


def test_the_other_sources_keep_their_secrets(stack, capsys):
    put(stack, '{"modulo": "token", "shopify": "old", "shopify-old": "older"}')
    set_secret.set_secret("shopify", stack, piped(SECRET))
    assert held(stack) == {"modulo": "token", "shopify": SECRET, "shopify-old": "older"}
    said = "".join(capsys.readouterr())
    assert "within 5 minutes" in said
    assert "modulo, shopify-old" in said
    assert not [one for one in (SECRET, "token", "older") if one in said]


def test_the_gateways_account_is_set_as_a_whole(stack, capsys):
    set_secret.set_secret("gateway", stack, piped(f"1234\n{SECRET}\n"))
    assert held(stack, "GatewaySecretArn") == {"id_call_gr": "1234", "secret": SECRET}
    said = "".join(capsys.readouterr())
    assert "within 5 minutes" in said
    assert SECRET not in said


@pytest.mark.parametrize(
    "raw", [f"{SECRET}\n", f"  {SECRET}\r\n", f"\t{SECRET}\u00a0", f"\ufeff{SECRET}\u200b"]
)
def test_what_a_copy_brings_along_is_removed(raw, capsys):
    assert checked(raw) == SECRET
    assert "removed" in capsys.readouterr().err


PLACEHOLDERS = [
    *("", " \n", "SET-ME", "…", "...", "<secret>", "<il tuo segreto>", "xxxx", "your-secret"),
    *("secret", "changeme", "todo", "whsec_..."),
]


@pytest.mark.parametrize("raw", [*PLACEHOLDERS, "a\nb", f"{SECRET}\u200b{SECRET}", "a\x00b"])
def test_placeholders_and_several_lines_are_refused(stack, raw):
    before = held(stack)
    with pytest.raises(Refused, match="Nothing was changed") as refused:
        set_secret.set_secret("shopify", stack, lambda _prompts: [raw])
    assert held(stack) == before
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("raw", "said"),
    [(f'"{SECRET}"', "quotation mark"), (f"{SECRET}’", "quotation mark"), ("a b", "space")],
)
def test_quotes_and_spaces_are_kept_with_a_warning(raw, said, capsys):
    assert checked(raw) == raw
    assert said in capsys.readouterr().err


def test_a_name_that_no_source_uses_is_said(stack, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    set_secret.set_secret("shopfy", stack, piped(SECRET))
    assert "no source in functions/webhooks/sources.yaml uses a secret shopfy" in "".join(
        capsys.readouterr()
    )


@pytest.mark.parametrize("text", ["[]", "shpss_plain_text", '"text"'])
def test_what_is_no_json_object_is_not_written_over(stack, text):
    put(stack, text)
    with pytest.raises(Refused, match="not a JSON object") as refused:
        set_secret.set_secret("shopify", stack, piped(SECRET))
    assert "shpss" not in str(refused.value)


@pytest.mark.parametrize("text", ["1234", "1234\nsecret-a\nmore", ""])
def test_too_few_or_too_many_lines_are_refused(stack, text):
    with pytest.raises(Refused):
        set_secret.set_secret("gateway", stack, piped(text))
    assert held(stack, "GatewaySecretArn")["secret"] == "SET-ME"


def test_a_missing_stack_is_said(stack):
    cloudformation = stack.client("cloudformation")
    missing = OwnStack(SimpleNamespace(client=lambda *_, **__: cloudformation), "nessuno")
    with Stubber(cloudformation) as stubbed:
        stubbed.add_client_error("describe_stacks", "ValidationError", "does not exist")
        with pytest.raises(NoStack, match="no stack nessuno"):
            set_secret.set_secret("shopify", missing, piped(SECRET))


def test_a_stack_of_something_else_is_said(stack):
    other = Emulated(stack.emulated, {"Url": "https://example.com"})
    with pytest.raises(NoStack, match="no output WebhookSecretArn"):
        set_secret.set_secret("shopify", other, piped(SECRET))


@pytest.mark.parametrize("name", ["", "a b", "../x"])
def test_a_missing_name_is_said(name, capsys):
    assert set_secret.main(name) == 2
    assert "make secret NAME=shopify" in capsys.readouterr().err.replace("\n", " ")


def test_a_person_is_asked_without_an_echo():
    """What is typed at a terminal does not appear there."""
    person, terminal = pty.openpty()
    code = (
        "from local.set_secret import asker, checked\n"
        "print(len(checked(asker()(['Secret shopify (not shown): '])[0])))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    shown = io.BytesIO()

    def read():
        typed = False
        while True:
            try:
                part = os.read(person, 1000)
            except OSError:
                return
            if not part:
                return
            shown.write(part)
            if b"not shown" in shown.getvalue() and not typed:
                typed = True
                os.write(person, f"{SECRET}\n".encode())

    reader = threading.Thread(target=read)
    reader.start()
    assert process.wait(timeout=60) == 0
    reader.join(timeout=60)
    os.close(person)
    assert shown.getvalue().strip().endswith(str(len(SECRET)).encode())
    assert SECRET.encode() not in shown.getvalue()
