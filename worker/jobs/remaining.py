"""The remaining time of a job in its note."""

from __future__ import annotations


def remaining(seconds: float) -> str:
    """
    >>> remaining(30.2), remaining(557.0)
    (', about 30 s left', ', about 9 min left')
    """
    return f", about {seconds:,.0f} s left" if seconds < 90 else f", about {seconds / 60:,.0f} min left"
