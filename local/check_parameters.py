"""`make deploy`: checks what would be deployed, before anything is built.

Takes the arguments of `sam deploy`, and reads its configuration file as SAM does. What a guided
deployment asks for is not known yet: CloudFormation and the functions check it again.
"""

import difflib
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local import answers
from local.template import template
from openvoip_sms.rules.phone import InvalidNumber, italian_mobile
from openvoip_sms.rules.sender_name import InvalidSender, check_sender
from openvoip_sms.wiring import settings
from openvoip_sms.wiring.settings import BadSetting, Environment


def _sender(env: Environment) -> None:
    _check_sender(env.required("DEFAULT_SENDER"))


def _senders(env: Environment) -> None:
    for sender in env.words("ALLOWED_SENDERS") - {"*"}:
        _check_sender(sender)


def _check_sender(sender: str) -> None:
    try:
        check_sender(sender)
    except InvalidSender as error:
        raise BadSetting(f"{sender}: {error.detail.rstrip('.')}") from None


def _recipients(env: Environment) -> None:
    for number in env.words("TEST_RECIPIENTS"):
        try:
            italian_mobile(number)
        except InvalidNumber as error:
            raise BadSetting(error.detail.rstrip(".")) from None


CHECKS: dict[str, tuple[str, Callable[[Environment], object]]] = {
    "PublicUrl": ("PUBLIC_URL", settings.public_url),
    "AcceptedReplies": ("ACCEPTED_REPLIES", settings.accepted),
    "DefaultSender": ("DEFAULT_SENDER", _sender),
    "AllowedSenders": ("ALLOWED_SENDERS", _senders),
    "TestRecipients": ("TEST_RECIPIENTS", _recipients),
}
WHOLE = {"MaxSegments", "RecipientHourlyLimit", "SenderConcurrency"}


CORRECTION = "Correct it with: make deploy ARGS='--parameter-overrides Name=value'"


def main(arguments: Sequence[str]) -> int:
    """Report every parameter with a mistake."""
    try:
        given = parameters(arguments)
    except (OSError, ValueError) as error:
        print(f"The configuration of sam deploy cannot be read: {error}", file=sys.stderr)
        return 1
    return 1 if report(given) else 0


def parameters(arguments: Sequence[str]) -> dict[str, str]:
    """The parameters of the configuration file, and in their place those of the command line."""
    options = answers.options_of(arguments)
    configured = answers.parameters(options.config_file, options.config_env)
    return {**configured, **options.overrides}


def report(given: Mapping[str, str]) -> bool:
    """Say every mistake; whether there is one."""
    mistakes = [why for name, value in given.items() if (why := mistake(name, value))]
    if mistakes:
        print("\n".join(mistakes), CORRECTION, sep="\n", file=sys.stderr)
    return bool(mistakes)


def mistake(name: str, value: str) -> str:
    """A sentence about the parameter's value, empty if there is nothing wrong."""
    why = _against_template(name, value)
    if name in CHECKS:
        variable, check = CHECKS[name]
        try:
            check(Environment({variable: value}))
        except BadSetting as error:  # it says more than the template's pattern
            why = str(error).removeprefix(variable).lstrip(": ")
    return f"Parameter {name}: {why}." if why else ""


def _against_template(name: str, value: str) -> str:
    known = template()["Parameters"]
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        return f"there is none of that name{f'; {near[0]}?' if near else ''}"
    rule = known[name]
    if "AllowedValues" in rule and value not in rule["AllowedValues"]:
        return f"must be {' or '.join(rule['AllowedValues'])}"
    if "AllowedPattern" in rule and not re.fullmatch(rule["AllowedPattern"], value):
        return str(rule.get("ConstraintDescription") or "is not of its form")
    return _number(name, rule, value) if rule["Type"] == "Number" else ""


def _number(name: str, rule: dict[str, Any], value: str) -> str:
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
        return "must be a number"
    number = float(value)
    if name in WHOLE and number % 1:
        return "must be a whole number"
    if not rule.get("MinValue", number) <= number <= rule.get("MaxValue", number):
        return f"must be {rule['MinValue']} or more" + (
            f", {rule['MaxValue']} at most" if "MaxValue" in rule else ""
        )
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
