"""The layer keeps the descriptions of the AWS services that are called, and of no other."""

import re

from tests.functions import ROOT

LAYER = ROOT / "layers/openvoip_sms"


def test_the_sdk_of_the_layer_knows_each_service_that_is_called_and_no_other():
    wiring = "".join(
        file.read_text("utf-8") for file in (LAYER / "openvoip_sms/wiring").glob("*.py")
    )
    called = set(re.findall(r'\bclient\("(\w+)"', wiring))
    [kept] = re.findall(r"^SERVICES = (.*)$", (LAYER / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert called == set(kept.split())
