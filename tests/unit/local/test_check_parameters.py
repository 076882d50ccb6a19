"""`make deploy` checks the parameters before it builds anything."""

import pytest

from local.check_parameters import main, parameters
from local.template import FILE

BAD = "ERR: 020 Errore nel numero di destinazione"


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """Writes the configuration file of `sam deploy` with these overrides, as a TOML value."""
    monkeypatch.chdir(tmp_path)

    def write(overrides, name="samconfig.toml", environment="default"):
        text = f"[{environment}.deploy.parameters]\nparameter_overrides = {overrides}\n"
        (tmp_path / name).write_text(text, "utf-8")

    return write


@pytest.mark.parametrize(
    "overrides",
    [
        rf"""'DefaultSender="Bottega" AcceptedReplies="OK inviato;{BAD}"'""",
        f"""['DefaultSender=Bottega', 'AcceptedReplies="{BAD}"']""",
        f"""'ParameterKey=AcceptedReplies,ParameterValue="{BAD}"'""",
    ],
)
def test_a_mistake_in_the_configuration_file_stops_the_deployment(configured, capsys, overrides):
    configured(overrides)
    assert main([]) == 1
    said = capsys.readouterr().err
    assert said.startswith("Parameter AcceptedReplies: reply ")
    assert "publishes.\nCorrect it with: make deploy ARGS=" in said


def test_a_mistake_on_the_command_line_stops_the_deployment(configured):
    configured("'AcceptedReplies=\"OK inviato\"'")
    arguments = [
        "--no-confirm-changeset",
        "--parameter-overrides",
        f'AcceptedReplies="{BAD}"',
        "Mode=live",
    ]
    assert main(arguments) == 1
    assert main([*arguments[:2], 'AcceptedReplies="OK inviato"', "--region", "eu-south-1"]) == 0


def test_the_file_and_the_environment_that_sam_would_read_are_read(configured):
    configured("'Mode=live'")
    configured(f"""'AcceptedReplies="{BAD}"'""", "firm.toml", "staging")
    assert main([]) == 0
    assert main(["--config-file", "firm.toml"]) == 0
    assert main(["--config-file=firm.toml", "--config-env", "staging"]) == 1


@pytest.mark.usefixtures("configured")
def test_without_a_configuration_there_is_nothing_to_check():
    assert main([]) == 0
    assert main(["--guided"]) == 0


def test_a_file_that_cannot_be_read_is_said(configured, capsys):
    configured("'unfinished")
    assert main([]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_values_are_read_as_sam_reads_them(configured):
    configured("""'DefaultSender=Bottega AcceptedReplies="{\\"stato\\":\\"ok inviato\\"}"'""")
    assert parameters([]) == {
        "DefaultSender": "Bottega",
        "AcceptedReplies": '{"stato":"ok inviato"}',
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("DefaultSender=Bottega_Verdi_srl", "11"),
        ("DefaultSender='Caffè'", "Parameter DefaultSender:"),
        ("DefaultSender=''", "Parameter DefaultSender: must not be empty."),
        ("Mode=prova", "Parameter Mode: must be test or live."),
        ("TestRecipients=06123456", "landline"),
        ("MaxSegments=300", "Parameter MaxSegments: must be 0 or more, 255 at most."),
        ("MaxSegments=tre", "Parameter MaxSegments: must be a number."),
        ("MaxSegments=2.5", "Parameter MaxSegments: must be a whole number."),
        ("MaxSegments=nan", "Parameter MaxSegments: must be a number."),
        ("RecipientHourlyLimit=inf", "Parameter RecipientHourlyLimit: must be a number"),
        ("SenderConcurrency=2.5", "Parameter SenderConcurrency: must be a whole number."),
        ("AllowedSenders=Studio,Caffè", "Parameter AllowedSenders: Caffè: "),
        ("AlertEmail=anna", "Parameter AlertEmail: must be an e-mail address."),
        ("ShopifyEventSourceName=shopify", "Parameter ShopifyEventSourceName: must be as the "),
        ("DefaultSender=Bottega Verdi", '"Verdi" belongs to no parameter'),
        ("GatewayUrl=http://esempio.it", "must be https"),
        ("DefaultSendr=Bottega", "there is none of that name; DefaultSender?"),
        ("QuietHour=x", "Parameter QuietHour: there is none of that name"),
    ],
)
def test_any_parameter_that_the_deployment_or_the_functions_would_refuse_is_said(
    configured, capsys, given, said
):
    configured(f'"{given}"')
    assert main([]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "given",
    [
        "DefaultSender=Bottega Mode=live MaxSegments=4",
        "DefaultSender=+393331234567",
        "TestRecipients='333 1234567, +39 347 8831234'",
        "DefaultSender=Bottega AllowedSenders=* ShopifyEventSourceName=aws.partner/shopify.com/1/a",
        "DefaultSender=Bottega AllowedSenders='Studio,Il Bar' RetentionDays=1.5 AlertEmail=''",
        "DefaultSender=Bottega AlertEmail=anna@example.it MessageValidityHours=0.5",
    ],
)
def test_what_is_right_passes(configured, given):
    configured(f'"{given}"')
    assert main([]) == 0


def test_make_deploy_checks_before_it_builds():
    recipe = (FILE.parent / "Makefile").read_text("utf-8").split("\ndeploy:")[1].split("\n\n")[0]
    assert 0 < recipe.index("local.check_parameters $(ARGS)") < recipe.index("sam build")
