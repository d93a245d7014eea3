"""The lock of the jars."""

import re
from pathlib import Path

import pytest

from services.broker.errors import BrokerError
from services.broker.lock import KAFKA_VERSION, Jar, read_lock, sha256_of, write_lock


def test_the_committed_lock_holds_kafka_and_a_sum_for_every_jar() -> None:
    jars = read_lock()
    versions = {f"{jar.group}:{jar.artifact}": jar.version for jar in jars}
    for artifact in ("kafka_2.13", "kafka-tools", "kafka-clients", "kafka-storage"):
        assert versions[f"org.apache.kafka:{artifact}"] == KAFKA_VERSION
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in jars)
    # They lie in one folder.
    assert len({jar.file_name for jar in jars}) == len(jars)


def test_what_is_written_is_read_back_sorted(tmp_path: Path) -> None:
    jars = [Jar("b.group", "two", "2.0", "f" * 64), Jar("a.group", "one", "1.0", "0" * 64)]
    write_lock(jars, tmp_path / "lock")
    assert read_lock(tmp_path / "lock") == sorted(jars)


@pytest.mark.parametrize("line", ["only-one-word", "group:artifact 00", "group:artifact:1:extra 00", "g:a:1 00 11"])
def test_a_damaged_lock_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "lock").write_text(f"# a comment\n{line}\n")
    with pytest.raises(BrokerError, match="line 2"):
        read_lock(tmp_path / "lock")


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "some-1.0.jar"
    path.write_bytes(b"as released")
    jar = Jar("group", "some", "1.0", sha256_of(path))
    assert jar.matches(path)
    path.write_bytes(b"as releases")
    assert not jar.matches(path)
    path.unlink()
    assert not jar.matches(path)
