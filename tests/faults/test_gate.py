"""P11 at its full size: 100,000 random sequences of an account, and no order whose worst case exceeds the headroom."""

from __future__ import annotations

import pytest

from tests.domain.compliance.test_gate import sequence
from tests.faults.sizes import size

pytestmark = pytest.mark.faults
SEQUENCES = size("SEQUENCES", 100_000)


def test_the_gate_never_lets_a_worst_case_exceed_the_headroom():
    assert sum(sequence(seed) for seed in range(SEQUENCES)) > SEQUENCES / 2
