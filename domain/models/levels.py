"""Levels of quantiles, as a person writes them."""

from __future__ import annotations

from itertools import pairwise

from domain.errors import BadRequest


def levels_of(text: str) -> tuple[float, ...]:
    """Rising levels between 0 and 1.

    >>> levels_of("0.1, 0.5, 0.9")
    (0.1, 0.5, 0.9)
    >>> levels_of("0.9,0.1")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: levels is '0.9,0.1'; it must be rising numbers between 0 and 1, separated by commas, such as 0.1,0.5,0.9
    """
    try:
        levels = tuple(float(level) for level in text.split(","))
    except ValueError:
        levels = ()
    if not levels or not all(0.0 < level < 1.0 for level in levels) or any(high <= low for low, high in pairwise(levels)):
        raise BadRequest(f"levels is {text!r}; it must be rising numbers between 0 and 1, separated by commas, such as 0.1,0.5,0.9")
    return levels
