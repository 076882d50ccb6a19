"""The firm's answers are in a file of its own, and outlive every deployment and update."""

import shlex
import shutil
import subprocess
import sys
import tomllib

import pytest

from local import answers, deploy, own_stack, save_answers
from local.own_stack import NoStack, NotDeployed
from local.template import template
from tests.functions import ROOT


class Deployed:
    """A stack in AWS, or none."""

    def __init__(self, parameters=None):
        self._parameters = parameters

    def parameters(self):
        if self._parameters is None:
            raise NotDeployed("There is no stack")
        if isinstance(self._parameters, Exception):
            raise self._parameters
        return self._parameters


@pytest.fixture
def firm(tmp_path, monkeypatch):
    """A folder with the project's defaults; says which stack is deployed."""
    shutil.copy(ROOT / "samconfig.toml", tmp_path)
    monkeypatch.chdir(tmp_path)

    def deployed(parameters=None):
        monkeypatch.setattr(save_answers, "own_stack", lambda *_: Deployed(parameters))
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
    shopify = "aws.partner/shopify.com/1/a"
    given = {"DefaultSender": "Bottega", "Mode": "live", "ShopifyEventSourceName": shopify}
    file = firm(defaults | given | {"OfAnEarlierVersion": "1"})
    assert save_answers.main(["--parameter-overrides", "MaxSegments=3"]) == 0
    assert kept(file)[0] == given | {"MaxSegments": "3", "SourcesFile": "sources.yaml"}


def test_without_an_answer_of_aws_nothing_is_kept_as_it_would_hide_what_the_stack_was_given(
    firm, capsys
):
    overrides = ["--parameter-overrides", "DefaultSender=Bottega"]
    file = firm(NoStack("There are no AWS credentials in this shell"))
    assert save_answers.main(overrides) == 1
    assert "no AWS credentials" in capsys.readouterr().err
    assert not file.exists()
    firm({"DefaultSender": "Bottega", "Mode": "live"})
    assert save_answers.main(overrides) == 0
    assert kept(file)[0]["Mode"] == "live"
    firm(NoStack("There are no AWS credentials in this shell"))
    assert save_answers.main([]) == 0  # what is kept is known


def test_a_file_that_names_only_the_stack_still_asks_it(firm):
    file = firm({"DefaultSender": "Bottega", "Mode": "live"})
    file.write_text('version = 0.1\n[default.deploy.parameters]\nprofile = "bottega"\n')
    assert save_answers.main([]) == 0
    assert kept(file)[0]["Mode"] == "live"


def test_where_a_stack_is_is_kept_as_well(firm):
    file = firm()
    where = ["--stack-name", "sms", "--region=eu-west-1", "--profile", "bottega"]
    assert save_answers.main([*where, "--parameter-overrides", "DefaultSender=Bottega"]) == 0
    assert save_answers.main(["--parameter-overrides", "Mode=live"]) == 0
    settings = kept(file)[1]
    assert [settings[one] for one in ("stack_name", "region", "profile")] == [
        "sms",
        "eu-west-1",
        "bottega",
    ]
    assert deploy.command(where)[-3:] == [
        "--stack-name=sms",
        "--region=eu-west-1",
        "--profile=bottega",
    ]


def test_the_stack_that_is_asked_is_the_one_that_is_deployed(firm, monkeypatch):
    file = firm()
    monkeypatch.setattr(own_stack, "AWS_VARIABLES", {})
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    (file.parent / answers.FILE).write_text('[default.deploy.parameters]\nstack_name = "own"\n')
    own = own_stack.own_stack()
    assert own.name == "own"
    assert own.client("cloudformation").meta.region_name == "eu-south-1"  # the project's default
    asked = own_stack.own_stack("", ["--stack-name", "sms", "--region", "eu-west-1"])
    assert asked.name == "sms"
    assert asked.client("cloudformation").meta.region_name == "eu-west-1"


@pytest.mark.parametrize("another", [["--stack-name", "prova"], ["--region", "eu-west-1"]])
def test_answers_for_another_stack_do_not_replace_these(firm, capsys, another):
    file = firm()
    assert save_answers.main(["--parameter-overrides", "DefaultSender=Bottega", "Mode=live"]) == 0
    test = [*another, "--parameter-overrides", "DefaultSender=Prova", "Mode=test"]
    assert save_answers.main(test) == 1
    assert "add --config-env NAME" in capsys.readouterr().err
    assert kept(file)[0]["Mode"] == "live"
    assert save_answers.main([*test, "--config-env", "prova"]) == 0
    assert kept(file)[0]["Mode"] == "live"
    assert answers.parameters(answers.FILE, "prova")["Mode"] == "test"


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ('AcceptedReplies="Messaggio preso in carico"', "Messaggio preso in carico"),
        ('AcceptedReplies=\'{"stato": "preso in carico"}\'', '{"stato": "preso in carico"}'),
        ("AcceptedReplies='Preso; Esito = ok'", "Preso; Esito = ok"),
        ("'AcceptedReplies=\"OK inviato\"'", "OK inviato"),
        ("AcceptedReplies=Inviato", "Inviato"),
        ("AcceptedReplies=", ""),
    ],
)
def test_a_value_is_whole_as_the_shell_hands_it_over(firm, typed, value):
    file = firm()
    arguments = shlex.split(f"--parameter-overrides DefaultSender='Il Bar' {typed} Mode=live")
    assert save_answers.main(arguments) == 0
    expected = {"DefaultSender": "Il Bar", "AcceptedReplies": value, "Mode": "live"}
    assert kept(file)[0] == {**expected, "SourcesFile": "sources.yaml"}


@pytest.mark.parametrize(
    "given", ["Mode=live DefaultSender=Il Bar", "DefaultSender=Il Bar Mode=live", "Mode live"]
)
def test_words_of_which_it_is_unclear_whose_they_are_are_refused(given):
    with pytest.raises(ValueError, match=r"belongs to no parameter|not in valid format"):
        answers.options_of(["--parameter-overrides", given])


def test_each_of_several_lists_of_parameters_counts():
    both = ["--parameter-overrides", "Mode=live", "--parameter-overrides", "MaxSegments=3"]
    assert answers.options_of(both).overrides == {"Mode": "live", "MaxSegments": "3"}


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


def test_what_sam_leaves_among_the_temporary_files_goes_with_it(firm, monkeypatch):
    file = firm()
    leaves = "import tempfile; print(tempfile.mkdtemp(), flush=True)"
    monkeypatch.setattr(deploy, "command", lambda _: [sys.executable, "-c", leaves])
    monkeypatch.setattr(deploy, "WORK", file.parent / "work")
    monkeypatch.setattr(deploy, "AWS_VARIABLES", {})
    assert deploy.main([]) == 0
    assert list((file.parent / "work").iterdir()) == []


def test_with_a_file_of_ones_own_sam_gets_the_parameters_with_their_quotes(firm):
    firm()
    own = ["--config-file", "firm.toml", "--parameter-overrides", "DefaultSender=Il Bar", "-g"]
    assert deploy.command(own) == [
        "sam",
        "deploy",
        "--config-file",
        "firm.toml",
        "--config-env",
        "default",
        "--guided",
        "--parameter-overrides",
        'DefaultSender="Il Bar"',
    ]


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
