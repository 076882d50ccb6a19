"""A preview for a page: plain data in and out."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.preview.evaluate import preview_call
from local.preview.preview_model import Preview
from local.preview.sample_call import CannotPreview, sample_call
from openvoip_sms.webhooks.config.sources import load_sources
from openvoip_sms.webhooks.model import ANY_TOPIC, Source, Sources
from openvoip_sms.webhooks.phone_lookup import PhoneLookup


def preview_handler(
    sources_file: Callable[[], Path], secrets: Mapping[str, str]
) -> Callable[[dict[str, str]], dict[str, Any]]:
    """Return a handler of `{source, body, headers, topic}`; `{}` lists the sources.

    The file is found and read for each call, so that an edit takes effect at once. The handler
    raises a `ValueError` with a sentence for a call without a preview, and for mistakes in the
    file.
    """

    def handle(request: dict[str, str]) -> dict[str, Any]:
        file = sources_file()
        sources = load_sources(file.read_text("utf-8"), file.name)
        if not request:
            return {"sources": {name: _topics(source) for name, source in sources.items()}}
        source = source_named(request["source"], sources)
        body = request["body"].encode("utf-8", "surrogatepass")
        call = sample_call(source, body, request.get("headers", ""), request.get("topic", ""))
        return _plain(preview_call(source, call, secrets, datetime.now(UTC)))

    return handle


def source_named(name: str, sources: Sources) -> Source:
    """Look a source up.

    Raises:
        CannotPreview: with the names that exist.
    """
    if name not in sources:
        raise CannotPreview(f"There is no source {name[:40]!r}. There are: {', '.join(sources)}.")
    return sources[name]


def _topics(source: Source) -> list[str]:
    """The topics to choose from, where the topic is in a header."""
    is_header = source.topic is not None and source.topic.kind == "header"
    return [topic for topic in source.messages if topic != ANY_TOPIC] if is_header else []


def _plain(preview: Preview) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(preview, default=_as_json))
    return plain


def _as_json(value: Any) -> Any:  # noqa: ANN401 - any field's value
    if isinstance(value, PhoneLookup):
        return {"path": value.path, "value": value.value, "detail": value.detail}
    if dataclasses.is_dataclass(value):
        return {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
    return str(value)
