"""`make deploy`: keeps the firm's answers, before anything is built.

Parameters of the command line are saved, so that the next deployment has them too. Where there is
no file yet, a stack that is deployed already tells what it was given.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from local import answers
from local.check_parameters import report
from local.check_sources import SOURCES, own_sources
from local.own_stack import NoStack, NotDeployed, own_stack
from local.template import template

GUIDED = "make deploy ARGS=--guided asks for the parameters, the first time and whenever you like."


def main(arguments: Sequence[str]) -> int:
    options = answers.options_of(arguments)
    if options.config_file not in (answers.FILE, answers.DEFAULTS):
        return 0  # a file of one's own choice: `sam deploy` reads it as it is
    kept = answers.settings(answers.FILE, options.config_env)
    if another := _of_another_stack(kept, options):
        print(another, file=sys.stderr)
        return 1
    found = dict(options.overrides)
    if "parameter_overrides" not in kept:
        try:
            found = {**_deployed(arguments), **found}
        except NoStack as error:
            print(f"What the stack was given cannot be read. {error}", file=sys.stderr)
            return 1
    found["SourcesFile"] = Path(own_sources()).name
    merged = answers.parameters(options.config_file, options.config_env) | found
    if report(merged):
        return 1
    if "DefaultSender" not in merged and not options.is_guided:
        print(f"DefaultSender has no value yet. {GUIDED}", file=sys.stderr)
        return 1
    answers.save(found, options.config_env, options.settings)
    _tell(options)
    return 0


def _of_another_stack(kept: Mapping[str, object], options: answers.Options) -> str:
    """A sentence, if the answers that are kept are those of another stack than the one given."""
    for name in ("stack_name", "region"):
        given = options.settings.get(name)
        if given and kept.get(name, given) != given:
            return (
                f"{answers.FILE} has the answers of the stack {kept.get('stack_name')} "
                f"in {kept.get('region')}. Another stack has its own: add --config-env NAME."
            )
    return ""


def _deployed(arguments: Sequence[str]) -> dict[str, str]:
    """What a stack that exists was given, as far as it is no default.

    Raises:
        NoStack: whether there is one is not known. Without its answers they would be reset.
    """
    try:
        given = own_stack("", arguments).parameters()
    except NotDeployed:
        return {}
    known = template()["Parameters"]
    return {
        name: value
        for name, value in given.items()
        if name in known and str(known[name].get("Default")) != value
    }


def _tell(options: answers.Options) -> None:
    if own_sources() != SOURCES:
        print(f"The sources are those of {own_sources()}.")
    if options.overrides:
        print(f"Saved in {answers.FILE}: {', '.join(options.overrides)}.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
