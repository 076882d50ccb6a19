"""A fake of the openvoip gateway for this machine, as Mailpit is for mail.

It checks each call as the gateway does, injects faults on request, logs every call and shows what
the phones received. It shares no code with the service, so that neither hides the other's errors.
"""

from local.gateway.call_log import LoggedCall
from local.gateway.faults import Fault
from local.gateway.local_gateway import LocalGateway

__all__ = ["Fault", "LocalGateway", "LoggedCall"]
