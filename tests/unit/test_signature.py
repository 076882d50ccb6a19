"""The signature and the query, as PHP makes them."""

import json
from pathlib import Path

import pytest

from openvoip_sms.delivery.ports import Account, Sms
from openvoip_sms.openvoip.client import query
from openvoip_sms.rules.signature import verify_code

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors/gateway_signatures.json").read_text("utf-8")
)["vectors"]
by_name = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])


def query_of(vector, *, twice):
    sms = Sms(
        sender=vector["sms_sender"],
        text=vector["sms_text"],
        to=vector["sms_destination"],
        archive=vector["archivia"] == "1",
    )
    account = Account(vector["id_call_gr"], vector["secret"])
    return query(sms, account, encode_destination_twice=twice)


@by_name
def test_the_signature_is_the_one_php_makes(vector):
    assert vector["verify"] == verify_code(
        sender=vector["sms_sender"],
        text=vector["sms_text"],
        destination=vector["sms_destination"],
        secret=vector["secret"],
        call_group=vector["id_call_gr"],
    )


@by_name
def test_the_query_is_the_one_php_writes(vector):
    assert query_of(vector, twice=False) == vector["query"]


@by_name
def test_the_destination_encoded_twice_is_the_one_php_writes(vector):
    assert query_of(vector, twice=True) == vector["query_destination_twice"]


def test_neither_the_secret_nor_what_is_sent_prints():
    shown = repr(Account("9999", "canary-secret")) + repr(Sms("Canary", "canary", "+39333canary"))
    assert "anary" not in shown
