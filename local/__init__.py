"""Tools for this machine; what they share with the service is in the layer's folder."""

import os
import sys
from pathlib import Path

# What is set for the real AWS (a profile, an endpoint, a bundle) must not reach the local one.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]

sys.path.append(str(Path(__file__).resolve().parents[1] / "layers" / "openvoip_sms"))
