"""What only the API's function needs."""

import time
from functools import cache

from openvoip_sms.adapters.resolutions import DynamoResolutions
from openvoip_sms.adapters.secret_reader import NamedSecrets
from openvoip_sms.delivery.resolutions import Resolver
from openvoip_sms.delivery.switch import Switch
from openvoip_sms.web.admin_access import AdminAccess
from openvoip_sms.web.messages_api import MessagesApi
from openvoip_sms.web.resolutions_api import ResolutionsApi
from openvoip_sms.web.sending_api import SendingApi
from openvoip_sms.web.usage_api import UsageApi
from openvoip_sms.wiring import core, sending, settings


@cache
def admin_access() -> AdminAccess:
    return AdminAccess(NamedSecrets(core.secret("ADMIN_SECRET_ARN"), time.monotonic))


@cache
def messages_api() -> MessagesApi:
    return MessagesApi(
        sending.api_intake(), core.lists(), sending.manual_actions(), core.public_url()
    )


@cache
def sending_api() -> SendingApi:
    return SendingApi(Switch(core.control(), sending.waker(), core.telemetry(), core.clock))


@cache
def usage_api() -> UsageApi:
    return UsageApi(core.usage(), core.clock)


@cache
def resolutions_api() -> ResolutionsApi:
    return ResolutionsApi(
        Resolver(
            _resolutions(),
            core.lists(),
            core.store(),
            core.enqueuer(),
            core.usage(),
            core.telemetry(),
            core.policy(),
            core.clock,
        )
    )


@cache
def _resolutions() -> DynamoResolutions:
    table, retention = core.env().required("TABLE_NAME"), settings.retention(core.env())
    return DynamoResolutions(core.client("dynamodb"), table, retention, core.new_id)
