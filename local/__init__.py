"""Tools for this machine; what they share with the service is in the layer's folder."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "layers" / "openvoip_sms"))
