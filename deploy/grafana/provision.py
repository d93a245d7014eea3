"""Writes the dashboards that Grafana is provisioned with: `python -m deploy.grafana.provision`."""

import json
from pathlib import Path
from typing import Any

from deploy.grafana.internals import internals
from deploy.grafana.overview import overview
from deploy.grafana.quality import quality

FOLDER = Path(__file__).with_name("dashboards")


def files() -> dict[Path, str]:
    """Return what each file of a dashboard holds."""
    made: list[dict[str, Any]] = [overview(), quality(), internals()]
    return {
        FOLDER / f"{one['uid'].removeprefix('onrecord-')}.json": json.dumps(one, indent=2, sort_keys=True) + "\n"
        for one in made
    }


if __name__ == "__main__":
    for path, content in files().items():
        path.write_text(content, encoding="utf-8")
