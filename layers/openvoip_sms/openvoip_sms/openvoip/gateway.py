"""The port `Gateway`: credentials from the account's secret, one call at a time."""

from dataclasses import dataclass

from openvoip_sms.delivery.ports import Sms
from openvoip_sms.openvoip.account import AccountSecret, OpenvoipAccount, read_account
from openvoip_sms.openvoip.client import OpenvoipClient
from openvoip_sms.rules.call_result import CallResult


@dataclass(frozen=True, slots=True)
class OpenvoipGateway:
    """Implements the delivery's `Gateway`."""

    client: OpenvoipClient
    secret: AccountSecret

    def credentials(self, *, refresh: bool = False) -> OpenvoipAccount:
        return read_account(self.secret, refresh=refresh)

    def send(self, sms: Sms, credentials: OpenvoipAccount) -> CallResult:
        return self.client.send(sms, credentials)
