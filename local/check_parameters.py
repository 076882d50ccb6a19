"""`make deploy`: checks what would be deployed, before anything is built.

Takes the arguments of `sam deploy`, and reads its configuration file as SAM does. What a guided
deployment asks for is not known yet: CloudFormation and the functions check it again.
"""

import argparse
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from samcli.cli.types import CfnParameterOverridesType  # type: ignore[import-untyped]

from openvoip_sms.wiring import settings
from openvoip_sms.wiring.settings import BadSetting, Environment

CHECKS: dict[str, tuple[str, Callable[[Environment], object]]] = {
    "PublicUrl": ("PUBLIC_URL", settings.public_url),
    "AcceptedReplies": ("ACCEPTED_REPLIES", settings.accepted),
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


def mistake(name: str, value: str) -> str:
    """A sentence about the parameter's value, empty if there is nothing wrong."""
    if name not in CHECKS:
        return ""
    variable, check = CHECKS[name]
    try:
        check(Environment({variable: value}))
    except BadSetting as error:
        return f"Parameter {name}: {str(error).removeprefix(variable).lstrip(': ')}."
    return ""


def parameters(arguments: Sequence[str]) -> dict[str, str]:
    """The parameters of the configuration file, or those of the command line in their place."""
    options = _options(arguments)
    overrides = options.parameter_overrides or _configured(options)
    found: Any = CfnParameterOverridesType().convert(tuple(overrides), None, None) or {}
    return {str(name): str(value) for name, value in found.items()}


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config-file", default="samconfig.toml")
    parser.add_argument("--config-env", default="default")
    parser.add_argument("--parameter-overrides", nargs="*", default=[])
    return parser.parse_known_args(arguments)[0]


def _configured(options: argparse.Namespace) -> list[str]:
    file = Path(options.config_file)
    if not file.exists():
        return []
    section = tomllib.loads(file.read_text("utf-8")).get(options.config_env, {})
    overrides = section.get("deploy", {}).get("parameters", {}).get("parameter_overrides", [])
    return [overrides] if isinstance(overrides, str) else [str(one) for one in overrides]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
