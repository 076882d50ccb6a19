"""Sends a response over a socket in its mode: the only place where faults use the network.

A wait ends when the client closes the connection or the server shuts the socket down, so that no
thread outlives the local gateway.
"""

import socket
import struct
from collections.abc import Callable

from local.gateway.gateway_response import GatewayResponse, SendMode


def send(connection: socket.socket, response: GatewayResponse) -> bool:
    """Whether the connection may serve another call; `OSError` when the client is gone."""
    return _SENDERS[response.mode](connection, response)


def _whole(connection: socket.socket, response: GatewayResponse) -> bool:
    connection.sendall(response.head() + response.body)
    return True


def _late(connection: socket.socket, response: GatewayResponse) -> bool:
    return not _client_disconnected(connection, response.seconds) and _whole(connection, response)


def _hang(connection: socket.socket, _: GatewayResponse) -> bool:
    _client_disconnected(connection, None)
    return False


def _reset(connection: socket.socket, _: GatewayResponse) -> bool:
    # SO_LINGER of zero seconds turns the close that follows into a reset.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def _close(_: socket.socket, __: GatewayResponse) -> bool:
    return False


def _cut_inside(connection: socket.socket, response: GatewayResponse) -> bool:
    connection.sendall(response.head() + response.body[: len(response.body) // 2])
    return False


def _cut_behind(connection: socket.socket, response: GatewayResponse) -> bool:
    _whole(connection, response)
    return False


def _drip_body(connection: socket.socket, response: GatewayResponse) -> bool:
    connection.sendall(response.head())
    return _drip(connection, response.body, response.seconds)


def _drip_all(connection: socket.socket, response: GatewayResponse) -> bool:
    return _drip(connection, response.head() + response.body, response.seconds)


def _drip(connection: socket.socket, data: bytes, seconds: float) -> bool:
    for position in range(len(data)):
        if _client_disconnected(connection, seconds):
            return False
        connection.sendall(data[position : position + 1])
    return True


def _client_disconnected(connection: socket.socket, seconds: float | None) -> bool:
    """Wait for `seconds` (`None`: for ever); return whether the client disconnected meanwhile."""
    if seconds == 0:
        return False
    connection.settimeout(seconds)
    try:
        connection.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return False
    finally:
        connection.settimeout(None)
    return True


_SENDERS: dict[SendMode, Callable[[socket.socket, GatewayResponse], bool]] = {
    SendMode.WHOLE: _whole,
    SendMode.LATE: _late,
    SendMode.HANG: _hang,
    SendMode.RESET: _reset,
    SendMode.CLOSE: _close,
    SendMode.CUT_INSIDE: _cut_inside,
    SendMode.CUT_BEHIND: _cut_behind,
    SendMode.DRIP_BODY: _drip_body,
    SendMode.DRIP_ALL: _drip_all,
}
