"""A message as API and queue read it: by the moment it was asked for, and by what is known."""

from datetime import datetime

from openvoip_sms.delivery.ports import Store
from openvoip_sms.rules.message import InvalidMessage, Message, parse_message
from openvoip_sms.rules.policy import Policy


def parse_asked(
    given: object, policy: Policy, *, now: datetime, asked_at: datetime, store: Store
) -> Message:
    """Parse a message, whose `send_at` may have passed if its id was taken up in time.

    May raise `StoreUnavailable`.

    Raises:
        InvalidMessage: it breaks a rule.
    """
    try:
        return parse_message(given, policy, now, asked_at)
    except InvalidMessage as invalid:
        if not invalid.is_only_late or not _is_known(given, store):
            raise
    return parse_message(given, policy, now)


def _is_known(given: object, store: Store) -> bool:
    record_id = given.get("id") if isinstance(given, dict) else None
    return isinstance(record_id, str) and store.get(record_id) is not None
