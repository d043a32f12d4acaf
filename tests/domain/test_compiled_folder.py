"""Compiled code of earlier sources goes after a while, that of the present ones stays."""

from __future__ import annotations

import os
from pathlib import Path

from domain import compiled_folder
from domain.backtest.kernel import wilder_atr
from domain.compiled_linking import Part, reached


def test_only_old_folders_of_other_sources_are_removed(tmp_path, monkeypatch):
    present = tmp_path / "backtest-aaaaaaaaaaaa"
    monkeypatch.setattr(compiled_folder, "folder_of", lambda package: present if package == "backtest" else tmp_path / f"{package}-aaaaaaaaaaaa")
    names = {"backtest-aaaaaaaaaaaa": 100, "backtest-bbbbbbbbbbbb": 100, "backtest-cccccccccccc": 900, "features-dddddddddddd": 100, "backtest-notes": 100, "other-eeeeeeeeeeee": 100}
    for name, written in names.items():
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (written, written))
    removed = compiled_folder.remove_old(500.0)
    assert {folder.name for folder in removed} == {"backtest-bbbbbbbbbbbb", "features-dddddddddddd"}
    assert {path.name for path in tmp_path.iterdir()} == set(names) - {folder.name for folder in removed}


def test_compiled_code_is_kept_by_its_sources_and_not_by_where_the_program_lies():
    assert Path(wilder_atr._cache.cache_path) == compiled_folder.folder_of("backtest") / "domain.backtest.kernel.numbers"


def test_a_part_that_is_reached_twice_is_linked_once():
    deepest, runtime = _part(), object()
    left, right = _part(deepest, runtime), _part(deepest, runtime)
    assert list(reached([left, right])) == [left, deepest, runtime, right]


def _part(*below):
    part = object.__new__(Part)
    part._linking_libraries = list(below)
    return part
