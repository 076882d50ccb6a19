"""`make pause` and `make resume`: all sending stops, or goes on, on every way in."""

import sys
from datetime import datetime
from typing import Any

from local.own_stack import NoStack
from local.service_call import NotDone, call
from local.set_secret import own_stack_or_local
from openvoip_sms.rules.rome import ROME

USAGE = 'Say which: make pause REASON="wrong text" BY=Anna, or make resume BY=Anna'
_CHECK = "Look with GET /sending whether it was changed, or repeat the command."


def main(word: str = "", reason: str = "", by: str = "", stack: str = "") -> int:
    if word not in ("pause", "resume"):
        print(USAGE, file=sys.stderr)
        return 2
    asked: dict[str, Any] = {"paused": word == "pause"}
    asked |= {name: value for name, value in (("reason", reason), ("by", by)) if value}
    try:
        found = own_stack_or_local(stack)
        shown = call(found, ("PUT", "/sending"), asked, check=_CHECK)
    except (NoStack, NotDone) as error:
        print(error, file=sys.stderr)
        return 1
    print(in_words(shown, found.name))
    return 0


def in_words(shown: dict[str, Any], stack: str) -> str:
    """Say in one or two sentences what is true now."""
    if shown["paused"]:
        by = f" by {shown['by']}" if "by" in shown else ""
        why = f": {shown['reason']}" if "reason" in shown else ""
        return (
            f"Sending of {stack} has been paused since {_time(shown['since'])}{by}{why}.\n"
            "Within 10 seconds nothing is sent any more; messages are accepted and wait for "
            "make resume."
        )
    brake = shown["brake"]
    if brake["state"] == "open":
        return f"Sending of {stack} is on; what waited for it is sent now."
    return (
        f"Sending of {stack} is on, but the gateway's answers have been unclear since "
        f"{_time(brake['since'])}.\nMessages wait until it answers clearly, and then go by "
        "themselves."
    )


def _time(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(ROME):%d/%m/%Y %H:%M} (Rome)"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
