"""Series prepared once, so that each of many strategies costs only its signals and the kernel."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from domain.analytics.daily import account_calendar, last_rows
from domain.backtest.evaluation import Curve, Evaluation, Results, curve_of, evaluated
from domain.backtest.lane.bars import Lane, lane_of
from domain.backtest.lane.decided import Decider, within_bars
from domain.backtest.lane.orders import Orders
from domain.backtest.own_limits import limited
from domain.backtest.prepare import MarketInputs, prepare_market, with_signals
from domain.backtest.simulator import Simulation, Watch
from domain.backtest.state import TRADE
from domain.backtest.study import Rules, Series, context_of, decided
from domain.backtest.volatility_stops import with_volatility_stops
from domain.errors import BadRequest
from domain.features import Use, compute
from domain.market.sessions import Calendar
from domain.params import values_of
from domain.risk.limits import Limits
from domain.strategies import Strategy
from domain.strategies.base import refuse_without_model
from domain.trading.limit_inputs import informed
from domain.trading.signals import Columns, read_columns
from domain.trading.task import Rate, Task

COLUMNS, TABLES, FIELDS = 64, 64, 3     # feature columns, tables of signals and prepared series that are cached

Signals = tuple[Columns, np.ndarray | None]     # as read_columns gives them, and a trailing price a bar
Span = tuple[pd.Timestamp, pd.Timestamp]
K = TypeVar("K")
V = TypeVar("V")


class LRUCache(Generic[K, V]):
    """The most recently used values; the least recently used goes first."""

    def __init__(self, most: int) -> None:
        self._most, self._entries = most, OrderedDict[K, V]()

    def __contains__(self, key: K) -> bool:
        return key in self._entries

    def held(self, key: K) -> V:
        """One that is in it."""
        self._entries.move_to_end(key)
        return self._entries[key]

    def get(self, key: K, make: Callable[[], V]) -> V:
        if key not in self._entries:
            self._entries[key] = make()
        self._entries.move_to_end(key)
        while len(self._entries) > self._most:
            self._entries.popitem(last=False)
        return self._entries[key]


def within(watch: Watch, low: float, high: float) -> Watch:
    """A progress callback for a part that takes ``low`` to ``high`` of all the work."""
    return lambda share: watch(low + (high - low) * share)


class PreparedSeries(NamedTuple):
    """Series under one set of rules, without a signal."""

    series: Sequence[Series]
    rules: Rules
    market: MarketInputs
    calendar: Calendar          # of the account
    days: np.ndarray            # dates of the trading days that have a row, since 1970
    day_ends: np.ndarray        # the last row of each


class Bench:
    """Everything of one sweep that its combinations share. Its results equal those of ``study.run``, sooner."""

    def __init__(self, series: Sequence[Series], rates: Sequence[Rate] = ()) -> None:
        self.series, self.rates = tuple(series), tuple(rates)
        self._columns: list[LRUCache[str, pd.Series]] = [LRUCache(COLUMNS) for _ in self.series]
        self._frames: list[LRUCache[tuple[str, ...], pd.DataFrame]] = [LRUCache(FIELDS) for _ in self.series]
        self._signals: LRUCache[Any, list[Signals]] = LRUCache(TABLES)
        self._prepared_series: LRUCache[Any, PreparedSeries] = LRUCache(FIELDS)
        self._lanes: LRUCache[Any, Lane | None] = LRUCache(FIELDS)
        self._orders: LRUCache[Any, Orders | None] = LRUCache(TABLES)
        self._last_orders: LRUCache[Any, Orders | None] = LRUCache(1)
        self._before: tuple[Rules, Span | None, PreparedSeries, Lane | None] | None = None
        self._decider = Decider()

    @property
    def bars(self) -> int:
        return sum(len(entry.bars) for entry in self.series)

    def signals(self, strategy: Strategy) -> list[Signals]:
        """The signals of each series, over all its bars."""
        return self._signals.get(strategy, lambda: [self.signals_of(k, strategy) for k in range(len(self.series))])

    def evaluate(self, strategy: Strategy, rules: Rules, span: Span | None = None, watch: Watch = lambda share: None) -> Evaluation:
        """One combination on all bars, or on those with ``start <= ts < end``; signals use the bars before ``start`` too."""
        if (evaluation := self.skimmed(strategy, rules, span)) is not None:
            return evaluation
        run, tasks = self.simulation(strategy, rules, span)
        run.to_end(watch)
        return self.result_of(run, self.prepared(limited(rules, strategy), span), sum(task.count for task in tasks))

    def skimmed(self, strategy: Strategy, rules: Rules, span: Span | None = None) -> Evaluation | None:
        """The same by the lane of sweeps; None where the rules, or the signals, ask for more than it knows."""
        if len(self.series) != 1 or rules.execution.stops != "signal":
            return None
        prepared, lane = self._lane(limited(rules, strategy), span)
        orders = self.orders(strategy) if lane else None
        if lane is None or orders is None:
            return None
        orders = orders if span is None else within_bars(orders, *_edges(self.series[0].bars, span))
        skimmed = lane.skim(orders)
        if skimmed is None:
            return None
        results = Results(dict(pnl=skimmed.pnl, r=skimmed.r, bars_held=skimmed.bars_held))
        return evaluated(curve_of(prepared.rules.account.balance, prepared.market.ends[[0, -1]], results, prepared.calendar, skimmed.ends, skimmed.falls), prepared.days, orders.entries.rows)

    def _lane(self, rules: Rules, span: Span | None) -> tuple[PreparedSeries, Lane | None]:
        """Those of the combination before where the rules are the same object: to compare them by their values takes longer than to simulate few trades."""
        if self._before is None or self._before[0] is not rules or self._before[1] != span:
            prepared = self.prepared(rules, span)
            before = self._before[3] if self._before else None
            self._before = rules, span, prepared, self._lanes.get((rules, span), lambda: lane_of(prepared.market, prepared.day_ends, before))
        return self._before[2:]

    def refusal(self, strategy: Strategy) -> str:
        """Why a strategy refuses to decide on these bars; empty where it decides."""
        try:
            if len(self.series) != 1 or self.orders(strategy) is None:
                self.signals(strategy)
        except BadRequest as error:
            return str(error)
        return ""

    def orders(self, strategy: Strategy) -> Orders | None:
        """The decisions of a strategy on the bars of the one series, as columns; None where they are not all orders of one kind. Of one whose combinations
        share their decisions only the last is kept: its levels are made sooner than they are read from memory."""
        cache = self._last_orders if getattr(strategy, "protection", ()) else self._orders
        return cache.get(strategy, lambda: self._ordered(strategy))

    def _ordered(self, strategy: Strategy) -> Orders | None:
        refuse_without_model(strategy, False)
        if (orders := self._decider.once_more(strategy)) is not None:
            return orders
        frame = self._frame(0, strategy)
        orders = self._decider.of_columns(strategy, self.series[0], frame)
        return orders or self._decider.of_signals(self.signals(strategy)[0], self.series[0])

    def simulation(self, strategy: Strategy, rules: Rules, span: Span | None = None, signals: Sequence[Signals] | None = None) -> tuple[Simulation, list[Task]]:
        """A run that has not started, and its tasks."""
        prepared = self.prepared(limited(rules, strategy), span)
        given = [_within(signal, span, self.series[k].bars) for k, signal in enumerate(self._protected(signals or self.signals(strategy), rules))]
        tasks = [_task(entry, *table) for entry, table in zip(prepared.series, given, strict=True)]
        return Simulation(with_signals(prepared.market, tasks), rules.account), tasks

    def _protected(self, signals: Sequence[Signals], rules: Rules) -> Sequence[Signals]:
        """With the stops and targets that the rules ask for."""
        if rules.execution.stops == "signal":
            return signals
        return [(with_volatility_stops(columns, series), trail) for (columns, trail), series in zip(signals, self.series, strict=True)]

    def prepared(self, rules: Rules, span: Span | None = None) -> PreparedSeries:
        return self._prepared_series.get((rules, span), lambda: self._prepare(rules, span))

    def _prepare(self, rules: Rules, span: Span | None) -> PreparedSeries:
        series = [_cut(entry, span) for entry in self.series]
        tasks = [self._informed(k, _task(entry, NO_SIGNALS, None), rules.limits, span) for k, entry in enumerate(series)]
        calendar = account_calendar(entry.instrument.calendar for entry in series)
        market = prepare_market(tasks, rules, self.rates)
        return PreparedSeries(series, rules, market, calendar, *last_rows(market.ends, calendar))

    def _informed(self, k: int, task: Task, limits: Limits, span: Span | None) -> Task:
        """With what limits read; a feature is computed on all bars, as signals are, and known up to the last of these."""
        series = self.series[k]
        task = informed(task, limits, series.seen, context_of(series, self.series))
        if task.monitored is None or span is None:
            return task
        return replace(task, monitored=task.monitored[: series.bars_of_history + int(series.bars["ts"].searchsorted(span[1]))])

    def result_of(self, run: Simulation, prepared: PreparedSeries, signals: int) -> Evaluation:
        """The figures of a run that has ended."""
        start, t = prepared.rules.account.balance, np.concatenate(run.trades or [np.empty(0, TRADE)])
        t = t[np.argsort(t["trade"], kind="stable")]
        equity, low, balance = (run.arrays[f"row_{name}"] for name in ("equity", "equity_low", "balance"))
        results: Any = Results(dict(pnl=t["gross"] - t["costs"] + t["swap"], r=t["r"], bars_held=t["bars"]))
        facts = Curve(start, run.arrays["row_ts"], equity, low, balance, results, 0.0, 0.0, np.nan, prepared.calendar, equity[prepared.day_ends])
        return evaluated(facts, prepared.days, signals)

    def signals_of(self, k: int, strategy: Strategy) -> Signals:
        """The signals of one series, over all its bars."""
        refuse_without_model(strategy, False)
        return decided(self.series[k], strategy, self.series, self._frame(k, strategy))

    def _frame(self, k: int, strategy: Strategy) -> pd.DataFrame:
        """The bars and beside them the features, each computed once while it is in the cache. A strategy may write into the frame; it is not shared."""
        uses = {feature.column: feature for feature in strategy.features()}
        return self._frames[k].get(tuple(uses), lambda: self._framed(k, uses)).copy(deep=False)

    def _framed(self, k: int, uses: Mapping[str, Use]) -> pd.DataFrame:
        bars, cache = self.series[k].seen, self._columns[k]
        missing = [use for name, use in uses.items() if name not in cache]
        columns = {name: cache.held(name) for name in uses if name in cache}     # before new ones put them out
        computed = compute(bars, missing, context_of(self.series[k], self.series))
        columns |= {use.column: cache.get(use.column, partial(computed.__getitem__, use.column)) for use in missing}
        return pd.DataFrame({**{name: bars[name] for name in bars}, **{name: columns[name] for name in uses}}, copy=False)


def _cut(market_series: Series, span: Span | None) -> Series:
    if span is None:
        return market_series
    first, last = _edges(market_series.bars, span)
    return replace(market_series, bars=market_series.bars.iloc[first:last].reset_index(drop=True))


def _edges(bars: pd.DataFrame, span: Span) -> tuple[int, int]:
    """The first bar of a span, and the first after it."""
    first, last = (int(bars["ts"].searchsorted(edge)) for edge in span)
    return first, last


def _within(signals: Signals, span: Span | None, bars: pd.DataFrame) -> Signals:
    if span is None:
        return signals
    columns, trail = signals
    ts, (start, end) = columns["ts"], (edge.value for edge in span)
    moments = ts.as_unit("ns").asi8
    chosen: Any = (moments >= start) & (moments < end)
    if (np.diff(moments) >= 0).all():       # a piece of each, which costs nothing
        chosen = slice(*(int(np.searchsorted(moments, edge)) for edge in (start, end)))
    first, last = _edges(bars, span)
    return {name: column[chosen] for name, column in columns.items()}, None if trail is None else trail[first:last]


def _task(market_series: Series, signals: Columns, trail: np.ndarray | None) -> Task:
    return Task(market_series.instrument, market_series.timeframe, market_series.bars, signals, market_series.side, market_series.finer, market_series.finer_timeframe, trail)


NO_SIGNALS = read_columns(pd.DataFrame(dict(ts=pd.DatetimeIndex([], tz="UTC").as_unit("ns"), side=np.zeros(0, np.int8))), ("",))


def key_of(rules: Rules) -> tuple[tuple[str, str], ...]:
    """A sort key that puts equal rules together."""
    return tuple((field.name, repr(values_of(getattr(rules, field.name)))) for field in fields(rules))
