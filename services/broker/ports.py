"""Which ports of the loopback interface the broker listens on."""

import random
import socket

from services.broker.errors import BrokerError

LOOPBACK = "127.0.0.1"

# Below the range from which systems give ports to outgoing connections (32768 and up on Linux, 49152 and up
# elsewhere). From that range, a client that reconnects while the broker is down could be given the very port that
# it calls, answer itself, and keep the broker from coming back.
_FREE_RANGE = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Return `count` different ports that nothing listens on at the moment."""
    ports: list[int] = []
    for port in random.sample(_FREE_RANGE, len(_FREE_RANGE)):
        if len(ports) == count:
            return ports
        if is_free(port):
            ports.append(port)
    raise BrokerError(f"no {count} free ports from {_FREE_RANGE.start} to {_FREE_RANGE.stop - 1}")


def is_free(port: int) -> bool:
    """Return whether a server could listen on this port of the loopback interface now."""
    with socket.socket() as probe:
        # As Java does: connections of a former broker that are still closing are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
