"""Which day and which source a record's segments are counted for."""

from datetime import UTC, date, datetime

import pytest

from openvoip_sms.rules import transitions
from openvoip_sms.rules.usage import day_of_claim, source_of
from tests.records import waiting


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 11, 24, 22, 59, 59, tzinfo=UTC), date(2026, 11, 24)),
        (datetime(2026, 11, 24, 23, 0, tzinfo=UTC), date(2026, 11, 25)),
    ],
)
def test_a_record_counts_for_the_day_of_its_claim_even_if_its_lease_ends_on_the_next(moment, day):
    assert day_of_claim(transitions.claimed(waiting(), "c-1", moment)) == day


def test_a_record_without_a_claim_counts_for_no_day():
    assert day_of_claim(waiting()) is None


def test_campaigns_are_one_source():
    """Each name would stay in the day's figures for good."""
    assert source_of(waiting(source="campaign:natale")) == "campaign"
    assert source_of(waiting(source="webhook:shopify")) == "webhook:shopify"
