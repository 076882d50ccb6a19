"""No test depends on, or reaches, the AWS that the variables of this machine name."""

import local  # noqa: F401 - removes the variables AWS_* from the environment
