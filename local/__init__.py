"""Tools for this machine; code shared with the service is in the layer."""

import os
import sys
from pathlib import Path

# Settings for the real AWS (a profile, an endpoint, a bundle) must not affect the local one. Only
# what is meant for the real one takes them from here.
AWS_VARIABLES = {name: os.environ.pop(name) for name in list(os.environ) if name[:4] == "AWS_"}

sys.path.append(str(Path(__file__).resolve().parents[1] / "layers" / "openvoip_sms"))
