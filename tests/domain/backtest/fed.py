"""A case fed to a live account bar by bar, and the whole run's outcome in the same records."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from domain.backtest.commanded import Commanded
from domain.backtest.live import Booked, LiveSeries, LiveSimulation
from domain.backtest.live_records import joined
from domain.backtest.rate_table import costs_of_rate
from domain.backtest.series import Bars, bars_of, nanoseconds
from domain.backtest.verbs import Traded, Verbs
from domain.trading.command import Command
from domain.trading.signals import SIGNAL_COLUMNS
from domain.trading.task import Rate, Task
from tests.reference.cases import Case

NO_BARS = Bars(np.zeros(0, np.int64), np.zeros(0, np.int64), *(np.zeros(0) for _ in range(5)))


def in_order(case: Case) -> Case:
    """With the signals of each task in the order of their bars, in which a live account gets them."""
    return replace(case, tasks=tuple(replace(task, signals=task.signals.sort_values("ts", kind="stable").reset_index(drop=True)) for task in case.tasks))


class Feed:
    """The bars of a case as they come: ``step`` feeds and works one instant. ``tape``: what has ended so far."""

    def __init__(self, case: Case, kept: bool = False) -> None:
        self.case, self.kept = case, kept
        self.series = [LiveSeries(task.instrument, task.timeframe, task.side, (task.finer_timeframe or task.timeframe) if task.finer is not None else None, task.releases) for task in case.tasks]
        self.rates = [LiveSeries(rate.instrument, rate.timeframe, rate.side) for rate in case.rates]
        self.bars = [bars_of(task, case.costs) for task in case.tasks]
        self.finer = [_finer_of(task, case) for task in case.tasks]
        self.quoted = [bars_of(rate, costs_of_rate(rate, case.tasks, case.costs)) for rate in case.rates]
        self.rows = [_rows_of(task) for task in case.tasks]
        self.done = [0] * len(case.tasks)       # bars that have ended
        self.finer_done, self.quoted_done = [0] * len(self.finer), [0] * len(self.quoted)

    def simulation(self) -> LiveSimulation:
        return self.reminded(LiveSimulation(self.series, self.case.rules, self.rates, self.tape if self.kept else None))

    def restored(self, stored: bytes) -> LiveSimulation:
        return self.reminded(LiveSimulation.restore(self.series, self.case.rules, stored, self.rates, self.tape))

    def reminded(self, live: LiveSimulation) -> LiveSimulation:
        """With the values of the monitored feature so far."""
        for k, task in enumerate(self.case.tasks):
            if task.monitored is not None:
                live.remember(k, task.monitored[: len(task.monitored) - len(task.bars) + self.done[k]])
        return live

    def tape(self, k: int, last: int | None) -> Bars:
        first = 0 if last is None else max(self.done[k] - last, 0)
        return Bars(*(column[first : self.done[k]] for column in self.bars[k]))

    def instants(self) -> list[int]:
        return sorted({int(moment) for bars in self.bars for column in (bars.ts, bars.end) for moment in column})

    def ends(self, live: LiveSimulation, now: int) -> None:
        """All bars that end by now."""
        for j, bars in enumerate(self.quoted):
            while self.quoted_done[j] < len(bars.ts) and bars.end[self.quoted_done[j]] <= now:
                b = self.quoted_done[j]
                live.rate(len(self.series) + j, int(bars.end[b]), float(bars.close[b]), float(bars.spread[b]))
                self.quoted_done[j] += 1
        for k, bars in enumerate(self.finer):
            while self.finer_done[k] < len(bars.ts) and min(bars.end[b := self.finer_done[k]], self._end_with(k, int(bars.ts[b]))) <= now:
                live.finer(k, *(column[self.finer_done[k]].item() for column in (bars.ts, bars.open, bars.high, bars.low, bars.close, bars.spread, bars.end)))
                self.finer_done[k] += 1
        for k, bars in enumerate(self.bars):
            b = self.done[k]
            if b < len(bars.ts) and bars.end[b] == now:
                self.done[k] += 1
                live.end(k, float(bars.high[b]), float(bars.low[b]), float(bars.close[b]), last=b == len(bars.ts) - 1)

    def _end_with(self, k: int, ts: int) -> int:
        """The end of the bar that a finer bar lies in: it is known by then."""
        b = int(np.searchsorted(self.bars[k].ts, ts, side="right")) - 1
        return int(self.bars[k].end[b]) if b >= 0 and ts < self.bars[k].end[b] else np.iinfo(np.int64).max

    def opens(self, live: LiveSimulation, now: int) -> None:
        for k, bars in enumerate(self.bars):
            b = self.done[k]
            if b < len(bars.ts) and bars.ts[b] == now:
                live.open(k, now, float(bars.open[b]), float(bars.spread[b]), int(bars.end[b]))

    def decide(self, live: LiveSimulation) -> Any:
        def decided(k: int, end: int) -> list[dict]:
            b = self.done[k] - 1
            trail, monitored = self.case.tasks[k].trail_price, self.case.tasks[k].monitored
            if monitored is not None:
                live.monitor(float(monitored[len(monitored) - len(self.bars[k].ts) + b]))
            if trail is not None:
                live.trail(float(trail[b]))
            return self.rows[k].get(int(self.bars[k].ts[b]), [])

        return decided


class Result(NamedTuple):
    fills: list
    trades: list
    reviews: list
    equity: list
    counts: dict
    ambiguous: int
    entries: int
    largest: int        # bytes of state


def fed(case: Case, restores: bool = True, halves: bool = False, request: Commanded = Commanded()) -> Result:
    """The case bar by bar, stored and restored into a fresh object after every event; ``halves``: the ends of an instant are worked before its opens
    are known; ``request``: commands."""
    feed, booked, largest, commands = Feed(case, kept=restores), list[Booked](), 0, deque(enumerate(request.commands))
    verbs = Verbs([Traded(task.instrument, task.timeframe, name) for task, name in zip(case.tasks, request.strategies or [""] * len(case.tasks), strict=True)], case.limits.blackout)
    live = feed.simulation()
    live.ask(request.ask)
    for now in feed.instants():
        booked += worked(commands, verbs, live, request, now)
        for part in ((feed.ends,), (feed.opens,)) if halves else ((feed.ends, feed.opens),):
            for fill in part:
                fill(live, now)
            booked += live.advance(now, feed.decide(live))
            if restores:
                stored = live.store()
                largest = max(largest, len(stored))
                live = feed.restored(stored)
    booked += worked(commands, verbs, live, request, None)
    booked.append(live.finish())
    every, present = joined(booked), live.present()
    return Result(*(every[name] for name in ("fills", "trades", "reviews", "equity")), present.counts, present.ambiguous, present.entries, largest)


def worked(commands: deque[tuple[int, Command]], verbs: Verbs, live: LiveSimulation, request: Commanded, before: int | None) -> list[Booked]:
    """The commands that come before the next instant."""
    while commands and (before is None or commands[0][1].ts < before):
        place, command = commands.popleft()
        verbs.work(command, live)
        if place in request.limits:
            live.limit(request.limits[place])
    return live.taken()


def as_records(frame: pd.DataFrame) -> list[tuple]:
    """Rows with times as nanoseconds and numbers as they are."""
    columns = [nanoseconds(column).tolist() if column.dtype.kind == "M" else column.tolist() for _, column in frame.items()]
    return list(zip(*columns, strict=True))


def same(a: Any, b: Any) -> bool:
    """Equal to the last bit; NaN is NaN."""
    return a == b or (isinstance(a, float) and isinstance(b, float) and a != a and b != b)


def unlike(whole: Any, live: Result) -> list[str]:
    """Every difference between a whole run's outcome and what a live account booked."""
    lines = []
    for name in ("fills", "trades", "reviews", "equity"):
        ours, theirs = as_records(getattr(whole, name)), getattr(live, name)
        if len(ours) != len(theirs):
            lines.append(f"{name}: {len(ours)} rows, live {len(theirs)}")
        lines += [f"{name}[{n}]: {a} != {tuple(b)}" for n, (a, b) in enumerate(zip(ours, theirs, strict=False)) if not all(same(x, y) for x, y in zip(a, b, strict=False))]
    lines += [f"count {name}: {whole.counts[name]} != {live.counts[name]}" for name in whole.counts if whole.counts[name] != live.counts[name]]
    if (whole.ambiguous, whole.extra["entries"]) != (live.ambiguous, live.entries):
        lines.append(f"ambiguous, entries: {whole.ambiguous, whole.extra['entries']} != {live.ambiguous, live.entries}")
    return lines


def _rows_of(task: Task) -> dict[int, list[dict]]:
    rows: dict[int, list[dict]] = {}
    names = [name for name in SIGNAL_COLUMNS if name in task.signals and name not in ("ts", "instrument")]
    columns = [task.signals[name].tolist() for name in names]
    for ts, *values in zip(nanoseconds(task.signals["ts"]).tolist(), *columns, strict=True):
        rows.setdefault(ts, []).append(dict(zip(names, values, strict=True)))
    return rows


def _finer_of(task: Task, case: Case) -> Bars:
    return NO_BARS if task.finer is None else bars_of(Rate(task.instrument, task.finer_timeframe or task.timeframe, task.finer, task.side), case.costs)


def events_of(case: Case) -> Iterator[int]:
    yield from Feed(case).instants()
