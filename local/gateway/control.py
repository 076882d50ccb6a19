"""The control API of the local gateway, for its page and for other processes."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

from local.gateway.control_requests import (
    BadControlRequest,
    NextFaults,
    read_faults,
    read_preview,
    read_secret,
)
from local.gateway.faults import KINDS
from local.gateway.gateway_core import GatewayCore
from local.gateway.gateway_response import GatewayResponse

_PAGE = Path(__file__).with_name("page.html")
_CALL_ID = re.compile(r"[0-9]{1,15}")
_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src data:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'"
)


def control(
    gateway: GatewayCore, method: str, path: str, query: str, body: bytes
) -> GatewayResponse:
    """Answer a control request; bad input is answered 400 with a sentence."""
    route = _ROUTES.get((method, path))
    if route is None:
        return error_response(404, f"There is no {method} {path[:80]} here.")
    try:
        return route(gateway, query, body)
    except BadControlRequest as mistake:
        return error_response(400, str(mistake))


def error_response(status: int, sentence: str) -> GatewayResponse:
    return _json({"error": sentence}, status)


def _json(value: object, status: int = 200) -> GatewayResponse:
    return GatewayResponse(
        status,
        json.dumps(value).encode(),
        content_type="application/json",
        headers=(("Cache-Control", "no-store"),),
    )


def _page(_: GatewayCore, __: str, ___: bytes) -> GatewayResponse:
    headers = (("Cache-Control", "no-store"), ("Content-Security-Policy", _POLICY))
    return GatewayResponse(200, _PAGE.read_bytes(), headers=headers)


def _health(_: GatewayCore, __: str, ___: bytes) -> GatewayResponse:
    return _json({"status": "ok"})


def _calls(gateway: GatewayCore, query: str, _: bytes) -> GatewayResponse:
    return _json(gateway.state(_after(query)))


def _accepted(gateway: GatewayCore, query: str, _: bytes) -> GatewayResponse:
    calls = gateway.calls_after(_after(query))
    return _json({"accepted": [call.as_json() for call in calls if call.accepted]})


def _after(query: str) -> int:
    given = parse_qs(query, keep_blank_values=True).get("after", ["0"])[-1]
    if not _CALL_ID.fullmatch(given):
        raise BadControlRequest("`after` must be the id of a call, a whole number.")
    return int(given)


def _faults(gateway: GatewayCore, _: str, __: bytes) -> GatewayResponse:
    kinds = {
        name: {"description": kind.description, "selectable": kind.selectable}
        for name, kind in KINDS.items()
    }
    return _json({"kinds": kinds, "faults": gateway.faults_to_come()})


def _set_faults(gateway: GatewayCore, _: str, body: bytes) -> GatewayResponse:
    wanted = read_faults(body)
    if isinstance(wanted, NextFaults):
        gateway.fail(wanted.fault, wanted.count, wanted.to)
    else:
        seed = gateway.seed if wanted.seed is None else wanted.seed
        gateway.fail_rate(wanted.rate, wanted.faults, seed)
    return _json({"faults": gateway.faults_to_come()})


def _clear_faults(gateway: GatewayCore, _: str, __: bytes) -> GatewayResponse:
    gateway.clear_faults()
    return _json({"faults": gateway.faults_to_come()})


def _rotate(gateway: GatewayCore, _: str, body: bytes) -> GatewayResponse:
    gateway.rotate_secret(read_secret(body))
    return _health(gateway, "", b"")


def _clear(gateway: GatewayCore, _: str, __: bytes) -> GatewayResponse:
    gateway.clear()
    return _health(gateway, "", b"")


def _sources(gateway: GatewayCore, _: str, __: bytes) -> GatewayResponse:
    return _previewed(gateway, {})


def _preview(gateway: GatewayCore, _: str, body: bytes) -> GatewayResponse:
    return _previewed(gateway, read_preview(body))


def _previewed(gateway: GatewayCore, request: dict[str, str]) -> GatewayResponse:
    if gateway.preview is None:
        return error_response(404, "This gateway runs without the service, so there is no preview.")
    try:
        return _json(gateway.preview(request))
    except ValueError as mistake:
        raise BadControlRequest(str(mistake)) from None


_ROUTES: dict[tuple[str, str], Callable[[GatewayCore, str, bytes], GatewayResponse]] = {
    ("GET", "/"): _page,
    ("GET", "/health"): _health,
    ("GET", "/api/calls"): _calls,
    ("GET", "/api/accepted"): _accepted,
    ("GET", "/api/faults"): _faults,
    ("POST", "/api/faults"): _set_faults,
    ("DELETE", "/api/faults"): _clear_faults,
    ("POST", "/api/secret"): _rotate,
    ("POST", "/api/clear"): _clear,
    ("GET", "/api/try"): _sources,
    ("POST", "/api/try"): _preview,
}
