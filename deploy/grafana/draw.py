# /// script
# requires-python = ">=3.11"
# dependencies = ["matplotlib>=3.9,<4", "pillow>=10"]
# ///
"""Draws the dashboards with what tests/integration/record_dashboards.py has recorded, as Grafana would lay them out:

    uv run deploy/grafana/draw.py dist/dashboards.json docs/pictures

It has its own requirement, at the top of the file, so that nobody else has to install a library for drawing.
"""

import json
import math
import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.figure import Figure
from PIL import Image

COLUMNS = 24
COLUMN_INCHES, ROW_INCHES = 0.62, 0.36
RESOLUTION, PALETTE = 80, 64
"""Dots an inch, and colours."""
LEGEND_ENTRIES = 12
"""More would leave no room for the lines; Grafana scrolls."""
COLOURS = {"green": "#3f8f4f", "yellow": "#b8860b", "red": "#c4162a", "blue": "#1f60c4"}
STYLE = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#b0b0b0",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=mpl.color_sequences["tab20"][::2] + mpl.color_sequences["tab20"][1::2]),
    "grid.color": "#e8e8e8",
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
}

Panel = Mapping[str, Any]
Answers = list[list[dict[str, Any]]]


def amount(value: float, unit: str) -> str:
    """Return a number with its unit, as short as Grafana writes it."""
    if unit == "percentunit":
        return f"{value:.0%}" if value == 0 or abs(value) >= 0.01 else f"{value:.2%}"
    if unit == "s":
        return f"{value * 1000:.3g} ms" if abs(value) < 1 else f"{value:.3g} s"
    steps = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)) if unit == "bytes" else (("Mil", 1e6), ("K", 1e3))
    for name, size in steps:
        if abs(value) >= size:
            return f"{value / size:.3g} {name}"
    return f"{value:.3g}"


def lines(axes: Axes, panel: Panel, answers: Answers) -> None:
    """Draw a line a series, or the series on top of each other."""
    custom = panel["fieldConfig"]["defaults"].get("custom", {})
    drawn = [
        (legend(target["legendFormat"], one["metric"]), dict(points(one)))
        for target, answer in zip(panel["targets"], answers, strict=True)
        for one in answer
    ]
    moments = sorted({moment for _, values in drawn for moment in values})
    if custom.get("stacking", {}).get("mode") == "normal":
        rows = [[values.get(moment, 0.0) for moment in moments] for _, values in drawn]
        axes.stackplot(moments, rows, labels=[name for name, _ in drawn], alpha=0.7, linewidth=0)
    else:
        for name, values in drawn:
            axes.plot(list(values), list(values.values()), label=name, linewidth=1.2)
    most = panel["fieldConfig"]["defaults"].get("max")
    axes.set_ylim(bottom=0, top=most)
    unit = panel["fieldConfig"]["defaults"].get("unit", "short")
    axes.yaxis.set_major_formatter(lambda value, _: amount(value, unit))
    tell_time(axes)
    if drawn:
        handles, names = axes.get_legend_handles_labels()
        axes.legend(
            handles[:LEGEND_ENTRIES], names[:LEGEND_ENTRIES], ncols=3, frameon=False, fontsize=7,
            loc="upper left", bbox_to_anchor=(-0.05, -0.1), columnspacing=1, handlelength=1,
        )  # fmt: skip


def number(axes: Axes, panel: Panel, answers: Answers) -> None:
    """Write the last value, in the colour that its size has."""
    defaults = panel["fieldConfig"]["defaults"]
    values = [value for one in answers[0] for _, value in points(one)]
    colour = "blue"
    if values:
        for step in defaults["thresholds"]["steps"]:
            if step.get("value") is None or values[-1] >= step["value"]:
                colour = step["color"]
    text = amount(values[-1], defaults.get("unit", "short")) if values else "-"
    axes.set_axis_off()
    axes.text(0.5, 0.45, text, fontsize=22, color=COLOURS[colour], ha="center", va="center", transform=axes.transAxes)


def heat(axes: Axes, panel: Panel, answers: Answers) -> None:
    """Draw how many values lie in each bucket; those of Prometheus hold all that is less, too."""
    buckets = sorted(((float(one["metric"]["le"]), dict(points(one))) for one in answers[0]), key=lambda each: each[0])
    moments = sorted({moment for _, values in buckets for moment in values})
    if len(moments) > 1:
        counts = [[values.get(moment, 0.0) for moment in moments] for _, values in buckets]
        inside = [counts[0], *([b - a for a, b in zip(*two, strict=True)] for two in pairwise(counts))]
        edges = range(len(buckets))
        axes.pcolormesh(moments, edges, [[max(0.0, x) for x in row] for row in inside], cmap="Blues", shading="nearest")
        axes.set_yticks(edges, ["∞" if math.isinf(le) else f"{le:g}" for le, _ in buckets])
    axes.grid(visible=False)
    tell_time(axes)


def table(axes: Axes, panel: Panel, answers: Answers) -> None:
    """Write the labels of each series."""
    hidden = panel["transformations"][0]["options"]["excludeByName"]
    rows = [{name: value for name, value in one["metric"].items() if name not in hidden} for one in answers[0]]
    lines_of_text = ["\n".join(f"{name}: {value}" for name, value in sorted(row.items())) for row in rows]
    axes.set_axis_off()
    axes.text(0, 0.85, "\n\n".join(lines_of_text), va="top", family="monospace", fontsize=7, transform=axes.transAxes)


DRAW: dict[str, Callable[[Axes, Panel, Answers], None]] = {
    "timeseries": lines,
    "stat": number,
    "heatmap": heat,
    "table": table,
}


def tell_time(axes: Axes) -> None:
    """Label the lower axis with hours and minutes, as many as have room."""
    axes.xaxis.set_major_locator(AutoDateLocator(maxticks=5))
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M"))


def points(series: dict[str, Any]) -> list[tuple[datetime, float]]:
    """Return moments and values of a series, without those that are no number."""
    pairs = ((datetime.fromtimestamp(at, UTC), float(value)) for at, value in series["values"])
    return [(moment, value) for moment, value in pairs if not math.isnan(value)]


def legend(form: str, labels: Mapping[str, str]) -> str:
    """Return the name of a series: Grafana puts the labels into double braces."""
    return re.sub(r"{{(\w+)}}", lambda found: labels.get(found[1], ""), form)


def picture(dashboard: Panel, answers: Mapping[str, Answers]) -> Figure:
    """Return a dashboard as a figure, its panels where Grafana puts them."""
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"])
    size = (COLUMNS * COLUMN_INCHES, (rows + 1) * ROW_INCHES)
    figure = Figure(figsize=size, facecolor="white")
    figure.text(0.01, 1 - 0.5 / (rows + 1), dashboard["title"], fontsize=13, weight="bold", va="center")
    for panel in dashboard["panels"]:
        place = {key: panel["gridPos"].get(key, 0) for key in "xywh"}
        top = 1 - (place["y"] + 1) / (rows + 1)
        if panel["type"] == "row":
            figure.text(0.01, top - 0.5 / (rows + 1), panel["title"], fontsize=11, color="#555555", va="center")
            continue
        # Room for the title above, the legend below, and the numbers at the left.
        left, right = (place["x"] + 1.3) / COLUMNS, (place["x"] + place["w"] - 0.3) / COLUMNS
        below = 2.2 if panel["type"] == "timeseries" else 0.8
        bottom, height = top - (place["h"] - below) / (rows + 1), (place["h"] - below - 1) / (rows + 1)
        axes = figure.add_axes((left, bottom, right - left, height))
        axes.set_title(panel["title"])
        DRAW[panel["type"]](axes, panel, answers[str(panel["id"])])
    return figure


if __name__ == "__main__":
    recorded = json.loads(Path(sys.argv[1]).read_bytes())
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        for name, one in recorded.items():
            drawn = BytesIO()
            picture(one["dashboard"], one["answers"]).savefig(drawn, dpi=RESOLUTION)
            # With so few colours it is a third of the size.
            Image.open(drawn).convert("RGB").quantize(PALETTE).save(folder / f"{name}.png", optimize=True)
