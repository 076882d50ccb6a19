"""An event that is too old causes nothing, and the answer says why."""

import json

from tests.integration.webhooks.proxy_events import call
from tests.integration.webhooks.sources import SOURCES
from tests.unit.webhooks.webhook_calls import base64_hmac


def test_an_old_event_sends_nothing_and_the_answer_says_why(service, tmp_path):
    aged = SOURCES.replace(
        "preset: shopify\n", "preset: shopify\n  max_age: P30D\n  event_time: created_at\n"
    )
    (tmp_path / "sources.yaml").write_text(aged, "utf-8")
    body = json.dumps({"phone": "+393331231234", "name": "#7", "created_at": "2020-01-01"})
    headers = {
        "X-Shopify-Hmac-Sha256": base64_hmac("shop-secret", body),
        "X-Shopify-Topic": "orders/create",
    }
    answer = service.webhook(call("shopify", body, headers))
    assert (answer.status, answer.body) == (200, {"reason": "too_old", "messages": []})
    assert service.records() == []
