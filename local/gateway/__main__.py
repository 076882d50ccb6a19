"""`python -m local.gateway`: the local gateway as a program of its own.

It prints one JSON line with its two addresses when it is ready; SIGTERM or SIGINT ends it.
"""

import argparse
import json
import signal
import sys

from local.gateway.local_gateway import LOOPBACK, LocalGateway
from local.gateway.reply_forms import FORMS


def main() -> None:
    """Listen until a signal comes."""
    options = _options()
    ends = {signal.SIGTERM, signal.SIGINT}
    # Blocked before the first thread starts, so that only `sigwait` receives them.
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    try:
        with LocalGateway(**vars(options)) as gateway:
            print(json.dumps({"url": gateway.url, "page": gateway.page_url}), flush=True)
            signal.sigwait(ends)
    except (OSError, OverflowError) as refused:
        sys.exit(f"Cannot listen on {options.host}:{options.port}: {refused}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.gateway", description=__doc__)
    add = parser.add_argument
    add("--host", default=LOOPBACK, help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=0, help="0: any free one (default)")
    add("--call-group", default="9999", help="id_call_gr (default: %(default)s)")
    add(
        "--secret",
        default="local-secret",
        help="signs the calls (default: %(default)s)",
    )
    add("--credit", type=int, help="messages that may be sent (default: unlimited)")
    add("--seed", type=int, default=0, help="of a fault rate without its own seed")
    add("--reply-form", choices=FORMS, default="mixed", help="default: %(default)s")
    add("--encode-destination-twice", action="store_true", help="as some accounts need")
    return parser.parse_args()


if __name__ == "__main__":
    main()
