"""Write units as the documentation of DynamoDB counts them, over the template's own indexes."""

import pytest

from tests.write_units import Unit, item_size, write_units

QUEUED = {
    "id": {"S": "m-1"},
    "to": {"S": "+393331234567"},
    "created_at": {"S": "2026-11-25T09:30:00.000Z"},
    "status_shard": {"S": "queued#7"},
    "check_shard": {"S": "7"},
    "check_at": {"S": "2026-11-25T09:45:00.000Z"},
}
HELD = QUEUED | {"hold_shard": {"S": "paused#7"}, "segments": {"N": "1"}}


def indexed(old, new):
    return [unit for unit in write_units("m-1", old, new) if unit.where != "table"]


def without(item, *names):
    return {name: value for name, value in item.items() if name not in names}


def test_a_new_item_costs_one_unit_and_one_for_each_index_whose_keys_it_has():
    assert write_units("m-1", None, QUEUED) == [
        Unit("table", "m-1"),
        Unit("by_recipient", "+393331234567"),
        Unit("by_status", "queued#7"),
        Unit("by_check", "7"),
    ]


def test_a_changed_key_costs_one_unit_in_each_partition():
    after = QUEUED | {"status_shard": {"S": "sent#7"}}
    assert indexed(QUEUED, after) == [Unit("by_status", "queued#7"), Unit("by_status", "sent#7")]
    later = QUEUED | {"check_at": {"S": "2026-11-25T09:46:00.000Z"}}
    assert indexed(QUEUED, later) == [Unit("by_check", "7")] * 2


def test_an_entry_that_ends_costs_one_unit():
    assert indexed(QUEUED, without(QUEUED, "check_at")) == [Unit("by_check", "7")]


def test_of_other_attributes_only_the_projected_ones_cost_an_index_a_unit():
    assert indexed(HELD, HELD | {"text": {"S": "Ciao"}}) == []
    assert indexed(HELD, HELD | {"segments": {"N": "2"}}) == [Unit("by_hold", "paused#7")]
    assert indexed(QUEUED, QUEUED | {"segments": {"N": "2"}}) == []


@pytest.mark.parametrize(("size", "units"), [(1024, 1), (1025, 2), (2049, 3)])
def test_each_started_kilobyte_of_the_larger_item_is_a_unit(size, units):
    large = {"id": {"S": "m" * (size - 2)}}
    assert item_size(large) == size
    assert len(write_units("m", large, {"id": {"S": "m"}})) == units
    assert len(write_units("m", None, large)) == units


def test_a_refused_write_costs_the_units_of_the_item_that_it_leaves():
    assert write_units("m-1", QUEUED, QUEUED) == [Unit("table", "m-1")]


def test_sizes_of_values():
    item = {
        "città": {"S": "è"},  # bytes of UTF-8
        "n": {"N": "-1200.50"},  # five significant digits
        "list": {"L": [{"M": {"by": {"S": "x"}}}]},
        "set": {"SS": ["ab", "c"]},
        "yes": {"BOOL": True},
    }
    assert item_size(item) == (6 + 2) + (1 + 5) + (4 + 3 + 1 + 3 + 1 + 2 + 1) + (3 + 3) + (3 + 1)
