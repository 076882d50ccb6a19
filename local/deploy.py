"""`make deploy`: runs `sam deploy` with the firm's answers, all checked and built."""

import os
import subprocess
import sys
from collections.abc import Sequence

from local import AWS_VARIABLES, answers
from local.processes import environment


def command(arguments: Sequence[str]) -> list[str]:
    """The arguments of `sam`; parameters of the command line are in the file by now."""
    if any(one.split("=")[0] == "--config-file" for one in arguments):
        return ["sam", "deploy", *arguments]
    options = answers.options_of(arguments)
    chosen = ["--config-file", answers.FILE, "--config-env", options.config_env]
    return ["sam", "deploy", *chosen, *options.rest]


def main(arguments: Sequence[str]) -> int:
    os.environ.update(AWS_VARIABLES)
    return subprocess.run(command(arguments), env=environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
