"""A scan that stays in memory: a bar that has closed is appended, and the verdict on it is there at once, without a run through the past.

Features come bar by bar; every strategy decides on the last rows of ready columns. Of all series together a strategy decides in one call: its signals at a row come from its
last ``memory`` rows (``OnColumns``), so blocks of so many rows, one series after the other, decide the last row of each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from domain.backtest.governor_tables import bits
from domain.backtest.limit_tables import warnings, warns
from domain.backtest.series import spread_of
from domain.backtest.study import context_of
from domain.errors import BadRequest
from domain.features import Use, compute, use
from domain.features.stream import Stream
from domain.market.bars import ts_of
from domain.market.calendar import bar_ends
from domain.scanner.beside import Beside
from domain.scanner.combination import Combination
from domain.scanner.latest import Rings
from domain.scanner.limits import AccountLimits, Exposure
from domain.scanner.quality import TradeStatistics, side_by_side, trade_statistics
from domain.scanner.scan import Scan, exposures
from domain.scanner.signal import EntrySignal, Sizer
from domain.scanner.verdict import Book, Candidates, Verdicts, judge
from domain.strategies.columns import OnColumns, Rows
from domain.strategies.deciding import decide_last

PRICES = ("open", "high", "low", "close", "volume", "spread")
NAN = float("nan")


class LiveScan:
    """Made from a scan that was computed; ``series`` of its request by number. Sizing by volatility, which needs the whole past, and strategies that do not decide on columns are refused."""

    def __init__(self, scan: Scan) -> None:
        request = scan.request
        self.scan, self.request, self.strategies = scan, request, _deciders(request.strategies)
        if request.rules.sizing.kind == "volatility":
            raise BadRequest("sizing by volatility needs the whole past of a series; choose another sizing for a scan bar by bar")
        self.uses = _uses(self.strategies, request.rules.limits)
        self._reviewed = warns(request.rules.limits)
        keep = max(2, *(strategy.memory for strategy in self.strategies), request.rules.limits.spike_window + 1 if self._reviewed else 2)
        self.rings = Rings([*PRICES, *(each.column for each in self.uses)], len(request.series), keep)
        self._ts = np.zeros((len(request.series), keep), np.int64)
        self._bars = np.zeros(len(request.series), np.int64)
        self._spreads = [float(request.rules.costs.of(traded.instrument).spread) for traded in request.series]
        self._names = [traded.instrument.name for traded in request.series]
        closes: dict[Any, dict[str, float]] = {traded.timeframe: {} for traded in request.series}
        for traded in request.series:
            closes[traded.timeframe][traded.instrument.name] = float(traded.seen["close"].iloc[-1])
        self._closes_beside = [closes[traded.timeframe] for traded in request.series]
        self.streams = [self._stream(k) for k in range(len(request.series))]
        self._beside = {timeframe: Beside(any(stream.longer_reads_beside for stream in self.streams)) for timeframe in closes}
        self._of_trades(scan)
        self._held, self._limits = exposures(request, scan.combinations), AccountLimits(request.rules.limits, request.rules.account, request.capital)

    def _stream(self, k: int) -> Stream:
        traded = self.request.series[k]
        context = context_of(traded, [other for other in self.request.series if other.timeframe == traded.timeframe])
        frame = compute(traded.seen, self.uses, context)
        self.rings.fill(k, {str(name): frame[name].to_numpy(np.float64) for name in frame if name != "ts"})
        self.rings.fill(k, dict(spread=spread_of(traded.seen, traded.instrument, traded.timeframe, self.request.rules.costs)))
        last = ts_of(traded.seen)[-self.rings.keep :]
        self._ts[k, self.rings.keep - len(last) :] = last
        self._bars[k] = len(traded.seen)
        return Stream(traded.seen, self.uses, context)

    def _of_trades(self, scan: Scan) -> None:
        """What closed trades decide, computed once: a row for each series and strategy, in that order."""
        names = list(self.request.strategies)
        place = {(id(each.series), each.strategy): each for each in scan.combinations}
        self.combinations: list[Combination] = [place[id(traded), name] for traded in self.request.series for name in names]
        self.statistics = trade_statistics(side_by_side([each.r for each in self.combinations], self.request.criteria.history))
        self.spread_at_entries = np.array([each.spread_at_entries for each in self.combinations])
        self.usual_stop = np.array([float((each.trades["entry_price"] - each.trades["stop_loss"]).abs().mean()) if len(each.trades) else NAN for each in self.combinations])
        self.needed = np.array([each.needed for each in self.combinations])
        self.instruments = list(dict.fromkeys([*scan.correlations.names, *(held.instrument for held in self.request.positions)]))
        self.number = np.array([self.instruments.index(each.instrument) for each in self.combinations])
        self.rho = np.array([[scan.correlations.of(a, b) for b in self.instruments] for a in self.instruments])
        rates = {each.instrument: each.rate for each in scan.combinations if not np.isnan(each.rate)}
        self.rates = [rates.get(traded.instrument.name, NAN) for traded in self.request.series]
        self._sizers = [self._sizer(j) for j in range(len(self.combinations))]

    def _sizer(self, j: int) -> Sizer:
        each, k = self.combinations[j], j // len(self.strategies)
        return Sizer(self.request.rules.sizing, each.series.instrument, each.series.side, self.request.capital, self.rates[k], NAN, each.r.tolist())

    # -- bars

    def append(self, k: int, bar: Mapping[str, Any], others: Mapping[str, float] = {}) -> None:
        """A bar of series ``k`` that has closed: ts (nanoseconds UTC or a time), open high low close, and volume and spread where it has them.
        ``others``: closes of other instruments that are known by its end; those of their last bars that are here need not be given."""
        closes = self._closes_beside[k]
        context, end, beside = self.streams[k].context, self._end(k, bar), self._beside[self.request.series[k].timeframe]
        values = self.streams[k].append(bar, {**closes, **others} if others else closes, context.macro_at(end), earlier=partial(beside.at, context))
        beside.closed(self._names[k], end, float(bar["close"]))
        closes[self._names[k]] = float(bar["close"])
        spread = bar.get("spread", NAN)
        row = {name: float(bar[name]) for name in PRICES[:5] if name in bar} | dict(spread=float(spread) if spread == spread else self._spreads[k])
        self.rings.append(k, row | values)
        self._ts[k, :-1] = self._ts[k, 1:]
        self._ts[k, -1] = _nanoseconds(bar["ts"])
        self._bars[k] += 1

    def _end(self, k: int, bar: Mapping[str, Any]) -> int:
        traded = self.request.series[k]
        return _nanoseconds(bar["end"]) if "end" in bar else int(bar_ends(np.array([_nanoseconds(bar["ts"])]), traded.timeframe, traded.instrument.calendar)[0])

    def append_all(self, bars: Mapping[int, Mapping[str, Any]]) -> None:
        """Bars of several series that closed at one instant: each knows the closes of the others of its timeframe."""
        for k, bar in bars.items():
            self._closes_beside[k][self._names[k]] = float(bar["close"])
        for k, bar in bars.items():
            self.append(k, bar)

    def close(self, k: int, bar: Mapping[str, Any], others: Mapping[str, float] = {}) -> Verdicts:
        """Append a bar, and judge the combinations of its series, in the order of the strategies."""
        self.append(k, bar, others)
        signals = {j: self._signal(k, j) for j in range(len(self.strategies))}
        own = np.arange(k * len(self.strategies), (k + 1) * len(self.strategies))
        return self._judge(own, {int(own[j]): signal for j, signal in signals.items() if signal is not None})

    def verdicts(self) -> Verdicts:
        """All combinations at the last bar of each series, series by series in the order of the strategies."""
        count = len(self.strategies)
        signals = {}
        for j, strategy in enumerate(self.strategies):
            for k in self._deciding(strategy):
                if (signal := self._read(k, j)) is not None:
                    signals[k * count + j] = signal
        return self._judge(np.arange(len(self.combinations)), signals)

    def _deciding(self, strategy: OnColumns) -> list[int]:
        """The series with a signal at their last bar."""
        memory = strategy.memory
        at = [rows["bar"][rows["bar"] % memory == memory - 1] for rows in entries(strategy.decisions(self.rings.blocks(memory)))]
        return (np.unique(np.concatenate(at)) // memory).tolist() if at else []

    def _signal(self, k: int, j: int) -> EntrySignal | None:
        """The first entry of the last bar. Its rows are read and checked only where there is one, for most bars decide nothing."""
        strategy = self.strategies[j]
        latest = self.rings.latest(k, strategy.memory)
        if not any(len(rows["bar"]) and rows["bar"][-1] == strategy.memory - 1 for rows in entries(strategy.decisions(latest))):
            return None
        return self._read(k, j)

    def _read(self, k: int, j: int) -> EntrySignal | None:
        strategy = self.strategies[j]
        rows = decide_last(strategy, self.rings.latest(k, strategy.memory))
        row = next((row for row in rows if row["order"] != "exit"), None)
        if row is None:
            return None
        return self._sizers[k * len(self.strategies) + j].signal(row, self.rings.value(k, "close"), self.rings.value(k, "spread"))

    # -- the verdict

    def _judge(self, own: np.ndarray, signals: Mapping[int, EntrySignal]) -> Verdicts:
        count = len(self.strategies)
        side, stop, at_risk = np.zeros(len(own), np.int8), self.usual_stop[own], np.full(len(own), NAN)
        first = int(own[0])
        for j, signal in signals.items():
            side[j - first], stop[j - first], at_risk[j - first] = signal.side, signal.stop_distance, signal.at_risk
        series = own // count
        spread = self.rings.table[self.rings.place["spread"], series, -1]
        candidates = Candidates(self.number[own], side, self._bars[series] > self.needed[own], np.zeros((0, 0)), spread, self.spread_at_entries[own], stop, at_risk, np.full(len(own), NAN))

        def exposure(j: int) -> Exposure:
            each, signal = self.combinations[first + j], signals[first + j]
            return Exposure(each.series.instrument, signal.side, signal.lots, signal.entry, self.rates[(first + j) // count])

        def limit(j: int, proposed: Sequence[int]) -> str:
            return self._limits.refusal(exposure(j), [*self._held, *map(exposure, proposed)], self._warnings((first + j) // count))

        positions = [(self.instruments.index(held.instrument), held.side) for held in self.request.positions]
        statistics = self.statistics if len(own) == len(self.combinations) else TradeStatistics(*(column[own] for column in self.statistics))
        return judge(candidates, Book(self.request.capital, self.rho, positions, limit), self.request.criteria, statistics)

    def _warnings(self, k: int) -> int:
        """The bits of the last bar, as a backtest has them."""
        if not self._reviewed:
            return 0
        limits, traded = self.request.rules.limits, self.request.series[k]
        latest, ts = self.rings.latest(k, self.rings.keep), self._ts[k]
        atr = latest[_spike(limits).column] if limits.volatility_spike else np.full(len(ts), NAN)
        ends = bar_ends(ts, traded.timeframe, traded.instrument.calendar)
        flags = bits(replace(limits, drift=""), traded.instrument, ends[-1:], traded.context.releases, None)     # a proposal is not shrunk
        return int(flags[-1] | warnings(limits, ts, ends, latest["spread"], atr, latest["high"], latest["low"], latest["close"])[-1])


def entries(decided: Rows | tuple[Rows, ...]) -> list[Rows]:
    """The sets of rows that may hold entries: not those that are exits all over."""
    return [rows for rows in (decided if isinstance(decided, tuple) else (decided,)) if not (isinstance(rows.get("order"), str) and rows["order"] == "exit")]


def _deciders(strategies: Mapping[str, Any]) -> list[OnColumns]:
    """The strategies, each of which decides on columns."""
    for name, strategy in strategies.items():
        if not isinstance(strategy, OnColumns):
            raise BadRequest(f"{name} does not decide on columns, so it cannot decide bar by bar; leave it out")
    return list(strategies.values())


def _nanoseconds(ts: Any) -> int:
    return int(ts) if isinstance(ts, (int, np.integer)) else int(pd.Timestamp(ts).as_unit("ns").value)


def _uses(strategies: Sequence[Any], limits: Any) -> list[Use]:
    """The columns that the strategies and the limits read, each once."""
    wanted = [each for strategy in strategies for each in strategy.features()] + ([_spike(limits)] if limits.volatility_spike else [])
    return list({each.column: each for each in wanted}.values())


def _spike(limits: Any) -> Use:
    return use("atr", window=limits.spike_window)
