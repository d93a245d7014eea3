"""The broker's jars on this machine: downloaded once into the user's cache folder, and checked at every use."""

import os
import ssl
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from services.broker.errors import BrokerError
from services.broker.folders import cache_folder
from services.broker.lock import KAFKA_VERSION, Jar, read_lock

_DOWNLOADS = 8
"""At once: most jars are small, so that the round trips cost more than the bytes."""
_DOWNLOAD_TIMEOUT_SECONDS = 15
_ATTEMPTS = 3
"""A download that breaks off is tried again; one of 92 is likely to on a poor line."""


def jars_folder() -> Path:
    """Return the folder that holds the jars on this machine."""
    return cache_folder() / f"kafka-{KAFKA_VERSION}"


def fetch_jars() -> list[Path]:
    """Return the paths of all locked jars, having downloaded those that are missing or damaged.

    The network is not touched when none is. Raises BrokerError as `download` does.
    """
    if missing := missing_jars():
        download(missing)
    return [jars_folder() / jar.file_name for jar in read_lock()]


def missing_jars() -> list[Jar]:
    """Return the locked jars that are not on this machine, or not with the locked SHA-256 sum."""
    return [jar for jar in read_lock() if not jar.matches(jars_folder() / jar.file_name)]


def download(jars: list[Jar], advance: Callable[[int], None] = lambda arrived: None) -> None:
    """Download jars, check them and put them into their folder; `advance(1)` is called for each that has come.

    Raises BrokerError when a jar cannot be downloaded, or does not have the locked SHA-256 sum.
    """
    folder = jars_folder()
    folder.mkdir(parents=True, exist_ok=True)
    # Into a folder of this process, then moved in one step: a start that is interrupted, or that runs beside
    # another one, never leaves half a jar under its final name.
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix="incoming-") as incoming,
        ThreadPoolExecutor(_DOWNLOADS) as threads,
        _trust_of_the_system(),
    ):
        try:
            for jar, path in threads.map(lambda jar: (jar, _download_one(jar, Path(incoming))), jars):
                path.replace(folder / jar.file_name)
                advance(1)
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise


def _download_one(jar: Jar, incoming: Path) -> Path:
    try:
        from jgo.maven import MavenContext  # noqa: PLC0415 -- an optional package
        from requests import RequestException  # noqa: PLC0415 -- comes with it
    except ModuleNotFoundError:
        raise BrokerError(
            "Kafka's jars are not here yet, and what downloads them is missing: pip install 'onrecord[broker]'"
        ) from None

    failure: Exception | None = None
    for attempt in range(_ATTEMPTS):
        # A repository of its own for each attempt: jgo takes half a file of the last one for a whole one.
        repository = MavenContext(repo_cache=incoming / f"{jar.sha256}-{attempt}", timeout=_DOWNLOAD_TIMEOUT_SECONDS)
        try:
            path = repository.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
        except (OSError, RuntimeError, RequestException) as error:
            failure = error
            continue
        if not jar.matches(path):
            raise BrokerError(f"{jar.file_name} as downloaded does not have the SHA-256 sum locked for it")
        return Path(path)
    raise BrokerError(f"cannot download {jar.file_name}: is the network there?", str(failure))


@contextmanager
def _trust_of_the_system() -> Iterator[None]:
    """Let downloads trust the certificates that the operating system trusts, as pip does.

    `requests`, under jgo, brings its own list, which lacks the authority of a company's proxy. It heeds these
    variables, so one that is set already is left alone.
    """
    system = ssl.get_default_verify_paths().cafile
    if system is None or "REQUESTS_CA_BUNDLE" in os.environ or "CURL_CA_BUNDLE" in os.environ:
        yield
        return
    os.environ["REQUESTS_CA_BUNDLE"] = system
    try:
        yield
    finally:
        del os.environ["REQUESTS_CA_BUNDLE"]
