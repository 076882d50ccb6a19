"""The firm's answers are in a file of its own, and outlive every deployment and update."""

import shutil
import subprocess
import tomllib

import pytest

from local import answers, deploy, own_stack, save_answers
from local.own_stack import NoStack
from local.template import template
from tests.functions import ROOT


class Deployed:
    """A stack in AWS, or none."""

    def __init__(self, parameters=None):
        self._parameters = parameters

    def parameters(self):
        if self._parameters is None:
            raise NoStack("There is no stack")
        return self._parameters


@pytest.fixture
def firm(tmp_path, monkeypatch):
    """A folder with the project's defaults; says which stack is deployed."""
    shutil.copy(ROOT / "samconfig.toml", tmp_path)
    monkeypatch.chdir(tmp_path)

    def deployed(parameters=None):
        monkeypatch.setattr(save_answers, "own_stack", lambda: Deployed(parameters))
        return tmp_path / "samconfig.local.toml"

    return deployed


def kept(file):
    given = tomllib.loads(file.read_text())["default"]["deploy"]["parameters"]
    return answers.parsed(given.pop("parameter_overrides")), given


def test_a_parameter_that_is_given_once_is_there_the_next_time(firm):
    file = firm()
    assert save_answers.main(["--parameter-overrides", "DefaultSender=Bottega", "Mode=live"]) == 0
    assert save_answers.main(["--parameter-overrides", "MaxSegments=3"]) == 0
    assert save_answers.main([]) == 0
    parameters, settings = kept(file)
    assert parameters == {
        "DefaultSender": "Bottega",
        "Mode": "live",
        "MaxSegments": "3",
        "SourcesFile": "sources.yaml",
    }
    defaults = tomllib.loads((ROOT / "samconfig.toml").read_text())
    assert settings == defaults["default"]["deploy"]["parameters"]


def test_the_projects_own_file_is_never_written(firm):
    file = firm()
    save_answers.main(["--parameter-overrides", "DefaultSender=Bottega"])
    assert (file.parent / "samconfig.toml").read_text() == (ROOT / "samconfig.toml").read_text()


def test_answers_and_comments_of_the_firm_stay_as_they_are(firm):
    file = firm()
    file.write_text(
        "# nostro\nversion = 0.1\n[default.deploy.parameters]\n"
        'stack_name = "sms-bottega" # nome\nregion = "eu-west-1"\nprofile = "bottega"\n'
        'parameter_overrides = "DefaultSender=\\"Bottega\\" '
        'ShopifyEventSourceName=\\"aws.partner/shopify.com/1/a\\""\n'
    )
    assert save_answers.main(["--parameter-overrides", 'AcceptedReplies="OK inviato"']) == 0
    parameters, settings = kept(file)
    assert parameters["ShopifyEventSourceName"] == "aws.partner/shopify.com/1/a"
    assert parameters["AcceptedReplies"] == "OK inviato"
    assert (settings["stack_name"], settings["region"]) == ("sms-bottega", "eu-west-1")
    assert (settings["profile"], settings["capabilities"]) == ("bottega", "CAPABILITY_IAM")
    assert "# nostro" in file.read_text()
    assert "# nome" in file.read_text()


def test_on_another_machine_the_stack_itself_tells_what_it_was_given(firm):
    defaults = {
        name: str(one["Default"])
        for name, one in template()["Parameters"].items()
        if "Default" in one
    }
    given = {"DefaultSender": "Bottega", "Mode": "live", "ShopifyEventSourceName": "aws.partner/x"}
    file = firm(defaults | given | {"OfAnEarlierVersion": "1"})
    assert save_answers.main(["--parameter-overrides", "MaxSegments=3"]) == 0
    assert kept(file)[0] == given | {"MaxSegments": "3", "SourcesFile": "sources.yaml"}


def test_without_a_sender_nothing_is_built(firm, capsys):
    file = firm()
    assert save_answers.main([]) == 1
    assert "make deploy ARGS=--guided" in capsys.readouterr().err
    assert not file.exists()
    assert save_answers.main(["--guided"]) == 0


def test_a_wrong_parameter_is_not_kept(firm, capsys):
    file = firm()
    assert save_answers.main(["--parameter-overrides", "DefaultSender=Bottega_Verdi_srl"]) == 1
    assert "Parameter DefaultSender" in capsys.readouterr().err
    assert not file.exists()


def test_the_firms_own_sources_are_deployed_when_there_are_any(firm):
    file = firm()
    own = file.parent / "functions/webhooks/sources.local.yaml"
    own.parent.mkdir(parents=True)
    own.touch()
    overrides = ["--parameter-overrides", "DefaultSender=Bottega"]
    assert save_answers.main(overrides) == 0
    assert kept(file)[0]["SourcesFile"] == "sources.local.yaml"
    own.unlink()
    assert save_answers.main([]) == 0
    assert kept(file)[0]["SourcesFile"] == "sources.yaml"


def test_a_value_can_be_taken_away_again(firm):
    file = firm()
    save_answers.main(["--parameter-overrides", "DefaultSender=Bottega", "AlertEmail=a@example.it"])
    assert save_answers.main(["--parameter-overrides", "AlertEmail="]) == 0
    assert kept(file)[0]["AlertEmail"] == ""


def test_sam_gets_the_firms_file_and_no_parameter_besides(firm):
    firm()
    arguments = ["--parameter-overrides", "Mode=live", "DefaultSender=Bottega"]
    assert deploy.command([*arguments, "--no-confirm-changeset"]) == [
        "sam",
        "deploy",
        "--config-file",
        "samconfig.local.toml",
        "--config-env",
        "default",
        "--no-confirm-changeset",
    ]
    assert deploy.command(["--guided"])[-1] == "--guided"
    own = ["--config-file", "firm.toml", *arguments]
    assert deploy.command(own) == ["sam", "deploy", *own]


@pytest.mark.parametrize("value", ["Bottega", "OK inviato; preso", '{"stato":"ok"}', "", "a'b"])
def test_a_value_is_read_as_it_was_written(value):
    assert answers.parsed(answers.written({"AcceptedReplies": value})) == {"AcceptedReplies": value}


@pytest.mark.parametrize(
    "file", ["samconfig.local.toml", "functions/webhooks/sources.local.yaml", "account.json"]
)
def test_git_ignores_what_is_the_firms(file):
    git = shutil.which("git")
    if not git or not (ROOT / ".git").exists():
        pytest.skip("not a working copy of git")
    assert subprocess.run([git, "check-ignore", "-q", file], cwd=ROOT, check=False).returncode == 0


def test_what_is_for_aws_gets_the_variables_that_local_tools_do_not_see(monkeypatch):
    monkeypatch.setattr(own_stack, "AWS_VARIABLES", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")  # so that it is put back
    client = own_stack.own_stack("sms").client("cloudformation")
    assert client.meta.endpoint_url == "http://127.0.0.1:9"
