"""The dashboards are what Grafana takes for one, and hang together.

No registry that these tests reach has a Grafana to load them into. Its own library of types stands in for it here, and
tests/integration/test_prometheus.py runs every query.
"""

import json
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana import provision
from services.enricher.metrics import CATALOGUE
from tests.unit.deploy.promql import DASHBOARDS, DEPLOY, OF_A_HISTOGRAM, RULES, metrics_in, panels, queries_of

GRID_COLUMNS = 24


@pytest.fixture(params=DASHBOARDS)
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    return DASHBOARDS[request.param]


def lost(before: Any, after: Any, path: str = "") -> list[str]:
    """Return the places of what is in `before` and not, or not the same, in `after`; that may have more fields."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [place for key in before for place in lost(before[key], after.get(key), f"{path}/{key}")]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [place for index, (one, other) in pairs for place in lost(one, other, f"{path}/{index}")]
    return [] if before == after else [path]


def read_by_grafana(dashboard: dict[str, Any]) -> Any:
    """Return a dashboard after Grafana's types have read and written it: they drop every field they do not know."""
    register_default_plugins()
    return json.loads(json.dumps(Dashboard.from_json(dashboard), cls=JSONEncoder))


def test_the_files_are_what_the_code_makes() -> None:
    made = provision.files()
    assert {path.stem for path in made} == DASHBOARDS.keys()
    for path, content in made.items():
        assert path.read_text(encoding="utf-8") == content, "python -m deploy.grafana.provision"


def test_every_metric_of_the_catalogue_is_on_a_dashboard_or_in_a_rule() -> None:
    """What nobody looks at need not be measured."""
    asked = {name for board in DASHBOARDS.values() for query in queries_of(board) for name in metrics_in(query)}
    asked |= {name for rule in RULES for name in metrics_in(rule["expr"])}
    for spec in CATALOGUE:
        series = {spec.name + suffix for suffix in OF_A_HISTOGRAM} if spec.kind == "histogram" else {spec.name}
        assert series & asked, spec.name


def test_grafana_knows_every_field(dashboard: dict[str, Any]) -> None:
    assert lost(dashboard, read_by_grafana(dashboard)) == []


def test_a_field_that_grafana_does_not_know_would_be_found() -> None:
    wrong = json.loads(json.dumps(DASHBOARDS["overview"]))
    wrong["panels"][0]["options"]["graphmode"] = wrong["panels"][0]["options"].pop("graphMode")
    wrong["panels"][0]["targets"][0]["expression"] = "up"
    assert lost(wrong, read_by_grafana(wrong)) == [
        "/panels/0/options/graphmode",
        "/panels/0/targets/0/expression",
    ]


def test_every_panel_says_what_it_is_and_asks_the_source_that_is_provisioned(dashboard: dict[str, Any]) -> None:
    source = (DEPLOY / "grafana/datasources/prometheus.yml").read_text(encoding="utf-8")
    [datasource] = yaml.safe_load(source)["datasources"]
    for panel in panels(dashboard):
        assert panel["title"]
        assert panel["targets"]
        for asking in (panel, *panel["targets"]):
            assert asking["datasource"] == {"type": datasource["type"], "uid": datasource["uid"]}


def test_no_two_panels_share_an_id_or_a_place(dashboard: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < GRID_COLUMNS
        taken |= cells
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)


def test_the_dashboards_lead_to_each_other() -> None:
    uids = {dashboard["uid"] for dashboard in DASHBOARDS.values()}
    assert len(uids) == len(DASHBOARDS) == 3
    for dashboard in DASHBOARDS.values():
        assert {link["url"] for link in dashboard["links"]} == {f"/d/{uid}" for uid in uids - {dashboard["uid"]}}
