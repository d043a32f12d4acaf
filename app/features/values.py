"""Values of features with four significant digits at any scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.kit.figures import DASH, MINUS, exact


def level(value: float | None) -> str:
    """
    >>> level(None), level(1.2345678), level(-0.000012345), level(123456.7), level(0.0)
    ('\u2014', '1.235', '\u22120.00001234', '123,457', '0')
    """
    if value is None:
        return DASH
    if value and abs(value) < 1e-7:
        return f"{value:.3g}".replace("-", MINUS)
    return exact(round(value) if abs(value) >= 10_000 else float(f"{value:.4g}"))


def small(share: float | None) -> str:
    """A share that may be tiny.

    >>> small(2e-20), small(0.25), small(None)
    ('< 0.0001', '0.25', '\u2014')
    """
    return "< 0.0001" if share is not None and share < 1e-4 else level(share)


def bounds(low: float | None, high: float | None) -> str:
    """
    >>> bounds(0.0, 1.0), bounds(0.0, None), bounds(None, None)
    ('0 to 1', 'from 0', 'unbounded')
    """
    if low is None and high is None:
        return "unbounded"
    return f"from {exact(low)}" if high is None else f"to {exact(high)}" if low is None else f"{exact(low)} to {exact(high)}"


def spread_of(about: Mapping[str, Any]) -> str:
    """Range of a column's values, in words."""
    if not about["coverage"]:
        return "no value"
    return f"between {level(about['low'])} and {level(about['high'])} {about['unit']}, interquartile range {level(about['quarter'])} to {level(about['three_quarters'])}, last {level(about['last'])}"
