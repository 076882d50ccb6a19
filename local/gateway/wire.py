"""Sends an answer over a socket in its manner: the one place where faults touch the network.

A wait ends when the other side leaves or when our own server shuts the socket down, so that no
thread outlives the gateway.
"""

import socket
import struct
from collections.abc import Callable

from local.gateway.answer import Answer, Manner


def send(connection: socket.socket, answer: Answer) -> bool:
    """Whether the connection may serve another call; `OSError` when the other side is gone."""
    return _MANNERS[answer.manner](connection, answer)


def _whole(connection: socket.socket, answer: Answer) -> bool:
    connection.sendall(answer.head() + answer.body)
    return True


def _late(connection: socket.socket, answer: Answer) -> bool:
    return not _left(connection, answer.seconds) and _whole(connection, answer)


def _hang(connection: socket.socket, _: Answer) -> bool:
    _left(connection, None)
    return False


def _reset(connection: socket.socket, _: Answer) -> bool:
    # Lingering for zero seconds makes the coming close a reset instead of a goodbye.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def _close(_: socket.socket, __: Answer) -> bool:
    return False


def _cut_inside(connection: socket.socket, answer: Answer) -> bool:
    connection.sendall(answer.head() + answer.body[: len(answer.body) // 2])
    return False


def _cut_behind(connection: socket.socket, answer: Answer) -> bool:
    _whole(connection, answer)
    return False


def _drip_body(connection: socket.socket, answer: Answer) -> bool:
    connection.sendall(answer.head())
    return _drip(connection, answer.body, answer.seconds)


def _drip_all(connection: socket.socket, answer: Answer) -> bool:
    return _drip(connection, answer.head() + answer.body, answer.seconds)


def _drip(connection: socket.socket, data: bytes, seconds: float) -> bool:
    for position in range(len(data)):
        if _left(connection, seconds):
            return False
        connection.sendall(data[position : position + 1])
    return True


def _left(connection: socket.socket, seconds: float | None) -> bool:
    """Waits so long (`None`: for ever) and says whether the other side left meanwhile."""
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


_MANNERS: dict[Manner, Callable[[socket.socket, Answer], bool]] = {
    Manner.WHOLE: _whole,
    Manner.LATE: _late,
    Manner.HANG: _hang,
    Manner.RESET: _reset,
    Manner.CLOSE: _close,
    Manner.CUT_INSIDE: _cut_inside,
    Manner.CUT_BEHIND: _cut_behind,
    Manner.DRIP_BODY: _drip_body,
    Manner.DRIP_ALL: _drip_all,
}
