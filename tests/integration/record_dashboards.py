"""Records what the dashboards show of a worker at work, for the pictures in docs/pictures:

    python -m tests.integration.record_dashboards 15

A real Kafka, a worker with the real reading, and a real Prometheus; samples of the demo as traffic, broken ones among
them, for so many minutes. Every panel's queries go over that time into dist/dashboards.json; deploy/grafana/draw.py
draws it. Needs Debian's package prometheus.
"""

import asyncio
import itertools
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.broker import Cluster
from services.cli.demo import SAMPLES
from tests.chaos.harness import ROOT, Arena
from tests.chaos.scenarios import REAL
from tests.integration.prometheus import Prometheus, running
from tests.unit.deploy.promql import DASHBOARDS, filled_in, panels

PHASES = ((0.3, 1.0), (0.2, 8.0), (0.3, 2.0), (0.2, 0.5))
"""Share of the time, and articles a second in it: quiet, more than it can read, busy, quiet."""
BROKEN_EVERY = 15
POINTS = 120
"""Of a line."""
SETTINGS = {
    "ONRECORD_CHILDREN": "2",
    # As by default: the arena's own are short, for tests of what happens when they are over.
    "ONRECORD_SESSION_TIMEOUT_SECONDS": "45",
    "ONRECORD_ARTICLE_DEADLINE_SECONDS": "30",
    "ONRECORD_REBALANCE_TIMEOUT_SECONDS": "60",
    "ONRECORD_CHILD_START_SECONDS": "600",
}
RECORD = ROOT / "dist" / "dashboards.json"


def traffic() -> Iterator[tuple[str, bytes]]:
    """Yield samples without end, each under an id of its own."""
    samples = [json.loads(path.read_bytes()) for path in sorted(SAMPLES.glob("*[!n].json"))]
    for number, sample in enumerate(itertools.cycle(samples)):
        if number % BROKEN_EVERY == BROKEN_EVERY - 1:
            yield f"poison-{number}", b"{"
        name = f"{sample['article_id']}-{number}"
        yield name, json.dumps(sample | {"article_id": name}).encode()


def record(prometheus: Prometheus, began: float) -> dict[str, Any]:
    """Return each dashboard with the answers to its queries from `began` until now, by the id of the panel."""
    ended = time.time()
    over = {"start": str(began), "end": str(ended), "step": str((ended - began) / POINTS)}

    def answer(query: str) -> Any:
        return prometheus.get("query_range", query=filled_in(query, interval="1m"), **over)["result"]

    return {
        name: {
            "dashboard": dashboard,
            "answers": {
                panel["id"]: [answer(target["expr"]) for target in panel["targets"]] for panel in panels(dashboard)
            },
        }
        for name, dashboard in DASHBOARDS.items()
    }


async def work(bootstrap: str, folder: Path, seconds: float) -> dict[str, Any]:
    """Let a worker work for so long, and return what was recorded of it."""
    arena = Arena(bootstrap, folder, SETTINGS, reader=REAL)
    await arena.make_topics()
    worker = await arena.start_worker()
    try:
        line = await worker.said("metrics and health on", seconds=600)
        with running(folder, line["message"].rpartition("//")[2]) as prometheus:
            await prometheus.until("onrecord_partitions > 0", seconds=600)
            began, articles = time.time(), traffic()
            for share, rate in PHASES:
                number = max(1, round(share * seconds * rate))
                await arena.send(itertools.islice(articles, number), rate=rate)
            return await asyncio.to_thread(record, prometheus, began)
    finally:
        await arena.stop_workers()


if __name__ == "__main__":
    if shutil.which("prometheus") is None:
        sys.exit("prometheus (Debian package prometheus) is not installed")
    with tempfile.TemporaryDirectory() as place, Cluster(Path(place) / "kafka") as cluster:
        minutes = float(sys.argv[1]) if sys.argv[1:] else 15.0
        recorded = asyncio.run(work(cluster.bootstrap, Path(place), 60 * minutes))
    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text(json.dumps(recorded), encoding="utf-8")
