"""Whether a broker is ready for clients."""

import socket
import struct

from services.broker.ports import LOOPBACK

_FIND_COORDINATOR = 10
_VERSION = 1
_GROUP, _TRANSACTION = 0, 1
_NOT_YET = frozenset({14, 15, 16})
"""COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR; any other code is an answer,
a refusal by an authoriser too."""


def is_ready(port: int, timeout_seconds: float = 5) -> bool:
    """Return whether the broker on this port of the loopback interface knows its coordinators.

    The question makes Kafka create the internal topics of consumer groups and of transactions, for which it needs
    as many brokers as their replication factor. So a yes says that requests are served, that the metadata is known,
    that enough brokers have joined, and that a client will not meet error 15 on a cluster that nobody has used yet.
    """
    try:
        with socket.create_connection((LOOPBACK, port), timeout_seconds) as connection:
            return all(_coordinator_is_known(connection, kind) for kind in (_GROUP, _TRANSACTION))
    except OSError:
        return False


def _coordinator_is_known(connection: socket.socket, kind: int) -> bool:
    """Ask for one coordinator in Kafka's protocol: FindCoordinator v1, whose layout the protocol guide gives."""
    name = b"onrecord"
    header = struct.pack(f">hhih{len(name)}s", _FIND_COORDINATOR, _VERSION, 0, len(name), name)
    body = struct.pack(f">h{len(name)}sb", len(name), name, kind)
    connection.sendall(struct.pack(">i", len(header) + len(body)) + header + body)
    (length,) = struct.unpack(">i", _read(connection, 4))
    # Correlation id and throttle time stand before the error code.
    (error_code,) = struct.unpack_from(">h", _read(connection, length), 8)
    return error_code not in _NOT_YET


def _read(connection: socket.socket, size_bytes: int) -> bytes:
    answer = bytearray()
    while len(answer) < size_bytes:
        part = connection.recv(size_bytes - len(answer))
        if not part:
            raise ConnectionError("the broker closed the connection")
        answer += part
    return bytes(answer)
