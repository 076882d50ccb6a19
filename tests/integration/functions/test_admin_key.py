"""The calls that a person decides by need the admin key, whatever else they say."""

import json

import pytest

from openvoip_sms.web.routes import NEEDS, Need
from tests.integration.functions.messages import WITH_ID
from tests.integration.service import metric_sum

OF_ADMINS = sorted(route for route, need in NEEDS.items() if need is Need.ADMIN_KEY)
OTHERS = sorted(NEEDS.keys() - OF_ADMINS)
NEW = "n" * 43


@pytest.mark.parametrize("route", OF_ADMINS)
@pytest.mark.parametrize("key", ["", "wrong", "SET-ME"])
def test_without_the_admin_key_nothing_is_done_or_shown(deploy, route, key, capsys):
    service = deploy()
    before = service.items()
    answer = service.call(*route, "m-1", body="{not JSON", admin=key)
    assert (answer.status, answer.reason) == (403, "admin_only")
    assert service.items() == before
    assert metric_sum(capsys.readouterr().out, "AdminRefused") == 1


@pytest.mark.parametrize("route", OTHERS)
def test_what_programs_call_needs_no_admin_key(deploy, route):
    answer = deploy().call(*route, "m-1", admin="")
    assert answer.status != 403


def test_a_shops_key_can_send_and_cancel_but_not_stop_sending(deploy):
    service = deploy()
    assert service.call("POST", "/messages", body=WITH_ID, admin="").status == 201
    assert service.call("PUT", "/sending", body={"paused": True}, admin="").status == 403
    assert service.call("GET", "/sending", admin="").body["paused"] is False


def set_admin_secret(service, text):
    service.stack.secrets.put_secret_value(SecretId=service.stack["AdminSecret"], SecretString=text)


def test_a_rotated_key_works_at_once_and_the_one_before_until_the_next_rotation(deploy):
    service = deploy()
    old = service.admin_key
    assert service.call("PUT", "/sending", body={"paused": False}).status == 200
    set_admin_secret(service, json.dumps({"current": NEW, "previous": old}))
    for key in (NEW, old):
        assert service.call("PUT", "/sending", body={"paused": False}, admin=key).status == 200


@pytest.mark.parametrize("text", ["{}", "no JSON", '{"current": "short", "previous": ""}'])
def test_a_secret_without_a_key_lets_nobody_through_and_calls_a_person(deploy, text, capsys):
    service = deploy()
    set_admin_secret(service, text)
    answer = service.call("PUT", "/sending", body={"paused": False}, admin="short")
    assert (answer.status, answer.reason) == (500, "not_set_up")
    assert metric_sum(capsys.readouterr().out, "ConfigurationErrors") == 1


def test_a_secret_that_cannot_be_read_lets_nobody_through(deploy):
    service = deploy()
    key = service.admin_key
    service.stack.secrets.delete_secret(
        SecretId=service.stack["AdminSecret"], ForceDeleteWithoutRecovery=True
    )
    answer = service.call("PUT", "/sending", body={"paused": True}, admin=key)
    assert (answer.status, answer.reason) == (503, "secret_unavailable")
    assert answer.headers["Retry-After"]
