"""The hash key: one for each purpose and version, read once."""

import hashlib
import hmac

import pytest

from openvoip_sms.adapters.hash_keys import HashKeys
from openvoip_sms.delivery.ports import SecretNotSet

FIRST, SECOND = "a" * 43, "b" * 43


class Secret:
    def __init__(self, cached, now=None):
        self._cached, self._now, self.reads = cached, now or cached, 0

    def read(self, *, refresh=False):
        self.reads += 1
        return self._now if refresh else self._cached


def expected(key, purpose):
    return hmac.new(key.encode(), purpose.encode(), hashlib.sha256).digest()


def test_what_must_stay_the_same_is_hashed_with_the_first_version():
    keys = HashKeys(Secret({"10": SECOND, "2": FIRST}))
    assert keys.first("ids") == expected(FIRST, "ids")


def test_every_version_is_returned_and_each_purpose_has_another_key():
    keys = HashKeys(Secret({"1": FIRST, "2": SECOND}))
    assert keys.versions("opt-outs") == {
        1: expected(FIRST, "opt-outs"),
        2: expected(SECOND, "opt-outs"),
    }
    assert keys.first("ids") != keys.first("opt-outs")


def test_the_secret_is_read_once():
    secret = Secret({"1": FIRST})
    keys = HashKeys(secret)
    for _ in range(3):
        keys.first("ids")
    assert secret.reads == 1


@pytest.mark.parametrize(
    "values",
    [{}, {"1": ""}, {"1": "short"}, {"1": 7}, {"one": FIRST}, {"1": FIRST, "2": ""}, {"²": FIRST}],
)
def test_a_damaged_secret_is_no_key_and_is_read_again(values):
    with pytest.raises(SecretNotSet):
        HashKeys(Secret(values)).first("ids")
    assert HashKeys(Secret(values, {"1": FIRST})).first("ids") == expected(FIRST, "ids")
