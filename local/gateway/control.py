"""The HTTP control of the gateway, for its page and for other processes."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

from local.gateway.answer import Answer
from local.gateway.faults import KINDS
from local.gateway.gateway import Gateway
from local.gateway.orders import BadOrder, NextOrder, read_faults, read_preview, read_secret

_PAGE = Path(__file__).with_name("page.html")
_CALL_ID = re.compile(r"[0-9]{1,15}")
_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src data:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'"
)


def control(gateway: Gateway, method: str, path: str, query: str, body: bytes) -> Answer:
    """The answer to a control call: bad input gets a sentence, never an exception."""
    route = _ROUTES.get((method, path))
    if route is None:
        return refusal(404, f"There is no {method} {path[:80]} here.")
    try:
        return route(gateway, query, body)
    except BadOrder as mistake:
        return refusal(400, str(mistake))


def refusal(status: int, sentence: str) -> Answer:
    return _json({"error": sentence}, status)


def _json(value: object, status: int = 200) -> Answer:
    return Answer(
        status,
        json.dumps(value).encode(),
        content_type="application/json",
        headers=(("Cache-Control", "no-store"),),
    )


def _page(_: Gateway, __: str, ___: bytes) -> Answer:
    headers = (("Cache-Control", "no-store"), ("Content-Security-Policy", _POLICY))
    return Answer(200, _PAGE.read_bytes(), headers=headers)


def _health(_: Gateway, __: str, ___: bytes) -> Answer:
    return _json({"status": "ok"})


def _calls(gateway: Gateway, query: str, _: bytes) -> Answer:
    return _json(gateway.state(_after(query)))


def _accepted(gateway: Gateway, query: str, _: bytes) -> Answer:
    calls = gateway.calls_after(_after(query))
    return _json({"accepted": [call.as_json() for call in calls if call.accepted]})


def _after(query: str) -> int:
    given = parse_qs(query, keep_blank_values=True).get("after", ["0"])[-1]
    if not _CALL_ID.fullmatch(given):
        raise BadOrder("`after` must be the id of a call, a whole number.")
    return int(given)


def _kinds(gateway: Gateway, _: str, __: bytes) -> Answer:
    kinds = {name: {"says": kind.says, "either": kind.either} for name, kind in KINDS.items()}
    return _json({"kinds": kinds, "faults": gateway.planned()})


def _set_faults(gateway: Gateway, _: str, body: bytes) -> Answer:
    order = read_faults(body)
    if isinstance(order, NextOrder):
        gateway.fail(order.fault, order.count, order.to)
    else:
        seed = gateway.seed if order.seed is None else order.seed
        gateway.fail_rate(order.rate, order.faults, seed)
    return _json({"faults": gateway.planned()})


def _clear_faults(gateway: Gateway, _: str, __: bytes) -> Answer:
    gateway.clear_faults()
    return _json({"faults": gateway.planned()})


def _rotate(gateway: Gateway, _: str, body: bytes) -> Answer:
    gateway.rotate_secret(read_secret(body))
    return _health(gateway, "", b"")


def _clear(gateway: Gateway, _: str, __: bytes) -> Answer:
    gateway.clear()
    return _health(gateway, "", b"")


def _sources(gateway: Gateway, _: str, __: bytes) -> Answer:
    return _tried(gateway, {})


def _try(gateway: Gateway, _: str, body: bytes) -> Answer:
    return _tried(gateway, read_preview(body))


def _tried(gateway: Gateway, order: dict[str, str]) -> Answer:
    if gateway.preview is None:
        return refusal(404, "This gateway runs alone, without a service that could be asked.")
    try:
        return _json(gateway.preview(order))
    except ValueError as mistake:
        raise BadOrder(str(mistake)) from None


_ROUTES: dict[tuple[str, str], Callable[[Gateway, str, bytes], Answer]] = {
    ("GET", "/"): _page,
    ("GET", "/health"): _health,
    ("GET", "/api/calls"): _calls,
    ("GET", "/api/accepted"): _accepted,
    ("GET", "/api/faults"): _kinds,
    ("POST", "/api/faults"): _set_faults,
    ("DELETE", "/api/faults"): _clear_faults,
    ("POST", "/api/secret"): _rotate,
    ("POST", "/api/clear"): _clear,
    ("GET", "/api/try"): _sources,
    ("POST", "/api/try"): _try,
}
