"""One combination of instrument, strategy and timeframe at its last closed bar: its closed trades, and its entry signal where there is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

import numpy as np
import pandas as pd

from domain.backtest.bench import Bench, Evaluation, within
from domain.backtest.limit_tables import yearly_volatility
from domain.backtest.own_limits import limited
from domain.backtest.series import Bars
from domain.backtest.simulator import Watch
from domain.backtest.study import Series, context_of
from domain.errors import BadRequest
from domain.features import warm_up_of
from domain.scanner.signal import EntrySignal, Sizer
from domain.scanner.trades import COLUMNS, closed_trades
from domain.strategies import Strategy
from domain.strategies.base import uses_of
from domain.trading.rules import Rules
from domain.trading.task import Rate

NAN = float("nan")
Probability = Callable[[Series, str, pd.Timestamp], float | None]       # of a win of the signal of a strategy at a bar; None where no classifier is named for it


@dataclass(frozen=True)
class Combination:
    """``bars``: closed ones that features read, of which the strategy needs more than ``needed``. ``ended``: when the last bar closed, nanoseconds UTC. ``close``, ``spread``: of that bar.
    ``warnings``: its bits (``limit_tables.warnings``). ``rate``: account currency per unit of the quote currency, NaN where it is not known. ``trades``: as ``closed_trades`` gives them.
    ``probability``: of a win, by a classifier, NaN for none. ``evaluation``: the figures of its run, for the ledger of trials. ``refusal``: why the strategy does not decide on these bars, or the kernel does not trade them."""

    series: Series
    strategy: str
    bars: int
    needed: int
    ended: int
    close: float
    spread: float
    warnings: int
    rate: float
    trades: pd.DataFrame
    signal: EntrySignal | None = None
    probability: float = NAN
    evaluation: Evaluation | None = None
    refusal: str = ""

    @property
    def ready(self) -> bool:
        return self.bars > self.needed

    @property
    def instrument(self) -> str:
        return self.series.instrument.name

    @property
    def timeframe(self) -> str:
        return str(self.series.timeframe)

    @property
    def r(self) -> np.ndarray:
        return self.trades["r"].to_numpy(np.float64)

    @property
    def spread_at_entries(self) -> float:
        return fsum(self.trades["spread_at_entry"]) / len(self.trades) if len(self.trades) else NAN

    @property
    def stop_distance(self) -> float:
        """Of the signal; without a signal the mean of the trades, which shows what a usual one would be worth."""
        if self.signal is not None:
            return self.signal.stop_distance
        return float((self.trades["entry_price"] - self.trades["stop_loss"]).abs().mean()) if len(self.trades) else NAN


@dataclass(frozen=True)
class SeriesRequest:
    """What all combinations of one series share. ``group``: the series of its timeframe, whose closes features may read."""

    traded: Series
    group: Sequence[Series]
    rates: Sequence[Rate]
    rules: Rules
    equity: float
    most: int
    probability: Probability


def combinations(shared: SeriesRequest, strategies: Mapping[str, Strategy], watch: Watch = lambda share: None) -> list[Combination]:
    """Every strategy on one series. The kernel trades each alone on an account of its own, with the rules as they are."""
    deciding, trading = Bench(shared.group), Bench([shared.traded], shared.rates)
    place = next(k for k, entry in enumerate(shared.group) if entry is shared.traded)
    result = []
    for k, (name, strategy) in enumerate(strategies.items()):
        part = within(watch, k / len(strategies), (k + 1) / len(strategies))
        part(0.0)
        result.append(_combination(shared, deciding, place, trading, name, strategy, part))
    return result


def _combination(shared: SeriesRequest, deciding: Bench, place: int, trading: Bench, name: str, strategy: Strategy, watch: Watch) -> Combination:
    traded = shared.traded
    bare: dict[str, Any] = dict(series=traded, strategy=name, bars=len(traded.bars) + traded.bars_of_history, needed=0)
    try:
        bare["needed"] = _needed(strategy, traded)
        prepared = trading.prepared(limited(shared.rules, strategy))
        signals = deciding.signals_of(place, strategy)
        run, tasks = trading.simulation(strategy, shared.rules, signals=[signals])
        run.to_end(watch)
    except BadRequest as error:
        return _without_trades(bare, shared, str(error))
    own, warn = prepared.market.bars[0], prepared.market.inputs["warn"]
    trades = closed_trades(run.outcome(tasks), own, shared.most)
    rate = abs(float(prepared.market.final_rate[0]))
    row = last_entry(signals[0], int(own.ts[-1]))
    signal = None if row is None else _sizer(shared, own, rate, trades).signal(row, float(own.close[-1]), float(own.spread[-1]))
    p = shared.probability(traded, name, traded.bars["ts"].iloc[-1]) if signal else None
    return Combination(
        **bare, ended=int(own.end[-1]), close=float(own.close[-1]), spread=float(own.spread[-1]), warnings=int(warn[-1]) if len(warn) == len(own.ts) else 0, rate=rate, trades=trades,
        signal=signal, probability=NAN if p is None else p, evaluation=trading.result_of(run, prepared, sum(task.count for task in tasks)),
    )  # fmt: skip


def _sizer(shared: SeriesRequest, own: Bars, rate: float, trades: pd.DataFrame) -> Sizer:
    sizing, last = shared.rules.sizing, slice(-shared.rules.sizing.volatility_window - 1, None)
    volatility = float(yearly_volatility(own.end[last], own.close[last], sizing.volatility_window)[-1]) if sizing.kind == "volatility" else NAN
    return Sizer(sizing, shared.traded.instrument, shared.traded.side, shared.equity, rate, volatility, trades["r"].tolist())


def _without_trades(bare: Mapping[str, Any], shared: SeriesRequest, refusal: str) -> Combination:
    """Where the strategy refuses these bars, or the kernel cannot trade them."""
    from domain.backtest.series import bars_of
    from domain.trading.task import Rate as Alone

    traded = shared.traded
    own = bars_of(Alone(traded.instrument, traded.timeframe, traded.bars, traded.side), shared.rules.costs)
    return Combination(**bare, ended=int(own.end[-1]), close=float(own.close[-1]), spread=float(own.spread[-1]), warnings=0, rate=NAN, trades=pd.DataFrame(columns=list(COLUMNS)), refusal=refusal)


def last_entry(columns: Mapping[str, Any], ts: int) -> dict[str, Any] | None:
    """The first entry of the bar that opened at ``ts`` (nanoseconds UTC), of signals as ``read_columns`` gives them; None where there is none."""
    at = np.flatnonzero((columns["ts"].as_unit("ns").asi8 == ts) & np.asarray(columns["order"] != "exit", bool))
    return {name: column[at[0]] for name, column in columns.items()} if len(at) else None


def _needed(strategy: Strategy, traded: Series) -> int:
    context = context_of(traded, [traded])
    return max((warm_up_of(use, context) for use in uses_of(strategy)), default=0)
