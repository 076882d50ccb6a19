"""`make deploy`: runs `sam deploy` with the firm's answers, all checked and built."""

import os
import subprocess
import sys
from collections.abc import Sequence
from tempfile import TemporaryDirectory

from local import AWS_VARIABLES, answers
from local.processes import WORK, environment


def command(arguments: Sequence[str]) -> list[str]:
    """The arguments of `sam`; parameters of the command line are in the file by now."""
    options = answers.options_of(arguments)
    if options.config_file not in (answers.FILE, answers.DEFAULTS):  # of one's own choice
        file, given = options.config_file, options.overrides
    else:
        file, given = answers.FILE, {}
    overrides = ["--parameter-overrides", answers.written(given)] if given else []
    environment = ["--config-env", options.config_env]
    return ["sam", "deploy", "--config-file", file, *environment, *options.rest, *overrides]


def main(arguments: Sequence[str]) -> int:
    os.environ.update(AWS_VARIABLES)
    WORK.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=WORK, prefix="deploy-") as folder:  # SAM leaves folders behind
        env = environment(TMPDIR=folder)
        return subprocess.run(command(arguments), env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
