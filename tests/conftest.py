"""No test depends on the AWS that the variables of this machine name, nor on its speed."""

from hypothesis import HealthCheck, settings

import local  # noqa: F401 - removes the variables AWS_* from the environment

# Hypothesis would let a test fail that takes longer than 200 ms: under load, any one.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")
