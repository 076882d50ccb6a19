"""What only the API's function needs."""

from functools import cache

from openvoip_sms.web.messages_api import MessagesApi
from openvoip_sms.wiring import core, sending


@cache
def messages_api() -> MessagesApi:
    return MessagesApi(
        sending.api_intake(), core.lists(), sending.manual_actions(), core.public_url()
    )
