"""Objects over a socket between this worker and its own children: eight bytes of length, then a pickle.

Pickle is safe here and only here: both ends are processes that this worker started, over sockets that have no name.
"""

import asyncio
import pickle
import socket
import struct
from typing import Any

_LENGTH = struct.Struct("!Q")


def encode(thing: object) -> bytes:
    """Return the frame that carries `thing`."""
    body = pickle.dumps(thing, protocol=pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


def send(connection: socket.socket, thing: object) -> None:
    """Send `thing`, waiting until the kernel has taken it all; raises OSError when the other end is gone."""
    connection.sendall(encode(thing))


def receive(connection: socket.socket) -> Any:
    """Wait for one frame and return what it carries; raises EOFError when the other end is gone."""
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    return pickle.loads(_exactly(connection, length))  # noqa: S301 (see the module's docstring)


async def read(stream: asyncio.StreamReader) -> Any:
    """Return what the next frame carries; raises EOFError when the other end is gone."""
    (length,) = _LENGTH.unpack(await stream.readexactly(_LENGTH.size))
    return pickle.loads(await stream.readexactly(length))  # noqa: S301 (see the module's docstring)


def _exactly(connection: socket.socket, length: int) -> bytes:
    data = bytearray(length)
    view = memoryview(data)
    filled = 0
    while filled < length:
        received = connection.recv_into(view[filled:])
        if not received:
            raise EOFError
        filled += received
    return bytes(data)
