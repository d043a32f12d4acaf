"""Conversion rates of the quote currencies to the account's, at every instant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from domain.backtest import conversion
from domain.backtest.series import Bars, bars_of, on_grid
from domain.errors import BadRequest
from domain.market.instrument import Instrument
from domain.trading.costs import Costs
from domain.trading.task import HasInstrument, Rate, Task


def rate_table(tasks: Sequence[Task], bars: Sequence[Bars], costs: Costs, account: str, currencies: Sequence[str], rates: Sequence[Rate], instants: np.ndarray) -> np.ndarray:
    loaded = []
    for task, own_bars in zip(tasks, bars, strict=True):
        loaded.append(_quoted(task, own_bars))
        if task.finer is not None:
            loaded.append(_quoted(Rate(task.instrument, task.finer_timeframe or task.timeframe, task.finer, task.side), None, costs))
    loaded += [_quoted(rate, None, costs_of_rate(rate, tasks, costs)) for rate in rates]
    return np.stack([conversion.rates_at(currency, account, loaded, instants) for currency in currencies])


def costs_of_rate(rate: HasInstrument, tasks: Sequence[HasInstrument], costs: Costs) -> Costs:
    """A spread in price units is that of the traded instruments: a pair of another pip has its own default."""
    common = costs.unit == "pips" or rate.instrument.pip in {task.instrument.pip for task in tasks}
    return costs if common else replace(costs, spread=None)


def _quoted(task: Task | Rate, bars: Bars | None, costs: Costs | None = None) -> conversion.Quoted:
    own_bars = bars or bars_of(task, costs or Costs())
    mid = on_grid(own_bars.close) if task.side == "mid" else (on_grid(own_bars.close) + on_grid(own_bars.close + own_bars.spread)) / 2
    return conversion.Quoted(task.instrument.base, task.instrument.quote, task.timeframe.minutes, own_bars.end, mid)


def known_in_time(task: Task, bars: Bars, account: str, rate: np.ndarray, instants: np.ndarray, first: np.ndarray) -> None:
    """A rate must be known when the first signal of this task is decided."""
    decides = np.flatnonzero(np.diff(first))
    if not len(decides):
        return
    at = np.searchsorted(instants, bars.end[decides[0]])
    if np.isnan(rate[at]):
        raise not_known(task.instrument, account, int(bars.end[decides[0]]))


def not_known(instrument: Instrument, account: str, at: int) -> BadRequest:
    when, quote = pd.Timestamp(at, tz="UTC"), instrument.quote
    return BadRequest(f"no conversion rate {quote}→{account} at the first signal of {instrument.name}, {when:%Y-%m-%d %H:%M} UTC: load bars of {quote}{account} or {account}{quote} that begin earlier")


def rate_at(table: np.ndarray, instants: np.ndarray, currency: int, end: int) -> float:
    return float(table[currency, np.searchsorted(instants, end)])
