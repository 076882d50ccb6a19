"""Every route of the API and what it needs of its caller, written out."""

import pytest

from openvoip_sms.web.routes import NEEDS, Need, need_of
from tests.template import template

EXPECTED = """
GET    /health                  nothing
POST   /messages                api_key
GET    /messages                api_key
GET    /messages/{id}           api_key
POST   /messages/{id}/cancel    api_key
POST   /messages/{id}/resend    admin_key
POST   /messages/{id}/confirm   admin_key
POST   /resolutions             admin_key
GET    /sending                 api_key
PUT    /sending                 admin_key
GET    /usage                   api_key
"""


def api_events():
    events = template()["Resources"]["ApiFunction"]["Properties"]["Events"].values()
    return [event["Properties"] for event in events if event["Type"] == "Api"]


def test_what_each_route_needs():
    lines = [line.split() for line in EXPECTED.strip().splitlines()]
    assert {(method, path): need for method, path, need in lines} == NEEDS


def test_the_table_has_the_routes_of_the_template_and_no_other():
    assert NEEDS.keys() == {(event["Method"], event["Path"]) for event in api_events()}


def test_api_gateway_checks_the_key_of_every_route_that_needs_one():
    for event in api_events():
        needs_key = event.get("Auth", {}).get("ApiKeyRequired", True)
        assert needs_key is (need_of((event["Method"], event["Path"])) is not Need.NOTHING)


@pytest.mark.parametrize("route", [("DELETE", "/messages/{id}"), ("PUT", "/health"), ("", "")])
def test_a_route_that_nobody_listed_needs_the_admin_key(route):
    assert need_of(route) is Need.ADMIN_KEY
