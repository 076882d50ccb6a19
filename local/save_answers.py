"""`make deploy`: keeps the firm's answers, before anything is built.

Parameters of the command line are saved, so that the next deployment has them too. Where there is
no file yet, a stack that is deployed already tells what it was given.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from local import answers
from local.check_parameters import mistake
from local.check_sources import SOURCES, own_sources
from local.own_stack import NoStack, own_stack
from local.template import template

GUIDED = "make deploy ARGS=--guided asks for the parameters, the first time and whenever you like."


def main(arguments: Sequence[str]) -> int:
    options = answers.options_of(arguments)
    if options.config_file not in (answers.FILE, answers.DEFAULTS):
        return 0  # a file of one's own choice: `sam deploy` reads it as it is
    found = dict(options.overrides)
    if not Path(answers.FILE).exists():
        found = {**_deployed(), **found}
    found["SourcesFile"] = Path(own_sources()).name
    merged = answers.parameters(options.config_file, options.config_env) | found
    if mistakes := list(filter(None, (mistake(name, value) for name, value in merged.items()))):
        print("\n".join(mistakes), file=sys.stderr)
        return 1
    if "DefaultSender" not in merged and not options.is_guided:
        print(f"DefaultSender has no value yet. {GUIDED}", file=sys.stderr)
        return 1
    answers.save(found, options.config_env)
    _tell(options)
    return 0


def _deployed() -> dict[str, str]:
    """What a stack that exists was given, as far as it is no default."""
    try:
        given = own_stack().parameters()
    except NoStack:
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
