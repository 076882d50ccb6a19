"""Only a call with a valid admin key passes; everything else fails closed."""

import pytest

from openvoip_sms.delivery.ports import SecretNotSet, SecretUnavailable
from openvoip_sms.web.admin_access import AdminAccess, NotAdmin

CURRENT, PREVIOUS, OTHER = "c" * 43, "p" * 43, "o" * 43


class Secret:
    """What is cached, and what Secrets Manager holds by now; `reads` counts the latter."""

    def __init__(self, cached, now=None, *, may_refresh=True):
        self.cached, self.now, self.may_refresh, self.reads = cached, now or cached, may_refresh, 0

    def current(self):
        return self.cached

    def refreshed(self, *, at_once):
        if not (at_once or self.may_refresh):
            return None
        self.reads += 1
        return self.now


class Unreadable:
    def current(self):
        raise SecretUnavailable("AccessDeniedException")


KEYS = {"current": CURRENT, "previous": PREVIOUS}


def call(*values, name="x-admin-key"):
    return {"multiValueHeaders": {name: list(values)}}


@pytest.mark.parametrize("key", [CURRENT, PREVIOUS])
@pytest.mark.parametrize("name", ["x-admin-key", "X-Admin-Key"])
def test_the_current_and_the_previous_key_pass(key, name):
    AdminAccess(Secret(KEYS)).check(call(key, name=name))


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"headers": None, "multiValueHeaders": None},
        call(),
        call(""),
        call(OTHER),
        call(CURRENT[:-1]),
        call(CURRENT + "c"),
        call(CURRENT.upper()),
        call(f" {CURRENT}"),
        call(CURRENT, OTHER),
        call(CURRENT, CURRENT),
        call(f"{CURRENT},{PREVIOUS}"),
        call("è" * 43),
        call("\ud800" * 43),
        call(CURRENT, name="x-api-key"),
    ],
)
def test_every_other_call_is_refused(event):
    with pytest.raises(NotAdmin):
        AdminAccess(Secret(KEYS)).check(event)


def test_a_call_without_a_key_costs_no_read_of_the_secret():
    with pytest.raises(NotAdmin):
        AdminAccess(Unreadable()).check({})


def test_no_key_passes_while_the_secret_cannot_be_read():
    with pytest.raises(SecretUnavailable):
        AdminAccess(Unreadable()).check(call(CURRENT))


@pytest.mark.parametrize(
    "values",
    [{}, {"current": "", "previous": ""}, {"current": "SET-ME"}, {"other": CURRENT}],
)
@pytest.mark.parametrize("given", ["SET-ME", CURRENT, " "])
def test_no_key_passes_while_none_is_set(values, given):
    with pytest.raises(SecretNotSet, match="20 characters"):
        AdminAccess(Secret(values)).check(call(given))


def test_an_empty_previous_key_is_no_key():
    with pytest.raises(NotAdmin):
        AdminAccess(Secret({"current": CURRENT, "previous": ""})).check(call(""))


def test_a_key_that_was_rotated_meanwhile_passes_at_once():
    secret = Secret(KEYS, {"current": OTHER, "previous": CURRENT})
    AdminAccess(secret).check(call(OTHER))
    assert secret.reads == 1


def test_guesses_do_not_read_the_secret_each_time():
    secret = Secret(KEYS, {"current": OTHER, "previous": CURRENT}, may_refresh=False)
    with pytest.raises(NotAdmin):
        AdminAccess(secret).check(call(OTHER))
    assert secret.reads == 0


def test_keys_are_compared_in_constant_time(monkeypatch):
    compared = []
    monkeypatch.setattr(
        "openvoip_sms.web.admin_access.hmac.compare_digest",
        lambda given, key: compared.append(key) or given == key,
    )
    AdminAccess(Secret(KEYS)).check(call(CURRENT))
    assert compared == [CURRENT.encode(), PREVIOUS.encode()]
