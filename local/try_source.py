"""`make try-source SOURCE=… BODY=…`: shows what a payload would cause; nothing is sent."""

import argparse
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from local.check_sources import EXAMPLES, own_sources
from local.deployed_stack import WEBHOOK_SECRETS
from local.preview import CannotPreview, Preview, as_text, preview_call, sample_call
from local.preview.page_data import source_named
from local.processes import ROOT
from local.set_secret import asker
from openvoip_sms.webhooks.config.sources import load_sources
from openvoip_sms.webhooks.model import Source

ASK = "ask"
USAGE = """\
Say what to try: make try-source SOURCE=shopify BODY=order.json
BODY is a file with the body as it was sent, or an event of API Gateway (events/*.json)."""


def previewed(options: argparse.Namespace) -> Preview:
    """Preview the call of the options.

    Raises:
        OSError: a file cannot be read.
        ValueError: with a sentence, for a call without a preview.
    """
    if not (options.source and options.body):
        raise ValueError(USAGE)
    sources = load_sources(Path(options.sources).read_text("utf-8"), options.sources)
    try:
        source = source_named(options.source, sources)
    except CannotPreview as error:
        raise CannotPreview(f"{error}{_as_example(options.source)}") from None
    headers = Path(options.headers).read_text("utf-8", "replace") if options.headers else ""
    call = sample_call(source, Path(options.body).read_bytes(), headers, options.topic)
    return preview_call(source, call, _secrets(source, options.secret), datetime.now(UTC))


def _as_example(name: str) -> str:
    """A hint for one of the examples, none of which is active."""
    examples = load_sources((ROOT / EXAMPLES).read_text("utf-8"), EXAMPLES)
    return f" Copy {name} from {EXAMPLES}, or add SOURCES={EXAMPLES}." if name in examples else ""


def _secrets(source: Source, secret: str) -> Mapping[str, str]:
    if secret == ASK:
        [secret] = asker()(["Secret (not shown): "])
    return dict.fromkeys(source.auth.secrets, secret) if secret else WEBHOOK_SECRETS


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.try_source", description=__doc__)
    add = parser.add_argument
    add("source", help="its name in the sources file")
    add("body", help="file: the body as it was sent, or an event of API Gateway (events/*.json)")
    add("--headers", help="file: lines `Name: value`, the request line may come first")
    add("--topic", default="", help="where a header says it and no headers are given")
    add("--sources", default=own_sources(), help="default: %(default)s")
    add(
        "--secret",
        default=os.environ.get("SECRET", ""),
        help="default: SECRET, else a local one; `ask`: asks",
    )
    return parser.parse_args()


def main() -> int:
    options = _options()
    try:
        preview = previewed(options)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(as_text(preview))
    if preview.authentic is False and not options.secret:
        print("\nChecked with the secrets of `make local`; SECRET=ask asks for another.")
    print("\nNothing was sent. Limits and test mode are not considered here.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
