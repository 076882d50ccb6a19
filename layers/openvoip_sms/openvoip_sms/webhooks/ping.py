"""The one unsigned call that is accepted: WooCommerce's ping when a webhook is created.

It expects 200, or the shop's admin page shows an error. Any other unsigned call is refused.
"""

import re

from openvoip_sms.webhooks.model import Source
from openvoip_sms.webhooks.request import WebhookRequest

_FORM = "application/x-www-form-urlencoded"
_WEBHOOK_ID = re.compile(rb"webhook_id=[0-9]{1,20}")


def is_ping(source: Source, request: WebhookRequest) -> bool:
    """Return whether it is that ping: only a webhook number, without signature and topic."""
    topic = source.topic
    return (
        source.ping == "woocommerce"
        and request.header(source.auth.place.name) is None
        and (topic is None or request.header(topic.name) is None)
        and request.media_type == _FORM
        and _WEBHOOK_ID.fullmatch(request.body) is not None
    )
