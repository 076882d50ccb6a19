"""Ids in paths, and where a record is found."""

from datetime import timedelta
from urllib.parse import quote

import pytest

from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.rules.record import Status
from openvoip_sms.wiring import core
from tests.integration.functions.messages import WITH_ID
from tests.integration.service import event
from tests.records import waiting

ID = "shop:orders:1"  # webhooks make ids with colons


@pytest.mark.parametrize("raw", [ID, quote(ID, safe=""), ID.replace(":", "%3a"), "%73" + ID[1:]])
def test_an_id_in_a_path_may_be_percent_encoded(service, raw):
    until = core.clock() + timedelta(hours=1)
    core.store().create(waiting(id=ID, status=Status.UNKNOWN, expires_at=until))
    shown = service.call("GET", "/messages/{id}", raw)
    assert (shown.status, shown.body["id"]) == (200, ID)
    assert service.call("POST", "/messages/{id}/cancel", raw).status == 409
    assert service.call("POST", "/messages/{id}/resend", raw).status == 202
    assert service.call("POST", "/messages/{id}/confirm", raw).status == 409
    assert service.call("POST", "/messages/{id}/cancel", raw).body["status"] == "unknown"
    assert service.call("POST", "/messages/{id}/confirm", raw).body["status"] == "sent"


@pytest.mark.parametrize("raw", ["%", "%3", "%ff", "%2e%2f", "a%00", "m-1%0a", "m%252D1", "%zz"])
def test_a_path_that_decodes_to_no_id_finds_nothing(service, raw):
    service.post(WITH_ID)
    assert service.call("GET", "/messages/{id}", raw).status == 404


@pytest.mark.parametrize(
    ("path", "base"),
    [
        ("/v1/messages", "/v1"),
        ("/sms/messages", "/sms"),
        ("/messages", ""),
        ("/a/messages/messages", "/a/messages"),
        ("/messages/", ""),
        (None, "/v1"),
        ("", "/v1"),
        ("/elsewhere", "/v1"),
    ],
)
def test_a_location_is_where_the_caller_finds_the_record(service, path, base):
    given = event("api_send")
    given["requestContext"] |= {"path": path, "domainName": "api.bottega.example.it"}
    first, again = service.http(given), service.http(given)
    assert first.headers["Location"] == again.headers["Location"] == f"{base}/messages/referto-2041"
    del given["requestContext"]
    assert service.http(given).headers["Location"] == "/v1/messages/referto-2041"


def test_a_location_is_at_the_public_address_where_there_is_one(deploy, monkeypatch):
    service = deploy(PublicUrl="https://api.bottega.example.it/sms/")
    expected = "https://api.bottega.example.it/sms/messages/m-1"
    assert service.post(WITH_ID).headers["Location"] == expected
    later = service.post(WITH_ID | {"id": "m-2"}, Prefer="respond-async")
    assert later.headers["Location"] == expected.replace("m-1", "m-2")

    def down(*_):
        raise StoreUnavailable("ThrottlingException")

    monkeypatch.setattr(type(core.store()), "replace", down)
    lost = service.post(WITH_ID | {"id": "m-3"})
    assert (lost.reason, lost.headers["Location"]) == (
        "outcome_unrecorded",
        expected.replace("m-1", "m-3"),
    )
