"""The gateway's account in Secrets Manager."""

import pytest
from botocore.exceptions import (
    ReadTimeoutError,
)

from openvoip_sms.adapters.secret_reader import JsonSecret
from openvoip_sms.delivery.ports import (
    SecretNotSet,
    SecretUnavailable,
)
from openvoip_sms.openvoip.account import OpenvoipAccount
from openvoip_sms.openvoip.gateway import OpenvoipGateway

GIVEN = {"id_call_gr": "9999", "secret": "canary-secret"}


def account_of(stack):
    secret = JsonSecret(stack.secrets, stack["GatewaySecret"])
    return OpenvoipGateway(client=None, secret=secret)


@pytest.fixture
def accounts(stack):
    stack.set_account(GIVEN)
    return account_of(stack)


def test_an_account_is_read_once_for_many_messages(accounts, stack, recorded_calls):
    read = recorded_calls(stack.secrets, "GetSecretValue")
    assert {accounts.credentials() for _ in range(5)} == {OpenvoipAccount("9999", "canary-secret")}
    assert len(read) == 1


def test_a_rotated_secret_is_used_once_it_is_refreshed(accounts, stack):
    accounts.credentials()
    stack.set_account(GIVEN | {"secret": "rotated"})
    assert accounts.credentials().secret == "canary-secret"
    assert accounts.credentials(refresh=True).secret == "rotated"
    assert accounts.credentials().secret == "rotated"


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"id_call_gr": "9999"},
        {"secret": "x"},
        {"id_call_gr": "9999", "secret": ""},
        {"id_call_gr": " ", "secret": "x"},
        {"id_call_gr": "SET-ME", "secret": "SET-ME"},
        {"id_call_gr": "9999", "secret": "SET-ME"},
        {"id_call_gr": "9999", "secret": None},
        {"id_call_gr": None, "secret": "x"},
        {"id_call_gr": "9999", "secret": True},
        {"id_call_gr": "9999", "secret": ["x"]},
        {"id_call_gr": "9999", "secret": {"a": "b"}},
        {"id_call_gr": "9999", "secret": "\ud800"},
        [],
        "not json",
        '"a text"',
        "null",
        "{",
    ],
)
def test_an_account_that_is_not_filled_in_is_distinguished_from_one_that_cannot_be_read(
    accounts, stack, value
):
    stack.set_account(value)
    with pytest.raises(SecretNotSet) as refused:
        accounts.credentials()
    assert "canary" not in str(refused.value)


def test_the_templates_placeholder_is_not_an_account(stack):
    with pytest.raises(SecretNotSet):
        account_of(stack).credentials()


def test_a_secret_that_is_filled_in_works_at_once(stack):
    accounts = account_of(stack)
    with pytest.raises(SecretNotSet):
        accounts.credentials()
    stack.set_account(GIVEN)
    assert accounts.credentials().secret == "canary-secret"


def test_numbers_in_an_account_are_read_as_text(accounts, stack):
    stack.set_account({"id_call_gr": 9999, "secret": 123})
    assert accounts.credentials() == OpenvoipAccount("9999", "123")


def test_a_secret_that_cannot_be_read_is_unavailable_with_the_name_of_the_error(accounts, stack):
    stack.secrets.delete_secret(SecretId=stack["GatewaySecret"], ForceDeleteWithoutRecovery=True)
    with pytest.raises(SecretUnavailable) as unavailable:
        accounts.credentials()
    assert not isinstance(unavailable.value, SecretNotSet)
    assert str(unavailable.value) == "ResourceNotFoundException"


def test_secrets_manager_that_does_not_answer_is_unavailable(accounts, stack, hook):
    hook(stack.secrets, "before-send.secretsmanager.*", _time_out)
    with pytest.raises(SecretUnavailable) as unavailable:
        accounts.credentials()
    assert str(unavailable.value) == "ReadTimeoutError"


def _time_out(**_):
    raise ReadTimeoutError(endpoint_url="https://canary")
