"""Inputs of a regime model: causal columns whose names give their definition, so that a model's columns can be recomputed.

Gaussians fit logarithms and roots better than the figures themselves, which cannot be below 0: so volatility and ATR are logged, drawdown is
under a root, and correlation goes through Fisher's transformation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.features.base import parse
from domain.features.context import Context
from domain.features.engine import FeatureTable, compute
from domain.registry import Registry
from domain.rounding import ROUNDING

WRITTEN = re.compile(r"(?P<name>[a-z_]+)(?:\((?P<window>\d+)\))?")


@dataclass(frozen=True)
class Observation:
    """``make(table, window)`` gives a value a bar; ``window`` is the default, in bars."""

    name: str
    make: Callable[[FeatureTable, int], np.ndarray]
    window: int

    @property
    def about(self) -> str:
        return (self.make.__doc__ or "").strip()


OBSERVATIONS: Registry[Observation] = Registry("observation")


def observed(window: int) -> Callable:
    def register(make: Callable[[FeatureTable, int], np.ndarray]) -> Callable[[FeatureTable, int], np.ndarray]:
        OBSERVATIONS.add(make.__name__, Observation(make.__name__, make, window))
        return make

    return register


def standard(context: Context = Context()) -> tuple[str, ...]:
    """The columns a regime model sees where none are chosen; correlation only where there are other instruments.

    >>> standard()
    ('log_volatility(48)', 'log_atr_share(14)', 'root_drawdown(480)', 'straightness(48)')
    """
    names = ["log_volatility", "log_atr_share", "root_drawdown", "straightness"] + ["correlation_with_others"] * bool(context.others)
    return tuple(f"{name}({OBSERVATIONS[name].window})" for name in names)


def observations(bars: pd.DataFrame, context: Context = Context(), columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The columns a regime model sees, NaN where they are not known yet, by the time of each bar.

    ``columns``: names of OBSERVATIONS with their window in brackets, or any feature as it is written; none: the standard ones. For a fitted model, its own.

    >>> prices = np.array([1.0, 2.0, 4.0, 2.0])
    >>> bars = pd.DataFrame(dict(open=prices, high=prices, low=prices, close=prices))
    >>> observations(bars, columns=["straightness(2)", "root_drawdown(2)"]).round(4).to_numpy().tolist()
    [[nan, nan], [nan, 0.0], [1.0, 0.0], [0.0, 0.7071]]
    """
    table, inputs = FeatureTable(bars, context), {}
    for text in standard(context) if columns is None else columns:
        match = WRITTEN.fullmatch(text.strip())
        if match and match["name"] in OBSERVATIONS:
            observed_column = OBSERVATIONS[match["name"]]
            window = int(match["window"] or observed_column.window)
            if window < 2:
                raise BadRequest(f"{text} uses {window} bars; it needs at least 2")
            with np.errstate(all="ignore"):
                inputs[f"{observed_column.name}({window})"] = _finite(observed_column.make(table, window))
        else:
            use = parse(text)
            inputs[use.column] = _finite(compute(bars, [use], context)[use.column].to_numpy(np.float64))
    return pd.DataFrame(inputs, index=pd.DatetimeIndex(bars["ts"], name="ts") if "ts" in bars else bars.index)


@observed(window=48)
def log_volatility(table: FeatureTable, window: int) -> np.ndarray:
    """ln √(mean of the squared log returns of ``window`` bars), a bar. NaN where nothing moved."""
    from domain.features.kernels.windows import means

    return np.log(means(_returns(table.input("close")) ** 2, window)) / 2


@observed(window=14)
def log_atr_share(table: FeatureTable, window: int) -> np.ndarray:
    """ln (Wilder's average true range ÷ close). NaN where that range is none."""
    from domain.features.kernels.ratios import over_range
    from domain.features.volatility import atr

    close = table.input("close")
    ranges = atr(table.input("high"), table.input("low"), close, window=window)
    is_one = over_range(ranges, ranges, close, table.input("tick"))     # 1, or NaN where the range is none
    return np.log(ranges / close) * is_one


@observed(window=480)
def root_drawdown(table: FeatureTable, window: int) -> np.ndarray:
    """√(share by which the close lies below the highest high of ``window`` bars)."""
    from domain.features.kernels.extremes import highest

    return np.sqrt(np.maximum(1 - table.input("close") / highest(table.input("high"), window), 0.0))


@observed(window=48)
def straightness(table: FeatureTable, window: int) -> np.ndarray:
    """Kaufman's efficiency: |change over ``window`` bars| ÷ the sum of the sizes of its steps, 0 to 1; 0 where nothing moved. Source: Kaufman (1995)."""
    from domain.features.kernels.windows import means

    close = table.input("close")
    path = means(np.abs(_changes(close)), window) * window
    change = np.abs(_changes(close, window))
    return np.where(path > ROUNDING * np.abs(close), np.minimum(change / path, 1.0), 0.0 * path)


@observed(window=96)
def correlation_with_others(table: FeatureTable, window: int) -> np.ndarray:
    """artanh of the mean size of the correlation of log returns over ``window`` bars with each other instrument; NaN where none is known."""
    from domain.features.kernels.pairs import moments

    own, total, count = _returns(table.input("close")), np.zeros(len(table.bars)), np.zeros(len(table.bars))
    for other in table.input("others").values():
        together, of_own, of_other = moments(own, _returns(other), window)
        varies = np.minimum(of_own, of_other) > window * ROUNDING**2
        size = np.where(varies, np.abs(together / np.sqrt(of_own * of_other)), np.nan)
        total, count = total + np.nan_to_num(size, posinf=0.0), count + np.isfinite(size)
    return np.arctanh(np.minimum(total / count, 0.9999))


def _changes(values: np.ndarray, steps: int = 1) -> np.ndarray:
    output = np.full(len(values), np.nan)
    output[steps:] = values[steps:] - values[:-steps]
    return output


def _returns(prices: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return _changes(np.log(prices))


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)
