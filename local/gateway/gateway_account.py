"""The customer's account at the local gateway: caller group, secret and credit."""

import enum
import hmac
import re
from dataclasses import dataclass
from typing import Self

from local.gateway.php import read_query, signature, urldecode

# National numbers in Italy have 6 to 11 digits (E.164 entry for 39).
_ITALIAN = re.compile(rb"(?:\+|00)39[0-9]{6,11}")


class CallVerdict(enum.Enum):
    """The gateway's decision on a call, by its reply code."""

    ACCEPTED = "000"
    BAD_DESTINATION = "020"
    GENERIC = "099"
    SECURITY = "security"


@dataclass(frozen=True, slots=True)
class SmsRequest:
    """The parameters of one call, decoded, as bytes."""

    sender: bytes
    text: bytes
    destination: bytes
    group: bytes
    archive: bytes
    verify: bytes

    @classmethod
    def from_query(cls, query: bytes, *, destination_twice: bool) -> Self:
        values = read_query(query)
        destination = values.get("sms_destination", b"")
        return cls(
            sender=values.get("sms_sender", b""),
            text=values.get("sms_text", b""),
            destination=urldecode(destination) if destination_twice else destination,
            group=values.get("id_call_gr", b""),
            archive=values.get("archivia", b""),
            verify=values.get("verify", b""),
        )


class GatewayAccount:
    """A caller group with its secret and its prepaid messages (`None`: unlimited)."""

    def __init__(self, call_group: str, secret: str, credit: int | None = None) -> None:
        self._group = call_group.encode()
        self._secret = secret.encode()
        self._full_credit = credit
        self.credit = credit

    def rotate_secret(self, new: str) -> None:
        """From now on only the new secret is valid."""
        self._secret = new.encode()

    def refill(self) -> None:
        self.credit = self._full_credit

    def charge(self) -> None:
        if self.credit is not None:
            self.credit -= 1

    def is_signed(self, request: SmsRequest) -> bool:
        """Whether `verify` is the signature of this request with our secret."""
        expected = signature(
            request.sender, request.text, request.destination, self._secret, request.group
        )
        return hmac.compare_digest(expected, request.verify)

    def check(self, request: SmsRequest) -> CallVerdict:
        """Check caller, number and credit, in that order: an unsigned call learns nothing else."""
        if request.group != self._group or not self.is_signed(request):
            return CallVerdict.SECURITY
        if not _ITALIAN.fullmatch(request.destination):
            return CallVerdict.BAD_DESTINATION
        if self.credit is not None and self.credit < 1:
            return CallVerdict.GENERIC
        return CallVerdict.ACCEPTED
