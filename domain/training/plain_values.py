"""What is computed as JSON holds it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def plain_values(value: Any) -> Any:
    """JSON: numbers of numpy as Python's, what is not finite None, tuples as lists.

    >>> plain_values(dict(a=(np.float64("nan"), np.int64(1)), b=np.bool_(True)))
    {'a': [None, 1], 'b': True}
    """
    if isinstance(value, Mapping):
        return {str(key): plain_values(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_values(item) for item in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return value
