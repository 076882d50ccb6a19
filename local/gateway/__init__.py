"""A stand-in for the openvoip gateway: what Mailpit is to mail, for SMS.

It checks each call as the gateway does, misbehaves when told to, keeps every call and shows what
the phones received. It shares no code with the service, so that neither can hide the other's fault.
"""

from local.gateway.faults import Fault
from local.gateway.ledger import Call
from local.gateway.running import LocalGateway

__all__ = ["Call", "Fault", "LocalGateway"]
