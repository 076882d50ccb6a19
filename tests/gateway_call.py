"""A call to the gateway as PHP makes it, for tests of the client."""

import json
from datetime import UTC, datetime
from pathlib import Path

from openvoip_sms.delivery.ports import Sms
from openvoip_sms.openvoip.account import OpenvoipAccount

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
PHP = json.loads((Path(__file__).parent / "vectors/gateway_signatures.json").read_text("utf-8"))
ROSA = PHP["vectors"][0]
ACCOUNT = OpenvoipAccount("9999", "local-secret")
SMS = Sms(ROSA["sms_sender"], ROSA["sms_text"], ROSA["sms_destination"])
