import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from services.enricher import logs

log = logging.getLogger("services.enricher.test")


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[dict[str, object]]]]:
    """What has been logged so far, line by line."""
    root = logging.getLogger()
    before = root.handlers, root.level, {name: logging.getLogger(name).level for name in logs.NOISY}
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    logs.setup("INFO")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers, root.level = before[:2]
    for name, level in before[2].items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(False)


def test_a_line_is_json_with_time_level_and_logger(written: Callable[[], list[dict[str, object]]]) -> None:
    log.info("%d children are ready", 2)
    (line,) = written()
    assert datetime.fromisoformat(str(line.pop("time"))).utcoffset() == timedelta(0)
    assert line == {"level": "INFO", "logger": "services.enricher.test", "message": "2 children are ready"}


def test_a_line_about_a_message_says_where_it_is(written: Callable[[], list[dict[str, object]]]) -> None:
    log.warning("refused", extra=logs.place("news.article.raw.v1", 3, 42, "0af7651916cd43dd8448eb211c80319c"))
    log.warning("refused", extra=logs.place("news.article.raw.v1", 3, 43))
    first, second = written()
    assert first["topic"] == "news.article.raw.v1"
    assert (first["partition"], first["offset"]) == (3, 42)
    assert first["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert "trace_id" not in second


def test_a_traceback_stays_on_its_line(written: Callable[[], list[dict[str, object]]]) -> None:
    log.error("failed", exc_info=ValueError("x"))
    (line,) = written()
    assert "ValueError" in str(line["exc_info"])


def test_noisy_libraries_are_heard_from_warnings_on(written: Callable[[], list[dict[str, object]]]) -> None:
    for name in logs.NOISY:
        logging.getLogger(name).info("chatter")
        logging.getLogger(name).warning("trouble")
    assert [line["message"] for line in written()] == ["trouble"] * len(logs.NOISY)


def test_warnings_are_logged(written: Callable[[], list[dict[str, object]]]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("careful", UserWarning, stacklevel=1)
    assert written()[-1]["logger"] == "py.warnings"
