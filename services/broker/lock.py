"""Which jars the broker is made of: Kafka's dependencies, resolved once and locked by their SHA-256 sums.

`python -m services.broker.lock` resolves them anew from Maven's central repository and writes kafka.lock.
"""

import hashlib
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from services.broker.errors import BrokerError

KAFKA_VERSION = "4.3.1"
COORDINATES = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    f"org.apache.kafka:kafka-tools:{KAFKA_VERSION}",
    # The last of the 1.7 line, which is the line of the slf4j-api that Kafka asks for; it logs to stderr.
    "org.slf4j:slf4j-simple:1.7.36",
)
LOCK_FILE = Path(__file__).with_name("kafka.lock")

_HEADER = f"""\
# The jars of Apache Kafka {KAFKA_VERSION} and its command-line tools: group:artifact:version, SHA-256.
# Written by `python -m services.broker.lock`.
"""


@dataclass(frozen=True, order=True)
class Jar:
    """One locked jar: its Maven coordinates and the SHA-256 sum of its bytes, in hexadecimal."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The name under which Maven repositories hold it."""
        return f"{self.artifact}-{self.version}.jar"

    def matches(self, path: Path) -> bool:
        """Return whether the file at `path` is there and holds the locked bytes."""
        return path.is_file() and sha256_of(path) == self.sha256


def read_lock(path: Path = LOCK_FILE) -> list[Jar]:
    """Return the locked jars in the order of the file. Raises BrokerError on a line that is not one."""
    jars = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if line.startswith("#") or not line:
            continue
        try:
            coordinates, sha256 = line.split()
            group, artifact, version = coordinates.split(":")
        except ValueError:
            raise BrokerError(f"{path}, line {number}: not 'group:artifact:version sha256'") from None
        jars.append(Jar(group, artifact, version, sha256))
    return jars


def write_lock(jars: Iterable[Jar], path: Path = LOCK_FILE) -> None:
    """Write the jars, sorted, so that a change of one version is a change of one line."""
    lines = (f"{jar.group}:{jar.artifact}:{jar.version} {jar.sha256}\n" for jar in sorted(jars))
    path.write_text(_HEADER + "".join(lines), "utf-8")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 sum of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def resolve() -> list[Jar]:
    """Resolve the coordinates and all they depend on, download every jar and return it with its sum.

    What is not a plain jar (a classifier, another packaging) would need more columns: ValueError.
    """
    import jgo  # noqa: PLC0415 -- an optional package
    from jgo.maven import MavenContext  # noqa: PLC0415

    jars = []
    with tempfile.TemporaryDirectory() as folder:
        context = MavenContext(repo_cache=Path(folder))
        for found in jgo.resolve("+".join(COORDINATES)):
            if found.classifier or found.packaging != "jar":
                raise ValueError(f"{found} is not a plain jar")
            component = context.project(found.groupId, found.artifactId).at_version(found.version)
            sha256 = sha256_of(component.artifact().resolve())
            jars.append(Jar(found.groupId, found.artifactId, found.version, sha256))
    return jars


if __name__ == "__main__":
    write_lock(resolve())
    sys.exit()
