"""The account by whole runs over the bars so far: slow, and right by construction. It stands where the kernel is not fed bar by bar yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from domain.backtest.live_records import Booked, EquityRow, Fill, LiveSeries, Present, Review, Trade
from domain.backtest.prepare import prepare
from domain.backtest.series import instants_of
from domain.backtest.simulator import Simulation
from domain.market.bars import frame
from domain.market.instrument import Instrument
from domain.market.timeframe import Timeframe
from domain.trading.rules import Rules
from domain.trading.signal_row import Row
from domain.trading.signals import read_signals
from domain.trading.task import Outcome, Task

KINDS: tuple[Any, ...] = (Fill, Trade, Review)
FAR = 30 * 86_400_000_000_000       # how far after the last bar the one that is not there stands, ns


@dataclass
class LiveTask:
    """Bars and signals of one task so far."""

    instrument: Instrument
    timeframe: Timeframe
    side: str
    bars: list[list[float]] = field(default_factory=list)       # ts open high low close spread
    signals: list[dict[str, Any]] = field(default_factory=list)
    open: bool = False


class WholeRuns:
    """Fed as ``LiveSimulation`` is."""

    def __init__(self, series: Sequence[LiveSeries], rules: Rules, rates: Sequence[LiveSeries] = (), tape: Any = None) -> None:
        self.tasks, self.rules = [LiveTask(*task[:3]) for task in series], rules
        self._ended: list[tuple[int, int]] = []
        self._told, self._closed = [0, 0, 0], set[int]()
        self.outcome: Outcome | None = None
        self.last = 0

    def open(self, k: int, ts: int, open: float, spread: float, end: int | None = None) -> None:
        self.tasks[k].bars.append([ts, open, open, open, open, spread])
        self.tasks[k].open = True

    def end(self, k: int, high: float, low: float, close: float, end: int, last: bool = False) -> None:
        self.tasks[k].bars[-1][2:5] = [high, low, close]
        self.tasks[k].open = False
        self._ended.append((end, k))

    def advance(self, until: int, decide: Callable[[int, int], Sequence[Row]]) -> list[Booked]:
        """Everything up to and with ``until``."""
        for end, k in sorted(self._ended):
            for row in decide(k, end):
                self.tasks[k].signals.append({"ts": pd.Timestamp(int(self.tasks[k].bars[-1 - self.tasks[k].open][0]), tz="UTC"), **{name: value for name, value in row.items() if value == value and value != ""}})
        self._ended = []
        return self._run(until, False)

    def finish(self) -> Booked:
        return next(iter(self._run(None, True)), Booked(0))

    def present(self) -> Present:
        row = self.outcome.equity.iloc[-1] if self.outcome is not None and len(self.outcome.equity) else {}
        balance = self.rules.account.balance
        counts = self.outcome.counts if self.outcome is not None else {}
        return Present(row.get("balance", balance), row.get("equity", balance), row.get("used_margin", 0.0), balance, balance, False, 0, 0, counts, (), ())

    def _run(self, until: int | None, last: bool) -> list[Booked]:
        if any(not task.bars for task in self.tasks):
            return []
        tasks = [_task(task, not last) for task in self.tasks]
        prepared = prepare(tasks, self.rules)
        run = Simulation(prepared, self.rules.account)
        from domain.backtest.series import bars_of

        instants = instants_of([bars_of(task, self.rules.costs) for task in tasks])
        at = len(instants) if until is None else int(np.searchsorted(instants, until, side="right"))
        for _ in range(at):
            run.step(1)
        rows = int(run.arrays["account"][0]["rows"])
        if not last:
            run.store()         # empties the buffers
            fills, closed = sum(map(len, run.fills)), [int(number) for part in run.trades for number in part["trade"]]
        run.finish()
        self.outcome = outcome = run.outcome(tasks)
        if last:
            fills, closed = len(outcome.fills), list(range(1, len(outcome.trades) + 1))
        return self._new(outcome, int(instants[at - 1]), rows, fills, closed, last)

    def _new(self, outcome: Outcome, ts: int, rows: int, filled: int, closed: list[int], last: bool) -> list[Booked]:
        new_trades = [number for number in closed if number not in self._closed]
        trades = outcome.trades.iloc[[number - 1 for number in new_trades]]
        frames = [outcome.fills.iloc[self._told[0] : filled], trades, outcome.reviews.iloc[self._told[1] :], outcome.equity.iloc[self._told[2] - last : rows]]
        parts = [plain(frame) for frame in frames]
        self._told = [filled, len(outcome.reviews), rows]
        self._closed |= set(new_trades)
        fills, trades, reviews = ([kind(**{name: row.get(name, 0) for name in kind._fields}) for row in rows] for kind, rows in zip(KINDS, parts[:3], strict=True))
        return [Booked(ts, tuple(fills), tuple(trades), tuple(reviews), EquityRow(**parts[3][-1]) if parts[3] else None)]


def plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table in plain values, times in nanoseconds UTC."""
    times = {name: frame[name].array.as_unit("ns").asi8 for name in frame if isinstance(frame[name].dtype, pd.DatetimeTZDtype)}
    words = {name: frame[name].astype(object) for name in frame if isinstance(frame[name].dtype, pd.CategoricalDtype)}
    return [{str(name): value for name, value in row.items()} for row in frame.assign(**times, **words).to_dict("records")]


def _task(task: LiveTask, goes_on: bool) -> Task:
    rows = np.array(task.bars, np.float64)
    ts = np.array([bar[0] for bar in task.bars], np.int64)
    if goes_on:
        rows, ts = np.vstack([rows, rows[-1]]), np.append(ts, ts[-1] + FAR)
    bars = frame(ts, **dict(zip(("open", "high", "low", "close", "spread"), rows.T[1:], strict=True)))
    table = pd.DataFrame(task.signals) if task.signals else pd.DataFrame({"ts": pd.DatetimeIndex([], tz="UTC"), "side": []})
    return Task(task.instrument, task.timeframe, bars, read_signals(table, (task.instrument.name,)), task.side)
