"""An emulated AWS with the stack in it."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.stack import REGION, Stack


@pytest.fixture(scope="session")
def aws() -> Iterator[type[Stack]]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.delenv("AWS_PROFILE", raising=False)
        yield Stack


@pytest.fixture
def stack(aws: type[Stack]) -> Stack:
    """Fresh and empty, however many tests there are."""
    return aws()
