"""A topic that its sender does not have would never match a call."""

import pytest

from openvoip_sms.webhooks.config.sources import SourcesInvalid
from tests.unit.webhooks.webhook_calls import preset


@pytest.mark.parametrize(
    ("sender", "topic", "proposal"),
    [
        ("shopify", "order/fulfilled", "Did you mean orders/fulfilled?"),
        ("shopify", "orders/fullfilled", "Did you mean orders/fulfilled?"),
        ("shopify", "ORDERS_FULFILLED", "Did you mean orders/fulfilled?"),
        ("shopify", "orders.create", "Did you mean orders/create?"),
        ("shopify", "orders/canceled", "Did you mean orders/cancelled?"),
        ("shopify", "fulfillment/update", "Did you mean fulfillments/update?"),
        ("shopify", "spedizione", "It has orders/create, orders/paid, orders/fulfilled …"),
        ("woocommerce", "orders.updated", "Did you mean order.updated?"),
        ("woocommerce", "order/updated", "Did you mean order.updated?"),
        ("woocommerce", "order.update", "Did you mean order.updated?"),
        ("woocommerce", "order.completed", ""),
        ("typeform", "form-response", "Did you mean form_response?"),
        ("tally", "form_response", "Did you mean FORM_RESPONSE?"),
        ("github", "workflow-run", "Did you mean workflow_run?"),
        ("hubspot", "contact.propertychange", "Did you mean contact.propertyChange?"),
    ],
)
def test_a_topic_that_the_sender_does_not_have_is_a_mistake(sender, topic, proposal):
    with pytest.raises(SourcesInvalid) as invalid:
        preset(sender, messages={topic: {"text": "a"}})
    [mistake] = invalid.value.mistakes
    assert mistake.key == f"x.messages.{topic}"
    assert mistake.reason == f"{sender} has no such topic"
    assert mistake.proposal.startswith(proposal)


@pytest.mark.parametrize(
    ("sender", "topic"),
    [
        ("shopify", "orders/partially_fulfilled"),
        ("shopify", "fulfillment_orders/line_items_prepared_for_pickup"),
        ("shopify", "inventory_levels/update"),
        ("shopify", "customer.tags_added"),
        ("shopify", "default"),
        ("woocommerce", "order.restored"),
        ("woocommerce", "action.woocommerce_payment_complete"),
        ("woocommerce", "subscription.updated"),
        ("github", "secret_scanning_alert"),
        ("hubspot", "company.creation"),
        ("stripe", "checkout.session.completed"),
        ("svix", "whatever.they.say"),
    ],
)
def test_a_topic_that_the_sender_has_or_may_have_is_none(sender, topic):
    assert topic in preset(sender, messages={topic: {"text": "a"}}).messages


def test_a_source_may_know_a_topic_that_is_new():
    keys = {"messages": {"orders/gifted": {"text": "a"}}}
    assert preset("shopify", topics=["orders/gifted"], **keys)
    assert preset("shopify", topics=["orders/*"], **keys)
    assert preset("shopify", topic="body:kind", **keys)
    with pytest.raises(SourcesInvalid, match="must be a list of topics"):
        preset("shopify", topics="orders/gifted", **keys)
