"""What decides a result: the code and the libraries that its kind of run uses, and nothing beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain import manifest, source_facts
from worker.code import code_of, entries, manifest_of
from worker.jobs import JOBS


def packages(kind: str) -> set[str]:
    return {path.relative_to(manifest.DOMAIN).parts[0].removesuffix(".py") for path in manifest.used_by(entries()[kind])}


def test_every_kind_of_job_has_a_file_that_it_begins_in():
    assert {kind for kind in JOBS if not kind.startswith("test_")} <= set(entries())     # those of other tests have no such file


def test_a_report_decides_no_result():
    assert not any("report" in packages(kind) for kind in entries())


@pytest.mark.parametrize(("kind", "has", "lacks"), [
    ("backtest", {"backtest", "strategies", "features", "trading", "market", "risk", "analytics"}, {"laboratory", "venues"}),
    ("sweep", {"backtest", "strategies", "optimise"}, {"laboratory", "causality", "venues"}),
    ("columns", {"features", "market", "outside"}, {"strategies", "laboratory", "optimise", "analytics"}),
    ("examine", {"features", "laboratory"}, {"venues"}), ("gate", {"causality", "features"}, {"laboratory"}), ("import", {"market"}, {"features", "backtest", "trading"}),
])  # fmt: skip
def test_a_kind_is_decided_by_the_packages_that_it_uses(kind, has, lacks):
    assert has <= packages(kind) and not lacks & packages(kind)


def test_what_a_package_discovers_is_used_too():
    files = {path.relative_to(manifest.DOMAIN).as_posix() for path in manifest.used_by(entries()["backtest"])}
    assert {"strategies/breakout.py", "features/momentum.py", "features/kernels/wilder.py", "backtest/kernel/running.py", "market/instruments.toml"} <= files


def test_libraries_are_those_that_the_kind_imports():
    backtest, imported, search = (manifest_of({}, kind)["libraries"] for kind in ("backtest", "import", "optimise"))
    assert {"python", "numpy", "pandas", "numba", "llvmlite"} <= backtest.keys() and "optuna" not in backtest and all(version != "absent" for version in backtest.values())
    assert "numba" not in imported and "optuna" in search


def test_kinds_that_use_the_same_have_the_same_code_and_others_not():
    assert code_of("columns") == code_of("regimes") != code_of("backtest") != code_of("import")
    assert len(code_of("no kind of ours")) == 64        # all of the engine


@pytest.mark.parametrize(("changed", "same"), [
    ('"""Another sentence."""\n\n\n# and a comment\ndef f(x):\n    """What f is."""\n    return x + 1\n', True),
    ('"""A sentence."""\ndef f(x):\n    return x + 2\n', False), ('"""A sentence."""\ndef f(x):\n    return "x + 1"\n', False),
])  # fmt: skip
def test_comments_and_docstrings_are_no_code(tmp_path: Path, changed, same):
    before, after = tmp_path / "before.py", tmp_path / "after.py"
    before.write_text('"""A sentence."""\ndef f(x):\n    return x + 1\n')
    after.write_text(changed)
    assert (manifest.source(before).digest == manifest.source(after).digest) is same


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """The file of facts, in a folder of the test."""
    monkeypatch.setattr(source_facts, "place", lambda: tmp_path / "facts.json")
    source_facts.facts.cache_clear()
    yield tmp_path / "facts.json"
    source_facts.facts.cache_clear()


def test_facts_are_read_once_for_each_content_of_a_file(kept, tmp_path, monkeypatch):
    path = tmp_path / "one.py"
    path.write_text("import numpy\nTABLE = 'instruments.toml'\n")
    read = source_facts.source.__wrapped__
    first = read(path)
    source_facts.keep()
    source_facts.facts.cache_clear()
    monkeypatch.setattr(source_facts, "tree_of", lambda content: pytest.fail("read anew"))
    assert read(path) == first and first.imports == {"numpy"} and first.tables == {"instruments.toml"}
    monkeypatch.undo()
    path.write_text("import pandas\n")
    assert read(path).imports == {"pandas"} and read(path).digest != first.digest


@pytest.mark.parametrize("content", ["", "[]", '{"half": '])
def test_a_broken_file_of_facts_is_written_anew(kept, tmp_path, content):
    kept.write_text(content)
    (tmp_path / "one.py").write_text("import numpy\n")
    assert source_facts.source.__wrapped__(tmp_path / "one.py").imports == {"numpy"}
    source_facts.keep()
    assert len(source_facts.Facts()) == 1
