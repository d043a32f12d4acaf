"""The kernel against its slow twin, which was written from the page and not from the kernel."""

from __future__ import annotations

import os

import pytest

from tests.reference.cases import case
from tests.reference.compare import differences

CASES = int(os.environ.get("TIDEMARK_CASES", "4000"))
PARTS = 16


@pytest.mark.parametrize("part", range(PARTS))
def test_kernel_and_twin_agree(part):
    for seed in range(part, CASES, PARTS):
        found = differences(case(seed))
        assert not found, f"case {seed}: {found[:3]}"
