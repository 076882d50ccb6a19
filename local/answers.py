"""The firm's own answers to a deployment's questions: stack, region, parameters.

They are in one file that git ignores, so that an update of the project never conflicts with them.
`samconfig.toml` has the defaults that the file begins with.
"""

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from click import BadParameter
from samcli.cli.types import CfnParameterOverridesType  # type: ignore[import-untyped]

DEFAULTS, FILE = "samconfig.toml", "samconfig.local.toml"
_EMPTY = re.compile("[A-Za-z0-9]+=")
_PAIR = re.compile("(?P<name>[A-Za-z0-9]+)=(?P<value>.*)", re.DOTALL)
_SAM_FORMS = [re.compile(form) for form in CfnParameterOverridesType.ordered_pattern_match]
_SETTINGS = ("stack_name", "region", "profile")  # options that say which stack it is
HEADING = "The answers of your own deployment: git ignores this file. make deploy keeps it."


@dataclass(frozen=True, slots=True)
class Options:
    """What matters here of the arguments of `sam deploy`; `rest` is passed on as it is."""

    config_file: str
    config_env: str
    overrides: Mapping[str, str]
    settings: Mapping[str, str]
    is_guided: bool
    rest: Sequence[str]


def options_of(arguments: Sequence[str]) -> Options:
    """Read the arguments of `sam deploy` as SAM does.

    Raises:
        ValueError: the parameters are not in the form that SAM reads.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config-file", default="")
    parser.add_argument("--config-env", default="default")
    parser.add_argument("--parameter-overrides", nargs="*", default=[], action="extend")
    parser.add_argument("--guided", "-g", action="store_true")
    for name in _SETTINGS:
        parser.add_argument(f"--{name.replace('_', '-')}")
    found, rest = parser.parse_known_args(arguments)
    chosen = {name: getattr(found, name) for name in _SETTINGS if getattr(found, name)}
    rest += [f"--{name.replace('_', '-')}={value}" for name, value in chosen.items()]
    return Options(
        found.config_file or (FILE if Path(FILE).exists() else DEFAULTS),
        found.config_env,
        parsed(list(map(_quoted, found.parameter_overrides))),
        chosen,
        found.guided,
        [*rest, *(["--guided"] if found.guided else [])],
    )


def parsed(overrides: str | Sequence[str]) -> dict[str, str]:
    """Parameters by name, from any form in which SAM takes them, and `Name=` for an empty value.

    Raises:
        ValueError: it is none of them.
    """
    given = [overrides] if isinstance(overrides, str) else list(map(str, overrides))
    given = [f'{one}""' if _EMPTY.fullmatch(one) else one for one in given]
    for one in given:
        if rest := _unread(one):
            raise ValueError(f'"{rest}" belongs to no parameter: a value with spaces needs quotes')
    try:
        found: Any = CfnParameterOverridesType().convert(given, None, None) if any(given) else {}
    except BadParameter as error:
        raise ValueError(error.message) from None
    return {str(name): str(value) for name, value in found.items()}


def _quoted(argument: str) -> str:
    """An argument as SAM reads it: a shell has taken the quotes around a value with spaces away."""
    pair = _PAIR.fullmatch(argument)
    if not pair or not _unread(argument) or _SAM_FORMS[1].search(pair["value"]):
        return argument  # read whole; or several in one: whose words they are cannot be told
    return written({pair["name"]: pair["value"]})


def _unread(given: str) -> str:
    """What SAM would leave out without a word."""
    padded = f" {given}"
    form = next((one for one in _SAM_FORMS if one.search(padded)), None)
    return form.sub("", padded).strip() if form else ""  # without any, SAM says so


def written(parameters: Mapping[str, str]) -> str:
    """Parameters as SAM writes them into its file."""
    quoted = ((name, value.replace('"', '\\"')) for name, value in parameters.items())
    return " ".join(f'{name}="{value}"' for name, value in quoted)


def settings(file: str, environment: str = "default") -> dict[str, Any]:
    """The settings of `sam deploy` in a file: none if there is no such file.

    Raises:
        OSError, ValueError: it cannot be read.
    """
    path = Path(file)
    if not path.exists():
        return {}
    document = tomlkit.parse(path.read_text("utf-8")).unwrap()
    found = document.get(environment, {}).get("deploy", {}).get("parameters", {})
    return dict(found)


def parameters(file: str, environment: str = "default") -> dict[str, str]:
    """The template's parameters in a file; raises as `settings` does."""
    return parsed(settings(file, environment).get("parameter_overrides", ""))


def save(
    parameters: Mapping[str, str],
    environment: str = "default",
    settings_given: Mapping[str, str] | None = None,
) -> None:
    """Set these in the firm's file, and leave everything else there as it is."""
    path = Path(FILE)
    if path.exists():
        document = tomlkit.parse(path.read_text("utf-8"))
    else:
        document = tomlkit.document()
        document.add(tomlkit.comment(HEADING))
        document.add("version", tomlkit.value("0.1"))
    given = document.setdefault(environment, tomlkit.table(is_super_table=True))
    given = given.setdefault("deploy", tomlkit.table(is_super_table=True))
    given = given.setdefault("parameters", tomlkit.table())
    given.update(settings_given or {})
    for name, value in settings(DEFAULTS, environment).items():
        given.setdefault(name, value)
    merged = parsed(given.get("parameter_overrides", "")) | dict(parameters)
    given["parameter_overrides"] = written(merged)
    path.write_text(tomlkit.dumps(document), "utf-8")
