"""Values of a range that a person entered, or its error in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from math import ceil, floor, log10
from typing import Any

MOST = 10_000       # values of one parameter: more is a typing error
FEW = 6             # steps of a new range
FEWEST_TRADES = 30  # of a combination in a window, where there may be as many


def values(low: float | None, high: float | None, step: float | None, integer: bool) -> tuple[list[Any], str]:
    """The values from ``low`` to ``high``, both included where ``step`` meets them, exact in decimals; or none and a sentence.

    >>> values(0.1, 0.3, 0.1, False), values(10, 25, 10, True)
    (([0.1, 0.2, 0.3], ''), ([10, 20], ''))
    >>> values(30, 10, 5, True)[1]
    'Min is 30 and Max 10. Make Min the smaller one.'
    >>> values(1, 2, 0, False)[1]
    'Step is 0. Make it larger than 0.'
    """
    if low is None or high is None or step is None:
        return [], "Min, Max and Step must each have a number."
    first, last, increment = (Decimal(repr(float(value))) for value in (low, high, step))
    if last < first:
        return [], f"Min is {low:g} and Max {high:g}. Make Min the smaller one."
    if increment <= 0:
        return [], f"Step is {step:g}. Make it larger than 0."
    count = int((last - first) / increment) + 1
    if count > MOST:
        return [], f"Steps of {step:g} from {low:g} to {high:g} are {count:,} values. Take a larger step; {MOST:,} values of one parameter are the most."
    numbers = [first + k * increment for k in range(count)]
    return [int(value) if integer else float(value) for value in numbers], ""


def windows_for(days: int) -> dict[str, int]:
    """Windows of a walk-forward to start from, in days: a year and a quarter, or less where the period is short.

    >>> windows_for(3_000), windows_for(60)
    ({'in_sample': 365, 'out_of_sample': 90}, {'in_sample': 20, 'out_of_sample': 5})
    """
    return dict(in_sample=max(min(365, days // 3), 1), out_of_sample=max(min(90, days // 12), 1))


def fewest_trades_for(trades: float, in_sample: int, days: int) -> int:
    """Trades that a combination must have in a window to be chosen there: half of those to be expected, where one has ``trades`` in all ``days``; 30 at most.

    >>> fewest_trades_for(600, 365, 1_000), fewest_trades_for(90, 20, 60)
    (30, 15)
    """
    return max(min(FEWEST_TRADES, int(trades * in_sample / max(days, 1) / 2)), 1)


def listed(text: str, integer: bool) -> tuple[list[Any], str]:
    """The values in a text, or none and a sentence.

    >>> listed("8, 16 32", True), listed("1.5, x", False)[1]
    (([8, 16, 32], ''), "'x' is not a number. Write values with commas between them.")
    """
    numbers: list[Any] = []
    for word in text.replace(",", " ").split():
        try:
            numbers.append(int(word) if integer else float(word))
        except ValueError:
            return [], f"{word!r} is not a {'whole number' if integer else 'number'}. Write values with commas between them."
    return (numbers, "") if numbers else ([], "There is no value. Write at least one.")


def even(given: Sequence[Any]) -> tuple[float, float, float] | None:
    """Min, max and step of evenly spaced values; None where they are uneven.

    >>> even([8, 24, 40]), even([1, 2, 4]), even([7])
    ((8, 40, 16), None, (7, 7, 1))
    """
    if len(given) == 1:
        return given[0], given[0], 1
    gaps = {Decimal(repr(b)) - Decimal(repr(a)) for a, b in pairwise(given)}
    step = gaps.pop()
    return None if gaps or step <= 0 else (given[0], given[-1], type(given[0])(step))


def range_around(value: float | None, low: float | None, high: float | None, integer: bool) -> tuple[float, float, float]:
    """A range to start from: half to twice the value, in a few round steps, inside the bounds.

    >>> range_around(48, 2, 2000, True), range_around(2.0, 0.1, 50.0, False), range_around(0.0, 0.0, None, False)
    ((20, 100, 10), (1.0, 4.0, 0.5), (0.0, 0.6, 0.1))
    """
    start = abs(value or 0.0)
    increment = _round(1.5 * start / FEW) if start else 0.1
    increment = max(increment, 1.0) if integer else increment
    a, b = (floor(start / 2 / increment + 1e-9) * increment, ceil(2 * start / increment - 1e-9) * increment) if start else (0.0, FEW * increment)
    a, b = max(a, low if low is not None else a), min(b, high if high is not None else b)
    return (int(a), int(b), int(increment)) if integer else (round(a, 10), round(b, 10), round(increment, 10))


def _round(value: float) -> float:
    """The nearest of 1, 2, 5 times a power of ten, from below.

    >>> _round(12.0), _round(0.5), _round(0.75)
    (10.0, 0.5, 0.5)
    """
    power = 10.0 ** floor(log10(value) + 1e-9)
    return round(power * max(digit for digit in (1, 2, 5) if digit * power <= value * (1 + 1e-9)), 12)
