"""What the dashboards are made of: panels over Prometheus that look alike, and a dashboard around them.

Grafana's own library of types makes the JSON, and places the panels from left to right in the order of the list.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import heatmap, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = common.DataSourceRef(type_val="prometheus", uid="prometheus")
"""deploy/grafana/datasources/prometheus.yml provisions it."""

HEIGHT, STAT_HEIGHT, TABLE_HEIGHT = 8, 4, 5
"""In rows of Grafana's grid, which is 24 columns wide."""

NAMES = ("overview", "quality", "internals")
"""The dashboards, which lead to each other."""

Panel = Builder[dashboard.Panel]


class Query(NamedTuple):
    """A question to Prometheus, and what its series are called."""

    expression: str
    legend: str


class Heading(NamedTuple):
    """A line over the panels that follow it."""

    title: str


def quantiles(histogram: str, of: str = "") -> list[Query]:
    """Return the median of a histogram and its ends, over all series that the matchers `of` choose."""
    rate = f"sum by (le) (rate({histogram}_bucket{of}[$__rate_interval]))"
    shares = ((0.5, "half"), (0.95, "95 of 100"), (0.99, "99 of 100"))
    return [Query(f"histogram_quantile({share}, {rate})", f"{named} take no longer") for share, named in shares]


def lines(
    title: str,
    description: str,
    *queries: Query,
    unit: str = "short",
    width: int = 8,
    most: float | None = None,
    stacked: bool = False,
) -> Panel:
    """Return a panel with a line a series; `most` ends the axis, `stacked` puts the series on top of each other."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .span(width)
        .height(HEIGHT)
        .unit(unit)
        .min(0)
        .color_scheme(builders.FieldColor().mode(dashboard.FieldColorModeId.PALETTE_CLASSIC))
        .fill_opacity(25 if stacked else 8)
        .show_points(common.VisibilityMode.NEVER)
        .legend(
            common_builders.VizLegendOptions()
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(
            common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING)
        )
    )
    if most is not None:
        panel.max(most)
    if stacked:
        panel.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
    return _asking(panel, queries)


def number(
    title: str, description: str, query: Query, colours: Sequence[tuple[float | None, str]], unit: str = "short"
) -> Panel:
    """Return a panel with one number; each of `colours` is for what is at least so much, the first for less too."""
    steps = [dashboard.Threshold(value=value, color=colour) for value, colour in colours]
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .span(4)
        .height(STAT_HEIGHT)
        .unit(unit)
        .no_value("-")
        .thresholds(builders.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(steps))
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.AREA)
    )
    return _asking(panel, [query])


def heat(title: str, description: str, query: Query, width: int = 12) -> Panel:
    """Return a panel that shows by colour how a histogram's values lie, over time."""
    panel = (
        heatmap.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .span(width)
        .height(HEIGHT)
        .calculate(False)
        .show_value(common.VisibilityMode.NEVER)
        .color(
            heatmap.HeatmapColorOptions()
            .mode(HeatmapColorMode.SCHEME)
            .scheme("Blues")
            .steps(64)
            .exponent(0.5)
            .fill("dark-blue")
        )
    )
    return _asking(panel, [query], PromQueryFormat.HEATMAP)


def labels(title: str, description: str, metric: str, width: int) -> Panel:
    """Return a table of the labels that a metric has now: what is known of a worker and is no number."""
    hidden = dict.fromkeys(("Time", "Value", "__name__", "job"), True)
    panel = (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .span(width)
        .height(TABLE_HEIGHT)
        .with_transformation(dashboard.DataTransformerConfig(id_val="organize", options={"excludeByName": hidden}))
    )
    return _asking(panel, [Query(metric, "")], PromQueryFormat.TABLE)


def _asking(panel: Any, queries: Iterable[Query], form: PromQueryFormat = PromQueryFormat.TIME_SERIES) -> Any:
    """Return the panel with its queries: of a table as things are now, of others over the time that is shown."""
    for ref, (expression, legend) in zip("ABC", queries, strict=False):
        query = (
            prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(ref).datasource(SOURCE).format(form)
        )
        panel.with_target(query.instant() if form is PromQueryFormat.TABLE else query.range())
    return panel


def page(
    name: str, description: str, since: str, content: Iterable[Heading | Panel], *variables: Builder[Any]
) -> dict[str, Any]:
    """Return a dashboard as Grafana's JSON; it shows the time from `since` until now."""
    made = (
        builders.Dashboard(f"onrecord: {name}")
        .uid(f"onrecord-{name}")
        .description(description)
        .tags(["onrecord"])
        .readonly()
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .refresh("30s")
        .time(since, "now")
        .timezone("browser")
    )
    for other in NAMES:
        if other != name:
            link = builders.DashboardLink(other.capitalize()).type(dashboard.DashboardLinkType.LINK)
            made.link(link.url(f"/d/onrecord-{other}").icon("dashboard").keep_time(True))
    for variable in variables:
        made.with_variable(variable)
    for one in content:
        if isinstance(one, Heading):
            made.with_row(builders.Row(one.title))
        else:
            made.with_panel(one)
    built = json.loads(json.dumps(made.build(), cls=JSONEncoder))
    for number_of_panel, panel in enumerate(built["panels"], start=1):
        panel["id"] = number_of_panel
    return dict(built)
