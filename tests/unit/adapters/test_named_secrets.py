"""A webhook secret works as soon as it is set, and no stranger makes that expensive."""

import pytest

from openvoip_sms.adapters.secret_reader import MIN_AGE_SECONDS, NamedSecrets
from openvoip_sms.delivery.ports import SecretNotSet
from openvoip_sms.webhooks.verify import is_unset


class Held:
    """A JSON secret behind a cache: `read` returns what was read last, unless it is refreshed."""

    def __init__(self, now):
        self.now, self.cached, self.fetched = now, now, 0

    def read(self, *, refresh=False):
        if refresh:
            self.cached, self.fetched = self.now, self.fetched + 1
        if not isinstance(self.cached, dict):
            raise SecretNotSet("the secret is not a JSON object")
        return self.cached


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def made(now):
    held, clock = Held(now), Clock()
    return NamedSecrets(held, is_unset, clock), held, clock


@pytest.mark.parametrize("before", [{}, {"shop": ""}, {"shop": "SET-ME"}, {"shop": 7}, "no JSON"])
def test_a_secret_that_was_set_meanwhile_works_at_once(before):
    secrets, held, _ = made(before)
    held.now = {"shop": "abc-1"}
    assert secrets.of(["shop"]) == {"shop": "abc-1"}


def test_a_new_secret_beside_an_old_one_works_at_once():
    secrets, held, _ = made({"old": "abc-1"})
    held.now = {"old": "abc-1", "new": "abc-2"}
    assert secrets.of(["new", "old"])["new"] == "abc-2"


def test_what_is_set_is_read_from_the_cache():
    secrets, held, _ = made({"shop": "abc-1", "number": 7})
    for _ in range(100):
        assert secrets.of(["shop"]) == {"shop": "abc-1"}
    assert held.fetched == 0


@pytest.mark.parametrize("before", [{}, "no JSON"])
def test_however_many_calls_need_a_secret_that_is_missing_few_read_it(before):
    secrets, held, clock = made(before)
    for _ in range(1000):
        if before == {}:
            assert secrets.of(["shop"]) == {}
        else:
            with pytest.raises(SecretNotSet):
                secrets.of(["shop"])
        clock.now += 0.05
    assert held.fetched <= 1000 * 0.05 / MIN_AGE_SECONDS + 1


def test_it_is_looked_for_again_after_a_while():
    secrets, held, clock = made({})
    assert secrets.of(["shop"]) == {}
    held.now = {"shop": "abc-1"}
    assert secrets.of(["shop"]) == {}
    clock.now += MIN_AGE_SECONDS
    assert secrets.of(["shop"]) == {"shop": "abc-1"}
