"""For modules whose tests are of answers over HTTP alone: what the desk does on both databases is tested elsewhere."""

from __future__ import annotations

import pytest


@pytest.fixture
def kind() -> str:
    return "sqlite"
