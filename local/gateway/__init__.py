"""A stand-in for the openvoip gateway: what Mailpit is to mail, for SMS.

It checks each call as the gateway does, injects faults on request, logs every call and shows what
the phones received. It shares no code with the service, so that neither can hide the other's error.
"""

from local.gateway.call_log import LoggedCall
from local.gateway.faults import Fault
from local.gateway.local_gateway import LocalGateway

__all__ = ["Fault", "LocalGateway", "LoggedCall"]
