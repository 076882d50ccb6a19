"""Records for tests, with defaults."""

from datetime import timedelta
from typing import Any

from openvoip_sms.rules.record import Record, Status
from openvoip_sms.rules.transitions import LEASE
from tests.fakes import START


def waiting(**fields: Any) -> Record:
    """A message that waits to be sent, with these fields changed."""
    defaults = {
        "id": "m-1",
        "status": Status.QUEUED,
        "to": "+393331234567",
        "text": "Ciao",
        "sender": "Bottega",
        "archive": True,
        "source": "api",
        "category": "transactional",
        "created_at": START,
        "updated_at": START,
        "expires_at": START + timedelta(hours=24),
        "valid_for": 86_400.0,
        "fingerprint": "f",
    }
    return Record(**defaults | fields)


def sending(**fields: Any) -> Record:
    """A message that a worker has claimed at the start."""
    claim = {"claim": "c-1", "claimed_until": START + LEASE, "check_at": START + LEASE}
    defaults: dict[str, Any] = {"status": Status.SENDING, "version": 2, "attempts": 1, **claim}
    return waiting(**defaults | fields)
