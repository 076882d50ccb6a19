"""No test depends on, or reaches, the AWS that the variables of this machine name."""

import local  # noqa: F401 - takes the variables AWS_* out of the environment
