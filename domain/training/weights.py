"""How much a sample counts: its uniqueness among overlapping labels, and its age."""

from __future__ import annotations

import numpy as np


def uniqueness(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Mean over a sample's bars of 1 ÷ the number of samples whose bars hold that one. ``first``, ``last``: int64, the bars of each, both included."""
    raise NotImplementedError


def weights_of(rows: np.ndarray, unique: np.ndarray, start: np.ndarray, half_life: float = 0.0, by: str = "uniqueness") -> np.ndarray:
    """Weights of the training ``rows``, mean 1. ``by``: ``uniqueness`` or ``equal``. ``half_life``: days of age, counted back from the youngest of them,
    after which a weight is half; 0: none."""
    raise NotImplementedError
