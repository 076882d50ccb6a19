"""Whom the AWS clients trust."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import UnknownRegionError

if TYPE_CHECKING:
    from boto3.session import Session

# The layer's build writes it beside the package (amazon_roots.py). A checkout has none.
AMAZON_ROOTS = Path(__file__).parents[2] / "amazon_roots.pem"
_OF_THE_SDK = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")  # variables that it follows


def amazon_roots(session: "Session") -> str | None:
    """Return the file with Amazon's own authorities; `None` leaves the choice to the SDK.

    The SDK's file has over a hundred, and each connection loads it again.
    """
    # Whoever sets a bundle means it, for a proxy that looks inside for example.
    if any(os.environ.get(name) for name in _OF_THE_SDK) or not AMAZON_ROOTS.exists():
        return None
    return str(AMAZON_ROOTS) if _is_commercial(session) else None


def _is_commercial(session: "Session") -> bool:
    """Whether the region is of the partition `aws`, whose endpoints Amazon signs itself.

    In all others (China, GovCloud, the sovereign and the isolated clouds) somebody else may sign
    as well. They keep the SDK's file: slower, and right whoever signs.
    """
    region: str | None = session.region_name
    if region is None:
        return False
    try:
        return bool(session.get_partition_for_region(region) == "aws")
    except UnknownRegionError:
        return False
