"""Compiled code of earlier sources goes after a while, that of the present ones stays."""

from __future__ import annotations

import os

from domain import compiled_folder


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
