"""How much of a fault is tried: the full figure, or what the environment names, as ``make check-faults`` does for its shorter course."""

from __future__ import annotations

import os


def size(name: str, full: int) -> int:
    """
    >>> size("NOT_NAMED", 500)
    500
    """
    return int(os.environ.get(f"TIDEMARK_{name}", full))
