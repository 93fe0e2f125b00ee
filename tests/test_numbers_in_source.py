"""Every number the product counts is in `models/metrics.py`, and counted the way it says. Read from the source."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from models.metrics import BY_NAME, METRICS
from models.settings import REPOSITORY
from tests import architecture
from tests.architecture import MAY_IMPORT

VERBS = {"count": "counter", "set_to": "gauge", "observe": "histogram"}
VALUES = {"by", "value"}


@dataclass(frozen=True)
class Counted:
    """One place that counts; `tags` is None where they are not written out."""

    path: str
    line: int
    verb: str
    name: str | None
    tags: frozenset[str] | None


def read(path: str, tree: ast.AST) -> Iterator[Counted]:
    """Every `meters.verb("name", ...)` of a module."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in VERBS):
            continue
        if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "meters"):
            continue
        first = node.args[0] if node.args else None
        name = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
        keys = [keyword.arg for keyword in node.keywords]
        tags = None if None in keys else frozenset(key for key in keys if key is not None) - VALUES
        yield Counted(path, node.lineno, node.func.attr, name, tags)


def problem(counted: Counted) -> str | None:
    """What is wrong with it."""
    where = f"{counted.path}:{counted.line}"
    if counted.name is None:
        return f"{where} names its number by something else than a string"
    metric = BY_NAME.get(counted.name)
    if metric is None:
        return f"{where} counts {counted.name}, which is not in the table"
    if VERBS[counted.verb] != metric.kind:
        return f"{where} treats {counted.name} as a {VERBS[counted.verb]}, it is a {metric.kind}"
    if counted.tags is not None and counted.tags != set(metric.tags):
        return f"{where} tells {counted.name} apart by {sorted(counted.tags)}, the table by {sorted(metric.tags)}"
    return None


PLACES = [
    counted
    for module in architecture.python_modules(REPOSITORY)
    if module.package in MAY_IMPORT
    for counted in read(module.path, module.tree)
]


def test_everything_is_counted_as_the_table_says() -> None:
    assert [found for counted in PLACES if (found := problem(counted)) is not None] == []


def test_everything_in_the_table_is_counted_somewhere() -> None:
    assert {metric.name for metric in METRICS} - {counted.name for counted in PLACES} == set()


@pytest.mark.parametrize(
    "source",
    [
        'meters.count("no_such_total")',
        'meters.observe("calls_live", 1.0)',
        'meters.count("stt_shed_total")',
        'meters.count("stt_shed_total", kind="final", call="x")',
        "meters.count(name)",
    ],
)
def test_what_is_wrong_is_found(source: str) -> None:
    (counted,) = read("x.py", ast.parse(source))
    assert problem(counted)


def test_what_is_right_is_not() -> None:
    (counted,) = read("x.py", ast.parse('meters.count("stt_shed_total", by=2.0, kind="final")'))
    assert problem(counted) is None
