"""A message's id depends on its event and its name: not on where it stands, nor on its words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.webhooks.config.sources import SourcesInvalid
from openvoip_sms.webhooks.plan import plan_trusted
from tests.unit.webhooks.webhook_calls import NOW, json_call, preset

ORDER = {"id": 42, "phone": "333 1231234", "name": "#1042"}
HEADERS = {
    "X-Shopify-Shop-Domain": "bottega-esempio.myshopify.com",
    "X-Shopify-Topic": "orders/fulfilled",
    "X-Shopify-Event-Id": "event-1",
}
# Made of this event before messages had names: what it was sent for must not be sent again.
FIRST = "x:orders-fulfilled:esempio.myshopify.com-event-1:414d1c6eab04ad694df2"


def ids(*definitions):
    """The id of each message of the event, by its text."""
    shop = preset("shopify", messages={"orders/fulfilled": list(definitions)})
    found = plan_trusted(shop, json_call(ORDER, HEADERS), NOW).messages
    return {one.text: one.id for one in found}


def test_the_message_without_a_name_keeps_the_id_of_a_single_one():
    single = preset("shopify", messages={"orders/fulfilled": {"text": "a"}})
    [alone] = plan_trusted(single, json_call(ORDER, HEADERS), NOW).messages
    assert ids({"text": "a"}, {"name": "poi", "text": "b"}) == {
        "a": alone.id,
        "b": f"{alone.id}:poi",
    }
    assert alone.id == FIRST


def test_a_message_that_is_inserted_above_changes_no_other():
    before = ids({"text": "a"}, {"name": "poi", "text": "b"})
    after = ids({"name": "prima", "text": "c"}, {"text": "a"}, {"name": "poi", "text": "b"})
    assert {text: after[text] for text in before} == before
    assert after["c"] not in before.values()


def test_a_corrected_text_is_the_same_message():
    assert list(ids({"text": "pronto"}).values()) == list(ids({"text": "è pronto"}).values())


def test_the_number_of_its_place_as_a_name_keeps_the_id_that_a_second_message_had():
    found = ids({"text": "a"}, {"name": "2", "text": "b"})
    assert found == {"a": FIRST, "b": f"{FIRST}:2"}


@given(st.permutations(["", "uno", "due", "tre"]), st.sets(st.sampled_from(["uno", "due", "tre"])))
def test_no_order_and_no_neighbour_changes_an_id(order, left_out):
    def definitions(names):
        return [{"text": name or "-", **({"name": name} if name else {})} for name in names]

    everything = ids(*definitions(["", "uno", "due", "tre"]))
    some = ids(*definitions([name for name in order if name not in left_out]))
    assert some.items() <= everything.items()
    assert len(set(some.values())) == len(some)


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20))
def test_an_id_stays_short_and_whole_whatever_the_name(name):
    name = name.lstrip("-") or "a"
    shop = preset(
        "github",
        once="id",
        messages={"default": [{"text": "a"}, {"name": name, "text": "b"}]},
    )
    body = ORDER | {"id": "d" * 64}
    first, second = plan_trusted(shop, json_call(body, {"X-GitHub-Event": "t" * 99}), NOW).messages
    assert second.id.endswith(f":{name}")
    assert first.id.split(":")[-1] in second.id.split(":")
    assert len(second.id) <= 128


@pytest.mark.parametrize(
    ("names", "part"),
    [
        (
            ["", ""],
            "needs a name, as another message of this topic has none. Name the one that is new",
        ),
        (["a", "", ""], 'With name: "3" this one keeps ids that it had'),
        (["", "a", "a"], "is the name of another message"),
        (["", "Due"], "must be up to 20 of a-z 0-9 -"),
        (["", "a" * 21], "must be up to 20 of a-z 0-9 -"),
        (["", 2], "Put digits alone in quotes"),
    ],
)
def test_messages_that_could_be_taken_for_each_other_are_a_mistake(names, part):
    definitions = [{"text": "a", **({"name": name} if name else {})} for name in names]
    with pytest.raises(SourcesInvalid, match=r".") as invalid:
        ids(*definitions)
    assert part in str(invalid.value)


def test_a_message_alone_may_have_a_name_for_the_others_to_come():
    [only] = ids({"name": "uno", "text": "a"}).values()
    assert only.endswith(":uno")
