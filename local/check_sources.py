"""`make check-sources`: reports every mistake in a sources file, or lists its sources."""

import sys
from pathlib import Path

from openvoip_sms.webhooks.config.sources import SourcesInvalid, load_sources
from openvoip_sms.webhooks.model import Source

SOURCES = "functions/webhooks/sources.yaml"
EXAMPLES = "functions/webhooks/sources.examples.yaml"
OWN_SOURCES = "functions/webhooks/sources.local.yaml"  # git ignores it


def own_sources() -> str:
    """The firm's own file, if there is one; else the one that comes with the project."""
    return OWN_SOURCES if Path(OWN_SOURCES).exists() else SOURCES


def main(file: str = "", secrets: str = "") -> int:
    """Check `file` (empty: the firm's own), and its secrets against those names, if given."""
    file = file or own_sources()
    held = {name.strip() for name in secrets.split(",")} if secrets else None
    try:
        sources = load_sources(Path(file).read_text("utf-8"), file, held)
    except (OSError, UnicodeDecodeError, SourcesInvalid) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(map(_described, sources.values())))
    needed = sorted({name for source in sources.values() for name in source.auth.secrets})
    print(f"{file}: no mistakes. The webhook secret must hold: {', '.join(needed)}")
    return 0


def _described(source: Source) -> str:
    return f"/webhooks/{source.name}: {source.auth.kind}, {', '.join(source.messages)}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
