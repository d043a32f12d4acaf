"""P1 at its full size: a thousand random mutations of each of the nine kinds of tampering, each caught and its row named."""

from __future__ import annotations

import pytest

from tests.domain.audit.test_verifier_tampering import KINDS, outside, tampered

__all__ = ["outside"]       # a fixture
pytestmark = pytest.mark.faults


@pytest.mark.parametrize("kind", KINDS)
def test_tampering_is_caught_a_thousand_times(kind, outside, tmp_path):
    for seed in range(1_000):
        tampered(kind, seed, tmp_path, outside)
