"""`make deploy`: checks what would be deployed, before anything is built.

Takes the arguments of `sam deploy`, and reads its configuration file as SAM does. What a guided
deployment asks for is not known yet: CloudFormation and the functions check it again.
"""

import difflib
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

from local import answers
from local.template import template
from openvoip_sms.rules.phone import InvalidNumber, italian_mobile
from openvoip_sms.rules.sender_name import InvalidSender, check_sender
from openvoip_sms.wiring import settings
from openvoip_sms.wiring.settings import BadSetting, Environment


def _sender(env: Environment) -> None:
    try:
        check_sender(env.required("DEFAULT_SENDER"))
    except InvalidSender as error:
        raise BadSetting(error.detail.rstrip(".")) from None


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
    "TestRecipients": ("TEST_RECIPIENTS", _recipients),
}


def main(arguments: Sequence[str]) -> int:
    """Report every parameter with a mistake."""
    try:
        given = parameters(arguments)
    except (OSError, ValueError) as error:
        print(f"The configuration of sam deploy cannot be read: {error}", file=sys.stderr)
        return 1
    mistakes = [why for name, value in given.items() if (why := mistake(name, value))]
    if mistakes:
        print("\n".join(mistakes), file=sys.stderr)
    return 1 if mistakes else 0


def parameters(arguments: Sequence[str]) -> dict[str, str]:
    """The parameters of the configuration file, and in their place those of the command line."""
    options = answers.options_of(arguments)
    configured = answers.parameters(options.config_file, options.config_env)
    return {**configured, **options.overrides}


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
    return _number(rule, value) if rule["Type"] == "Number" else ""


def _number(rule: dict[str, Any], value: str) -> str:
    try:
        number = float(value)
    except ValueError:
        return "must be a number"
    if not rule.get("MinValue", number) <= number <= rule.get("MaxValue", number):
        return f"must be {rule['MinValue']} or more" + (
            f", {rule['MaxValue']} at most" if "MaxValue" in rule else ""
        )
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
