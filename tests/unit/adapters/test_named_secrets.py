"""A webhook secret works as soon as it is set, and no stranger makes that expensive."""

import pytest

from openvoip_sms.adapters.secret_reader import MIN_AGE_SECONDS, NamedSecrets
from openvoip_sms.delivery.ports import SecretNotSet


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
    return NamedSecrets(held, clock), held, clock


def test_what_is_set_is_read_from_the_cache():
    secrets, held, _ = made({"shop": "abc-1", "number": 7})
    for _ in range(100):
        assert secrets.current() == {"shop": "abc-1"}
    assert held.fetched == 0


def test_a_cache_without_any_is_read_again_each_time():
    secrets, held, _ = made("no JSON")
    for _ in range(2):
        with pytest.raises(SecretNotSet):
            secrets.current()
    held.now = {"shop": "abc-1"}
    assert secrets.current() == {"shop": "abc-1"}


def test_one_that_is_missing_is_looked_for_with_every_call():
    secrets, held, _ = made({})
    assert secrets.refreshed(at_once=True) == {}
    held.now = {"shop": "abc-1"}
    assert secrets.refreshed(at_once=True) == {"shop": "abc-1"}
    assert secrets.current() == {"shop": "abc-1"}


def test_however_many_calls_doubt_a_secret_few_read_it():
    secrets, held, clock = made({"shop": "abc-1"})
    for _ in range(1000):
        assert secrets.refreshed(at_once=False) in (None, {"shop": "abc-1"})
        clock.now += 0.05
    assert 1 < held.fetched <= 1000 * 0.05 / MIN_AGE_SECONDS + 1
    held.now = {"shop": "abc-2"}
    clock.now += MIN_AGE_SECONDS
    assert secrets.refreshed(at_once=False) == {"shop": "abc-2"}
