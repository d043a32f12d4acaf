"""Small bars for samples: a random walk on the calendar of FX, or prices written by hand."""

import numpy as np
import pandas as pd

from domain.backtest.study import Series
from domain.features import Context, use
from domain.market.bars import frame
from domain.market.calendar import calendar
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.trading.costs import Costs
from domain.trading.execution import Execution
from domain.trading.rules import Rules
from domain.training.inputs import Inputs

MONDAY = np.datetime64("2024-01-08T00:00", "ns").astype(np.int64)
DAY = 86_400_000_000_000
USES = (use("atr", window=14), use("log_return", window=1))


def walk(count=600, seed=1, timeframe="H1", name="EURUSD", level=1.1):
    ts = calendar("fx").expected_opens(MONDAY, MONDAY + 400 * DAY, Timeframe.named(timeframe))[:count]
    rng = np.random.default_rng(seed)
    close = level * np.exp(np.cumsum(rng.standard_normal(count)) * 0.001)
    opens = np.concatenate([[level], close[:-1]])
    wide = np.abs(rng.standard_normal((2, count))) * 0.0006 * level
    high, low = np.maximum(opens, close) + wide[0], np.minimum(opens, close) - wide[1]
    return frame(ts, open=opens.round(5), high=high.round(5), low=low.round(5), close=close.round(5))


def by_hand(rows, start=MONDAY, timeframe="H1"):
    """Bars of (open, high, low, close), one after the other."""
    columns = np.array(rows, float).T
    return frame(start + np.arange(len(rows)) * Timeframe.named(timeframe).nanoseconds, **dict(zip(("open", "high", "low", "close"), columns, strict=True)))


def inputs(bars, name="EURUSD", timeframe="H1", uses=USES, spread=0.0, history=None, execution=Execution(), costs=None, **more):
    series = Series(instrument(name), Timeframe.named(timeframe), bars, history=history)
    rules = Rules(costs=costs or Costs(spread=spread), execution=execution)
    return Inputs(series, Context(series.instrument, series.timeframe), tuple(uses), rules, **more)


def rows_of(bars, *rows):
    """Signals from (bar, side, further columns)."""
    return pd.DataFrame([dict(ts=bars["ts"].iloc[bar], side=side, **more) for bar, side, more in rows])
