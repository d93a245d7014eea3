"""How the jars come and are checked: through jgo, from a Maven repository that the test serves."""

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from services.broker import jars
from services.broker.errors import BrokerError
from services.broker.lock import Jar

maven = pytest.importorskip("jgo.maven._core")

CONTENT = {"one": b"the first jar", "two": b"the second jar"}
LOCKED = [Jar("org.example", name, "1.0", hashlib.sha256(bytes_).hexdigest()) for name, bytes_ in CONTENT.items()]


class Repository:
    """A Maven repository on the loopback interface."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        handler = partial(_QuietHandler, directory=str(folder))
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def put(self, name: str, content: bytes) -> None:
        path = self.folder / "org" / "example" / name / "1.0" / f"{name}-1.0.jar"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    served = Repository(tmp_path / "repository")
    for name, content in CONTENT.items():
        served.put(name, content)
    monkeypatch.setitem(maven.DEFAULT_REMOTE_REPOS, "central", served.url)
    monkeypatch.setattr(jars, "read_lock", lambda: LOCKED)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield served
    served.close()


def test_jars_come_once_and_then_without_the_network(repository: Repository) -> None:
    assert jars.missing_jars() == LOCKED
    arrived: list[int] = []
    jars.download(jars.missing_jars(), arrived.append)
    assert arrived == [1, 1]
    repository.close()
    assert [path.read_bytes() for path in jars.fetch_jars()] == list(CONTENT.values())
    # Nothing else is left in the cache folder.
    assert len(list(jars.jars_folder().iterdir())) == len(LOCKED)


def test_a_jar_that_was_changed_in_the_cache_comes_anew(repository: Repository) -> None:
    first, _ = jars.fetch_jars()
    first.write_bytes(b"the first jam")
    assert jars.missing_jars() == LOCKED[:1]
    jars.fetch_jars()
    assert first.read_bytes() == CONTENT["one"]


def test_a_jar_that_arrives_with_a_changed_byte_is_refused(repository: Repository) -> None:
    repository.put("two", b"the second jam")
    with pytest.raises(BrokerError, match=r"two-1\.0\.jar.*SHA-256"):
        jars.fetch_jars()
    assert not (jars.jars_folder() / "two-1.0.jar").exists()


def test_without_the_network_the_error_says_so(repository: Repository) -> None:
    repository.close()
    with pytest.raises(BrokerError, match="network") as caught:
        jars.fetch_jars()
    assert "\n" not in caught.value.message
