"""The certificate authorities that the AWS clients trust."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import UnknownRegionError

if TYPE_CHECKING:
    from boto3.session import Session

# The layer's build puts it beside the package (amazon_roots.py). A checkout has none.
AMAZON_ROOTS = Path(__file__).parents[2] / "amazon_roots.pem"
_OF_THE_SDK = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")  # variables that the SDK obeys


def amazon_roots(session: "Session") -> str | None:
    """Return the file with Amazon's own authorities; `None` leaves the choice to the SDK.

    The SDK's file has over a hundred, which each connection loads again.
    """
    # A bundle that is set explicitly counts: for a proxy that inspects TLS, for example.
    if any(os.environ.get(name) for name in _OF_THE_SDK) or not AMAZON_ROOTS.exists():
        return None
    return str(AMAZON_ROOTS) if _is_commercial(session) else None


def _is_commercial(session: "Session") -> bool:
    """Whether the region is in the partition `aws`, whose certificates Amazon issues itself.

    In the others (China, GovCloud, the sovereign and the isolated clouds) other authorities may
    issue some. There the SDK's own file is used: slower, but complete.
    """
    region: str | None = session.region_name
    if region is None:
        return False
    try:
        return bool(session.get_partition_for_region(region) == "aws")
    except UnknownRegionError:
        return False
