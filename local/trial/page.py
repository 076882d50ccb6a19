"""A trial for a page: plain data in and out."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.trial.call import NotTried, call_of
from local.trial.facts import Trial
from local.trial.outcome import try_source
from openvoip_sms.webhooks.config.sources import load_sources
from openvoip_sms.webhooks.model import ANY_TOPIC, Source, Sources


def trial_of_orders(
    file: Path, secrets: Mapping[str, str]
) -> Callable[[dict[str, str]], dict[str, Any]]:
    """Return what answers `{source, body, headers, topic}`; `{}` asks which sources there are.

    The file is read anew each time, so that a person sees what an edit does. The answer raises a
    `ValueError` with a sentence for an order that cannot be tried, and for mistakes in the file.
    """

    def answer(order: dict[str, str]) -> dict[str, Any]:
        sources = load_sources(file.read_text("utf-8"), file.name)
        if not order:
            return {"sources": {name: _topics(source) for name, source in sources.items()}}
        source = source_named(order["source"], sources)
        body = order["body"].encode("utf-8", "surrogatepass")
        call = call_of(source, body, order.get("headers", ""), order.get("topic", ""))
        return _plain(try_source(source, call, secrets, datetime.now(UTC)))

    return answer


def source_named(name: str, sources: Sources) -> Source:
    """Look a source up.

    Raises:
        NotTried: naming those there are.
    """
    if name not in sources:
        raise NotTried(f"There is no source {name[:40]!r}. There are: {', '.join(sources)}.")
    return sources[name]


def _topics(source: Source) -> list[str]:
    """The topics to choose from where a header says which."""
    is_header = source.topic is not None and source.topic.kind == "header"
    return [topic for topic in source.messages if topic != ANY_TOPIC] if is_header else []


def _plain(trial: Trial) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(trial), default=str))
    return plain
