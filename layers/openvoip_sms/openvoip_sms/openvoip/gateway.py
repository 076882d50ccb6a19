"""The port `Gateway`: credentials from the account's secret, one call at a time."""

from dataclasses import dataclass, replace

from openvoip_sms.delivery.ports import Sms
from openvoip_sms.openvoip.account import AccountSecret, OpenvoipAccount, read_account
from openvoip_sms.openvoip.client import OpenvoipClient
from openvoip_sms.rules.call_result import CallOutcome, CallResult

_PROBE = Sms(sender="probe", text="probe", to="+390000000000", archive=False)


@dataclass(frozen=True, slots=True)
class OpenvoipGateway:
    """Implements the delivery's `Gateway`."""

    client: OpenvoipClient
    secret: AccountSecret

    def credentials(self, *, refresh: bool = False) -> OpenvoipAccount:
        return read_account(self.secret, refresh=refresh)

    def send(self, sms: Sms, credentials: OpenvoipAccount) -> CallResult:
        return self.client.send(sms, credentials)

    def probe(self, credentials: OpenvoipAccount) -> bool:
        """Make a call whose signature is wrong: a healthy gateway refuses it, and sends nothing.

        The number is none that a network has.
        """
        wrong = replace(credentials, secret=f"{credentials.secret} wrong on purpose")
        reply = self.client.send(_PROBE, wrong)
        return reply.outcome is CallOutcome.BAD_CREDENTIALS
