"""The settings that the rules depend on."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Policy:
    """Parameters of the template, read once."""

    default_sender: str
    allowed_senders: frozenset[str] = frozenset()  # besides the default; `*` allows any
    archive: bool = True
    live: bool = False
    test_recipients: frozenset[str] = frozenset()
    resend_unknown: bool = False
    validity: timedelta = timedelta(hours=24)
    max_segments: int = 4  # 0: no limit but the standard's
    daily_segment_limit: int = 1000  # 0: none
    segment_price_eur: Decimal = Decimal("0.09")
    store_text: bool = True

    def allows_sender(self, sender: str) -> bool:
        return (
            sender == self.default_sender
            or sender in self.allowed_senders
            or "*" in self.allowed_senders
        )

    def allows_recipient(self, number: str) -> bool:
        """In test mode only the firm's own numbers get an SMS."""
        return self.live or number in self.test_recipients
