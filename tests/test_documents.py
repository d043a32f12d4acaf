"""The documents: their links lead somewhere, and the README's picture of the layout is the tree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "benchmarks" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PICTURE = re.search(r"^## Architecture\n```\n(.*?)^```$", README, re.M | re.S)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path):
    for link, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", path.read_text(encoding="utf-8")):
        target = path.parent / link if link else path
        assert target.exists(), f"{link} does not exist"
        titles = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.M) if anchor else []
        assert not anchor or anchor in {title.lower().replace(" ", "-") for title in titles}, f"{link}#{anchor} is no heading"


def test_the_picture_of_the_layout_has_every_package_and_nothing_else():
    assert PICTURE
    packages = {path.parent.name for path in (ROOT / "domain").glob("*/__init__.py")} | {path.parent.name for path in (ROOT / "worker").glob("*/__init__.py")}
    drawn = set(re.findall(r"\b([a-z_]+)/", PICTURE[1]))
    assert packages <= drawn, f"the README's picture lacks {', '.join(sorted(packages - drawn))}"
    folders = {path.name for top in ("app", "benchmarks", "docs", "domain", "examples", "pages", "tests", "worker") for path in [ROOT / top, *(ROOT / top).rglob("*")] if path.is_dir()}
    assert drawn <= folders, f"the README's picture draws {', '.join(sorted(drawn - folders))}"
    files = {path.name for top in ("app", "docs", "domain", "worker") for path in (ROOT / top).rglob("*") if path.is_file()} | {"config.toml"}
    named = set(re.findall(r"\b([a-z_]+\.(?:py|md|toml))\b", PICTURE[1]))
    assert named and named <= files, f"the README's picture names {', '.join(sorted(named - files))}"
