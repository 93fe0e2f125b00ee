"""No route is open by oversight: each names its permission, or stands in the list of those that need none."""

from collections.abc import Iterator
from importlib import import_module
from inspect import getclosurevars
from pkgutil import iter_modules

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from serve_app import resources
from serve_app.authentication import authenticated

RESOURCES = [import_module(f"serve_app.resources.{module.name}") for module in iter_modules(resources.__path__)]
ROUTES = {
    (method, route.path): route
    for resource in RESOURCES
    if hasattr(resource, "router")
    for route in resource.router.routes
    if isinstance(route, APIRoute)
    for method in route.methods or ()
}
OPEN = {
    ("POST", "/auth/signup"),
    ("POST", "/auth/login"),
    ("POST", "/auth/refresh"),
    ("GET", "/calls/{call_id}/recording"),  # by the token in its address
    *((method, path) for method, path in ROUTES if path.startswith("/webhooks/")),
}
ANYBODY = {("GET", "/auth/me"), ("POST", "/auth/logout"), ("POST", "/auth/password")}
"""Whoever is logged in, for themselves."""

SUBJECTS = {
    "/api-keys": "keys",
    "/audit-log": "audit",
    "/billing/credits": "credits",
    "/webhook-": "webhooks",
    "/schedules": "calls",
    "/sms-messages": "calls",
    **dict.fromkeys(("/prompts", "/session-settings", "/sms-templates"), "agents"),
}
"""The permission's word where it is not the first of the path."""


def dependencies(dependant: Dependant) -> Iterator[Dependant]:
    for below in dependant.dependencies:
        yield below
        yield from dependencies(below)


def permissions(route: APIRoute) -> list[str]:
    calls = [each.call for each in dependencies(route.dependant) if each.call is not None]
    checks = [call for call in calls if getattr(call, "__qualname__", "").startswith("allowed.")]
    return [getclosurevars(check).nonlocals["permission"] for check in checks]


@pytest.mark.parametrize("method_path", sorted(set(ROUTES) - OPEN - ANYBODY), ids=" ".join)
def test_a_route_takes_the_permission_to_read_or_write_its_subject(method_path: tuple[str, str]) -> None:
    method, path = method_path
    subject = next((word for start, word in SUBJECTS.items() if path.startswith(start)), path.split("/")[1])
    verb = "read" if method == "GET" else "write"
    route = ROUTES[method_path]
    assert permissions(route) == [f"{subject}:{verb}"]
    assert {401, 403} <= route.responses.keys()


@pytest.mark.parametrize("method_path", sorted(ANYBODY), ids=" ".join)
def test_a_route_about_oneself_takes_a_login(method_path: tuple[str, str]) -> None:
    route = ROUTES[method_path]
    assert authenticated in [each.call for each in dependencies(route.dependant)]
    assert permissions(route) == []
    assert 401 in route.responses


@pytest.mark.parametrize("method_path", sorted(OPEN), ids=" ".join)
def test_an_open_route_is_there_and_asks_nobody(method_path: tuple[str, str]) -> None:
    assert authenticated not in [each.call for each in dependencies(ROUTES[method_path].dependant)]
