"""`python -m tests.benchmarks.plot`: draws what lies in dist/bench for docs/; what was not measured is not drawn.

The service and its rivals, latency by load, and speed beside quality of the reading.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from tests.benchmarks.rounds import RESULTS, ROOT

DOCS = ROOT / "docs"
LEFT, WIDTH, ROW = 260, 380, 34
"""Pixels of a bar chart: room for names, length of the longest bar, height of a row."""
BOX = (70, 50, 560, 300)
"""Pixels of a chart: left, top, width and height of the part between the axes."""
COLOURS = ("#c1440e", "#2a6f97", "#4f772d", "#7b2d8b", "#b8860b", "#555555")

Points = Sequence[tuple[float, float]]


def bars(title: str, values: Mapping[str, float]) -> str:
    """Return a bar chart as SVG."""
    longest = max(values.values())
    rows = []
    for number, (name, value) in enumerate(values.items()):
        top = 40 + number * ROW
        length = WIDTH * value / longest
        rows += [
            _text(LEFT - 10, top + 17, name, "end"),
            f'<rect x="{LEFT}" y="{top}" width="{length:.1f}" height="24" fill="{COLOURS[min(number, 1)]}"/>',
            _text(LEFT + length + 6, top + 17, f"{value:.3f}"),
        ]
    return _svg(title, LEFT + WIDTH + 70, 50 + len(values) * ROW, rows)


def chart(title: str, across: str, up: str, series: Mapping[str, Points]) -> str:
    """Return lines, or dots where a series is one point, as SVG.

    The axis across is logarithmic, the other from 0 to 100. Lines are named beside the chart, dots beside themselves.
    """
    left, top, width, height = BOX
    values = [x for points in series.values() for x, _ in points]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))

    def at(x: float, y: float) -> tuple[float, float]:
        share = (math.log10(x) - low) / max(1, high - low)
        return round(left + width * share, 1), round(top + height * (1 - y / 100), 1)

    rows = [f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="none" stroke="#999"/>']
    rows += [
        _text(at(10**power, 0)[0], top + height + 20, f"{10**power:,}", "middle") for power in range(low, high + 1)
    ]
    rows += [_text(left - 8, at(1, y)[1] + 5, str(y), "end") for y in range(0, 101, 20)]
    rows += [_text(left, top - 8, up), _text(left + width, top + height + 42, across, "end")]
    for number, (name, points) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        if len(points) == 1:
            x, y = at(*points[0])
            rows.append(f'<circle cx="{x}" cy="{y}" r="6" fill="{colour}"/>')
            rows.append(_text(x + 10, y + 5, name) if x < left + width / 2 else _text(x - 10, y + 5, name, "end"))
        else:
            line = " ".join(f"{x},{y}" for x, y in (at(*point) for point in points))
            rows.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
            rows.append(_text(left + width + 12, top + 16 + 20 * number, name, colour=colour))
    return _svg(title, left + width + 190, top + height + 60, rows)


def _text(x: float, y: float, words: str, anchor: str = "start", colour: str = "black") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'


def _svg(title: str, width: int, height: int, rows: Iterable[str]) -> str:
    body = "\n".join(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
        f'font-size="14">\n<rect width="100%" height="100%" fill="white"/>\n'
        f'<text x="10" y="24" font-weight="bold">{escape(title)}</text>\n{body}\n</svg>\n'
    )


def service(results: Mapping[str, Any]) -> str:
    """Return the picture of tests/benchmarks/service.py."""
    values = {name: row["cpu_seconds_an_article"] for name, row in results["candidates"].items()}
    return bars("Processor seconds an article (less is better)", values)


def latency(results: Mapping[str, Any]) -> str:
    """Return the picture of tests/benchmarks/latency.py: which share of the articles was through after how long."""
    rows = {"read alone, no Kafka": results["alone_ms"], **results["latencies_ms"]}
    series = {
        name: [(ms, 100 * (number + 1) / len(row)) for number, ms in enumerate(sorted(row))]
        for name, row in rows.items()
    }
    return chart("Latency by load", "milliseconds from raw event to committed output", "% of articles", series)


def alternatives(results: Mapping[str, Any]) -> str:
    """Return the picture of tests/benchmarks/alternatives.py; what finds no quotes lies at the bottom.

    There is none where the annotated articles were not at hand.
    """
    if not results["f1"]:
        return ""
    scores = {name: score["all"] for name, score in results["f1"].items()}
    series = {name: [(speed, scores.get(name, 0.0))] for name, speed in results["words_a_second"].items()}
    return chart("Quotes: speed and quality", "words a second on one core", "end-to-end F1", series)


PICTURES = {
    "service": (service, "performance.svg"),
    "latency": (latency, "latency.svg"),
    "alternatives": (alternatives, "alternatives.svg"),
}
"""By the name of the results: what draws them, and the file in docs."""


def main(results: Path = RESULTS, pictures: Path = DOCS) -> None:
    """Draw what is in `results`."""
    for name, (draw, picture) in PICTURES.items():
        found = results / f"{name}.json"
        if found.exists() and (drawn := draw(json.loads(found.read_text()))):
            (pictures / picture).write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
