"""How functions are compiled."""

from __future__ import annotations

import numpy as np

from domain.features.kernels.windows import means


def test_an_array_that_may_only_be_read_needs_no_version_of_its_own():
    values = np.arange(9.0)
    wanted, versions = means(values, 3), len(means.signatures)
    values.flags.writeable = False
    np.testing.assert_array_equal(means(values, 3), wanted)
    assert len(means.signatures) == versions
