"""Ranges of numbers from a form, the terminal or a file: validated before a list of their values is built."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from domain.errors import BadRequest

MOST = 100_000          # values of one range, and combinations of one sweep


def between(low: float, high: float, step: float, what: str = "the range") -> list[float]:
    """Values from ``low`` to ``high``, both included where the step meets them; exact in decimals. ``what`` names the range in a refusal.

    >>> between(0.1, 0.3, 0.1), between(10, 25, 10)
    ([0.1, 0.2, 0.3], [10, 20])
    >>> between(1, 2e9, 1)
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: the range from 1 to 2000000000.0 in steps of 1 has 2,000,000,000 values; at most 100,000 fit. Take a longer step, or search instead of sweeping
    """
    _sensible(what, low, high, step)
    first, stride = Decimal(str(low)), Decimal(str(step))
    count = _steps(low, high, step) + 1
    if count > MOST:
        written = f"{count:,}" if count < 10**15 else f"about {Decimal(count):.2e}"
        raise BadRequest(f"{what} from {low} to {high} in steps of {step} has {written} values; at most {MOST:,} fit. Take a longer step, or search instead of sweeping")
    all_integers = all(isinstance(value, int) for value in (low, high, step))
    return [int(first + k * stride) if all_integers else float(first + k * stride) for k in range(count)]


def last_of(low: float, high: float, step: float) -> float:
    """The highest value that steps from ``low`` reach; ``high`` where they meet it.

    >>> last_of(0.5, 3.3, 0.5), last_of(5, 45, 10)
    (3.0, 45)
    """
    reached = Decimal(str(low)) + _steps(low, high, step) * Decimal(str(step))
    return high if reached == Decimal(str(high)) else type(high)(reached)


def unmet_end(name: str, low: float, high: float, step: float) -> str:
    """A sentence where no step meets the end of a range, else an empty text.

    >>> unmet_end("stop_atr", 0.5, 3.3, 0.5)
    'stop_atr ends at 3.0: steps of 0.5 from 0.5 do not meet 3.3.'
    """
    last = last_of(low, high, step)
    return "" if last == high else f"{name} ends at {last}: steps of {step} from {low} do not meet {high}."


def number(what: str, value: Any) -> Any:
    """``value`` if it is a finite number, else a sentence about ``what``."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadRequest(f"{what} is {'empty' if value is None else repr(value)}; it must be a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise BadRequest(f"{what} is {value}; it must be a finite number")
    return value


def listed_values(what: str, values: Any) -> Sequence[Any]:
    """``values`` if it is a list that is not empty, else a sentence about ``what``."""
    if isinstance(values, (str, bytes)) or not hasattr(values, "__len__") or not hasattr(values, "__getitem__") or isinstance(values, dict):
        raise BadRequest(f"{what} must be a list of values, as in [5, 10, 20], and not {values!r}")
    if not len(values):
        raise BadRequest(f"{what} has no value; give at least one")
    return values


def _sensible(what: str, low: Any, high: Any, step: Any) -> None:
    for end, value in (("start", low), ("end", high), ("step", step)):
        number(f"the {end} of {what}", value)
    if step <= 0 or high < low:
        raise BadRequest(f"{what} goes from {low} to {high} in steps of {step}; it must go upwards, in steps above 0")


def _steps(low: float, high: float, step: float) -> int:
    first, last, stride = (Decimal(str(value)) for value in (low, high, step))
    return int((last - first) / stride)
