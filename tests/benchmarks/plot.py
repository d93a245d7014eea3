"""`python -m tests.benchmarks.plot`: the service and its rivals as bars, in docs/performance.svg."""

import json
from html import escape
from pathlib import Path

from tests.benchmarks.rounds import RESULTS, ROOT

LEFT, WIDTH, ROW = 260, 380, 34
"""Pixels: room for names, length of the longest bar, height of a row."""


def bars(title: str, values: dict[str, float]) -> str:
    """Return a bar chart as SVG."""
    longest = max(values.values())
    rows = [f'<text x="10" y="24" font-weight="bold">{escape(title)}</text>']
    for number, (name, value) in enumerate(values.items()):
        top = 40 + number * ROW
        length = WIDTH * value / longest
        colour = "#2a6f97" if number else "#c1440e"
        rows += [
            f'<text x="{LEFT - 10}" y="{top + 17}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{LEFT}" y="{top}" width="{length:.1f}" height="24" fill="{colour}"/>',
            f'<text x="{LEFT + length + 6:.1f}" y="{top + 17}">{value:.3f}</text>',
        ]
    size = f'width="{LEFT + WIDTH + 70}" height="{50 + len(values) * ROW}"'
    body = "\n".join(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="14">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
    )


def main(results: Path = RESULTS / "service.json") -> None:
    """Draw what is in `results`."""
    candidates = json.loads(results.read_text())["candidates"]
    values = {name: row["cpu_seconds_an_article"] for name, row in candidates.items()}
    picture = bars("Processor seconds an article (less is better)", values)
    (ROOT / "docs" / "performance.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
