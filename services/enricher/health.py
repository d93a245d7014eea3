"""The worker's own small web server: /metrics for Prometheus, /livez and /readyz for whoever runs it.

It has a thread of its own, so that it answers when the event loop does not: that is when it matters.
"""

import json
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder


class State:
    """Which parts of the worker are ready. Any thread may set it and ask."""

    def __init__(self, parts: Iterable[str]) -> None:
        self._lock = threading.Lock()
        self._missing = dict.fromkeys(parts, "not started")

    def ready(self, part: str) -> None:
        """Part is there."""
        with self._lock:
            self._missing.pop(part, None)

    def unready(self, part: str, why: str) -> None:
        """Part is not there, or no longer."""
        with self._lock:
            self._missing[part] = why

    def missing(self) -> dict[str, str]:
        """Return why each part that is not ready is not; empty when the worker is ready."""
        with self._lock:
            return dict(self._missing)


class HealthServer:
    """Serves the three pages from a background thread while it is entered as a context.

    `problems` returns what makes the worker unfit to live, an empty list when nothing does; a thread of the server
    calls it. Port 0 takes any free port.
    """

    def __init__(
        self, host: str, port: int, registry: CollectorRegistry, state: State, problems: Callable[[], list[str]]
    ) -> None:
        pages = {
            "/livez": lambda: _verdict("problems", problems()),
            "/readyz": lambda: _verdict("missing", state.missing()),
        }

        class Handler(_Handler):
            """Knows this server's pages."""

        Handler.registry = registry
        Handler.pages = pages
        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _verdict(name: str, faults: Any) -> tuple[int, bytes]:
    """Return the HTTP status and body for what is at fault, if anything is."""
    status, word = (503, "failing") if faults else (200, "ok")
    return status, json.dumps({"status": word, name: faults}).encode()


class _Handler(BaseHTTPRequestHandler):
    registry: CollectorRegistry
    pages: dict[str, Callable[[], tuple[int, bytes]]]
    timeout = 10  # seconds; a client that sends nothing must not hold a thread for ever

    def do_GET(self) -> None:
        """Answer one of the three pages."""
        path = self.path.partition("?")[0]
        if path == "/metrics":
            encode, content_type = choose_encoder(self.headers.get("Accept", ""))
            self._answer(200, encode(self.registry), content_type)
        elif page := self.pages.get(path):
            self._answer(*page(), "application/json")
        else:
            self._answer(404, b"/metrics, /livez or /readyz\n", "text/plain; charset=utf-8")

    do_HEAD = do_GET  # noqa: N815 (http.server asks for this name)

    def _answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def version_string(self) -> str:
        """Say nothing about versions."""
        return "onrecord"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name of the overridden one)
        """Log no requests: probes and scrapes come every few seconds."""
