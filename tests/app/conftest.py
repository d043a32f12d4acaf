"""Streamlit reads what every installed package says of itself at each run of a page in a test; here once. A page that asks for the desk of its process gets a
workspace of these tests, not that of whoever runs them; and every chart is held against the schema."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner

from app.kit import draw
from tests.conftest import migrated

draw.CHECKED = True
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


@pytest.fixture(scope="session", autouse=True)
def workspace(tmp_path_factory) -> Iterator[None]:
    home = tmp_path_factory.mktemp("workspace")
    migrated(f"sqlite:///{home}/tidemark.db")
    before = os.environ.get("TIDEMARK_STORAGE_HOME")
    os.environ["TIDEMARK_STORAGE_HOME"] = str(home)
    yield
    if before is None:
        del os.environ["TIDEMARK_STORAGE_HOME"]
    else:
        os.environ["TIDEMARK_STORAGE_HOME"] = before
