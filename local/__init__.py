"""Tools for this machine; code shared with the service is in the layer."""

import os
import sys
from pathlib import Path

# Settings for the real AWS (a profile, an endpoint, a bundle) must not affect the local one.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]

sys.path.append(str(Path(__file__).resolve().parents[1] / "layers" / "openvoip_sms"))
