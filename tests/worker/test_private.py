"""Only its owner can read a workspace, whatever the umask of the processes that wrote it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from domain.errors import BadRequest
from worker.private import close_off, keep_private
from worker.settings import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such modes")


def open_ones(home) -> list[str]:
    return [path.name for path in (home, *home.rglob("*")) if path.lstat().st_mode & 0o077]


@pytest.fixture
def home(tmp_path):
    """As an earlier version left it."""
    home = tmp_path / "var"
    for folder in (home, home / "frames", home / "frames" / "0e", home / "logs"):
        folder.mkdir()
        folder.chmod(0o755)
    for name in ("tidemark.db", "frames/0e/0e1.parquet", "logs/app.log", "theirs.txt"):
        (home / name).touch()
        (home / name).chmod(0o644)
    return home


def test_an_existing_workspace_is_closed_and_nothing_else_in_it_is_touched(home, tmp_path):
    outside = tmp_path / "outside"
    outside.touch()
    outside.chmod(0o644)
    (home / "logs" / "link.log").symlink_to(outside)
    close_off(home)
    assert sorted(open_ones(home)) == ["link.log", "theirs.txt"] and outside.stat().st_mode & 0o777 == 0o644
    assert home.stat().st_mode & 0o777 == 0o700 and (home / "tidemark.db").stat().st_mode & 0o777 == 0o600


def test_a_folder_of_everyone_is_refused_and_left_as_it_is(home):
    home.chmod(0o1777)
    with pytest.raises(BadRequest, match=r"is a folder that everyone may write into. Name one of your own"):
        close_off(home)
    assert home.stat().st_mode & 0o7777 == 0o1777


def test_what_serves_makes_private_files(tmp_path):
    before = os.umask(0o000)
    try:
        keep_private()
        (tmp_path / "new").mkdir()
        (tmp_path / "new" / "file").touch()
    finally:
        os.umask(before)
    assert open_ones(tmp_path / "new") == []


def test_the_terminal_closes_the_workspace_and_writes_for_the_person_as_the_person_would(tmp_path):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TIDEMARK_")}
    environment = {**environment, "TIDEMARK_STORAGE_HOME": str(tmp_path / "var"), "TIDEMARK_APP_USER": "ana"}
    words = ["audit", "export", "--out", str(tmp_path / "trail.csv")]
    subprocess.run([sys.executable, "-m", "worker.cli", *words], cwd=ROOT, env=environment, check=True, umask=0o022, capture_output=True)
    assert (tmp_path / "var" / "tidemark.db").exists() and open_ones(tmp_path / "var") == []
    assert (tmp_path / "trail.csv").stat().st_mode & 0o777 == 0o644
