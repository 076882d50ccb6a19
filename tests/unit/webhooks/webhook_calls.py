"""Calls as senders make them, for the tests of the webhook engine."""

import base64
import hmac
import json
from datetime import UTC, datetime

from openvoip_sms.webhooks.config.sources import load_sources
from openvoip_sms.webhooks.request import WebhookRequest

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def source(yaml, name="x"):
    """The only source of a file; keys are indented under its name."""
    lines = "\n".join("  " + line for line in yaml.strip("\n").splitlines())
    return load_sources(f"{name}:\n{lines}\n", "sources.yaml")[name]


def preset(name, **keys):
    """A source with nothing but a preset, a secret, a path and a text."""
    extra = "\n".join(f"{key}: {json.dumps(value)}" for key, value in keys.items())
    message = "" if "messages" in keys or "message" in keys else "message: {text: ciao}"
    to = "" if "to" in keys else "to: phone"
    return source(f"preset: {name}\nsecrets: [key]\n{to}\n{message}\n{extra}")


def call(body=b"{}", headers=(), *, query=(), method="POST", url="https://sms.example.it/hook"):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    pairs = headers.items() if isinstance(headers, dict) else headers
    return WebhookRequest(method, url, tuple(pairs), tuple(query), raw)


def json_call(body, headers=(), **more):
    pairs = dict(headers) | {"Content-Type": "application/json"}
    return call(body, pairs, **more)


def base64_hmac(key, text, algorithm="sha256"):
    return base64.b64encode(hmac.digest(_raw(key), _raw(text), algorithm)).decode()


def hex_hmac(key, text, algorithm="sha256"):
    return hmac.digest(_raw(key), _raw(text), algorithm).hex()


def _raw(text):
    return text if isinstance(text, bytes) else text.encode()
