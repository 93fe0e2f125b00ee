"""The Grafana dashboard asks for numbers that exist, under the names Ray's exporter gives them."""

import itertools
import json
import re
from collections.abc import Iterable
from typing import Any

import pytest

from models.metrics import BY_NAME, METRICS, Metric
from models.settings import REPOSITORY

BOARD: dict[str, Any] = json.loads((REPOSITORY / "deploy" / "grafana" / "callboard.json").read_text())
PREFIX = "ray_callboard_"
RAYS = {"NodeAddress", "WorkerId", "SessionName"}
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]


def exported(metric: Metric) -> str:
    """What a query names: of a histogram, its classes."""
    return PREFIX + metric.name + ("_bucket" if metric.kind == "histogram" else "")


EXPORTED = {exported(metric): metric for metric in METRICS}


def names(expression: str) -> list[str]:
    """Every number an expression names."""
    return re.findall(rf"{PREFIX}\w+", expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_query_names_numbers_that_are_exported(expression: str) -> None:
    assert names(expression)
    assert set(names(expression)) <= set(EXPORTED)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_query_groups_by_tags_its_number_has(expression: str) -> None:
    metric = EXPORTED[names(expression)[0]]
    groups = re.findall(r"by \(([^)]*)\)", expression)
    labels = {label.strip() for group in groups for label in group.split(",")}
    own = {*metric.tags, *RAYS, *({"le"} if metric.kind == "histogram" else ())}
    assert labels <= own


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_what_only_grows_is_asked_for_as_a_rate_and_what_varies_is_not(expression: str) -> None:
    metric = EXPORTED[names(expression)[0]]
    assert ("rate(" in expression) == (metric.kind != "gauge")
    assert ("histogram_quantile(" in expression) == (metric.kind == "histogram")


def test_every_number_of_the_product_is_on_the_dashboard() -> None:
    shown = {EXPORTED[name].name for expression in EXPRESSIONS for name in names(expression)}
    assert set(BY_NAME) - shown == set()


def test_legends_use_labels_that_their_query_keeps() -> None:
    for target in (target for panel in PANELS for target in panel["targets"]):
        kept = ",".join(re.findall(r"by \(([^)]*)\)", target["expr"]))
        assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= {label.strip() for label in kept.split(",")}


def test_the_data_source_is_chosen_on_the_dashboard() -> None:
    sources = {panel["datasource"]["uid"] for panel in PANELS}
    assert sources == {"${datasource}"}
    assert "datasource" in [variable["name"] for variable in BOARD["templating"]["list"]]


def test_panels_have_numbers_of_their_own_and_lie_beside_each_other() -> None:
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    places = [set(_cells(panel["gridPos"])) for panel in BOARD["panels"]]
    assert all(not one & other for one, other in itertools.combinations(places, 2))


def _cells(at: dict[str, int]) -> Iterable[tuple[int, int]]:
    return itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"]))
