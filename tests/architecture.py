"""The rules of the layout as functions from a parsed module to its problems. Applied by test_architecture.py."""

import ast
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

LONGEST_FILE = 300
SOURCES = (".py", ".js", ".mjs", ".css", ".html")
SKIPPED = {"node_modules", "data", "__pycache__"}

MAY_IMPORT = {
    "models": set[str](),
    "providers": {"models"},
    "stores": {"models"},
    "services": {"stores", "providers", "models"},
    "actors": {"services", "stores", "providers", "models"},
    "serve_app": {"actors", "services", "stores", "providers", "models"},
    "cli": {"serve_app", "actors", "services", "stores", "providers", "models"},
}
"""What each layer may import besides itself."""
AROUND = {"bench", "deploy", "simulators", "tests", "tools"}
OURS = set(MAY_IMPORT) | AROUND
READ = (*MAY_IMPORT, *sorted(AROUND))

MAY_USE_SIMULATORS = {"bench", "simulators", "tests"}
RAY_FILES = {
    "actors/handles.py",
    "actors/campaigns.py",
    "actors/startup.py",
    "actors/metrics.py",
    "actors/billing/client.py",
    "actors/speech_to_text/client.py",
    "serve_app/app.py",
    "serve_app/wiring.py",
}
RAY_NAMES = {"actor.py", "pool.py", "worker.py"}
PURE_NAMES = {
    "protocol",
    "machine",
    "turn",
    "audio",
    "prompt",
    "rating",
    "scheduler",
    "policy",
    "pool_policy",
    "pool_watch",
}
IMPURE_STDLIB = {"asyncio", "logging", "random", "secrets", "socket", "threading", "time"}
PURE_THIRD_PARTY = {"numpy"}
ROLES = "providers.roles."
"""The words shared with vendors: data and protocols, nothing that runs."""


@dataclass(frozen=True)
class Module:
    """One source file: where it is and what it says."""

    path: str
    tree: ast.Module
    is_pure: bool = False
    """Whether it decides, and so does nothing."""

    @classmethod
    def parse(cls, path: str, source: str) -> "Module":
        """Read `source` as the file at `path`."""
        parts = Path(path).parts
        decides = len(parts) == 3 and parts[0] == "actors" and Path(path).stem in PURE_NAMES
        return cls(path, ast.parse(source), decides)

    @property
    def package(self) -> str:
        """The top-level folder."""
        return self.path.split("/")[0]

    @property
    def folder(self) -> str:
        """The package it belongs to, dotted."""
        return ".".join(self.path.split("/")[:-1])

    @property
    def name(self) -> str:
        """Its dotted name."""
        return self.path.removesuffix(".py").replace("/", ".")

    @cached_property
    def imported(self) -> list[str]:
        """Every module it imports anywhere, dotted; `from a import b` counts as a.b."""
        return list(self._imported())

    def imports(self, name: str) -> bool:
        """Whether it imports the module `name` or something out of it."""
        return any(each == name or each.startswith(name + ".") for each in self.imported)

    def problem(self, text: str) -> str:
        """A problem of this file, for the reader of a failed test."""
        return f"{self.path}: {text}"

    def _imported(self) -> Iterator[str]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (name.name for name in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from (f"{self._origin(node)}.{name.name}" for name in node.names)

    def _origin(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parents = self.folder.split(".")[: len(self.folder.split(".")) - node.level + 1]
        return ".".join([*parents, *([node.module] if node.module else [])])


Rule = Callable[[Module], list[str]]


def imports_point_down(module: Module) -> list[str]:
    """A layer imports itself and layers below."""
    allowed = MAY_IMPORT.get(module.package, OURS) | {module.package}
    return [
        module.problem(f"{module.package} may not import {name}")
        for name in module.imported
        if _top(name) in OURS - allowed and not (_top(name) == "simulators" and module.package in MAY_USE_SIMULATORS)
    ]


def simulators_stand_alone(module: Module) -> list[str]:
    """The outside world is played without a line of the product."""
    if module.package != "simulators":
        return []
    return [module.problem(f"simulators import {name}") for name in module.imported if _top(name) in set(MAY_IMPORT)]


def nobody_imports_simulators(module: Module) -> list[str]:
    """Production talks to simulators over sockets; whoever needs one starts it as a process."""
    if module.package in MAY_USE_SIMULATORS:
        return []
    return [module.problem(f"imports {name}") for name in module.imported if _top(name) == "simulators"]


def few_import_ray(module: Module) -> list[str]:
    """Ray is known in actor shells and where the application is put together."""
    is_shell = module.package == "actors" and Path(module.path).name in RAY_NAMES
    if is_shell or module.path in RAY_FILES or module.package in {"tests", "bench"}:
        return []
    return [module.problem(f"imports {name}") for name in module.imported if _top(name) == "ray"]


def pure_modules_import_little(module: Module) -> list[str]:
    """Deciders know the standard library's data modules, numpy, models, and pure modules beside them."""
    if not module.is_pure:
        return []
    return [module.problem(f"a pure module imports {name}") for name in module.imported if not _is_pure(module, name)]


def pure_modules_never_wait(module: Module) -> list[str]:
    """Deciders are synchronous."""
    waits = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
    found = [node for node in ast.walk(module.tree) if module.is_pure and isinstance(node, waits)]
    return [module.problem(f"line {node.lineno} is async in a pure module") for node in found]


RULES: tuple[Rule, ...] = (
    imports_point_down,
    simulators_stand_alone,
    nobody_imports_simulators,
    few_import_ray,
    pure_modules_import_little,
    pure_modules_never_wait,
)


@cache
def python_modules(root: Path) -> list[Module]:
    """Every Python file of the tree, parsed; once, as it takes a second."""
    files = [path for path in _files(root) if path.suffix == ".py"]
    return with_pure_parts([Module.parse(str(path.relative_to(root)), path.read_text()) for path in files])


def with_pure_parts(modules: Sequence[Module]) -> list[Module]:
    """The same modules; those a pure module takes from its own folder have to be pure too."""
    named = {module.name: module for module in modules}
    pure = {module.name for module in modules if module.is_pure}
    waiting = list(pure)
    while waiting:
        module = named[waiting.pop()]
        parts = {name for name in named if name.startswith(module.folder + ".") and module.imports(name)} - pure
        pure |= parts
        waiting += parts
    return [replace(module, is_pure=module.name in pure) for module in modules]


def too_long(root: Path) -> list[str]:
    """Every source file beyond the limit."""
    lengths = ((path, len(path.read_text().splitlines())) for path in _files(root) if path.suffix in SOURCES)
    return [f"{path.relative_to(root)}: {length} lines" for path, length in lengths if length > LONGEST_FILE]


def _files(root: Path) -> Iterator[Path]:
    for package in READ:
        for path in sorted((root / package).rglob("*")):
            if path.is_file() and not SKIPPED & set(path.relative_to(root).parts):
                yield path


def _is_pure(module: Module, name: str) -> bool:
    top = _top(name)
    if top in OURS:
        return top == "models" or name.startswith((module.folder + ".", ROLES))
    return top in PURE_THIRD_PARTY or (top in sys.stdlib_module_names and top not in IMPURE_STDLIB)


def _top(name: str) -> str:
    return name.split(".")[0]
