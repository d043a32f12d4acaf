"""How functions are compiled."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from domain.compiled import compiled
from domain.features.kernels.windows import means


def test_an_array_that_may_only_be_read_needs_no_version_of_its_own():
    values = np.arange(9.0)
    wanted, versions = means(values, 3), len(means.signatures)
    values.flags.writeable = False
    np.testing.assert_array_equal(means(values, 3), wanted)
    assert len(means.signatures) == versions


def test_a_function_that_numba_compiles_in_its_own_way_is_refused_a_part_of_the_engine():
    def half(value):
        return 0.5 * value

    part = compiled(half)
    alone = numba.njit(lambda value: part(value))
    with pytest.raises(TypeError, match=r"half.* decorate what calls it with domain\.compiled\.entry, not numba\.njit"):
        alone(1.0)
