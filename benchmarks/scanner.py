"""The scanner in memory: bars of 30 instruments and 3 timeframes close, every strategy decides, every combination gets its verdict. Every one has the trades of an A+, so that each signal
goes on to its size, expected shortfall, correlations and limits."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.timing import Row, duration, steady
from domain.backtest.study import Series
from domain.errors import BadRequest
from domain.market import instruments
from domain.market.bars import frame
from domain.market.timeframe import Timeframe
from domain.market.zones import HOUR
from domain.risk.limits import Limits
from domain.risk.positions import OpenPosition
from domain.risk.sizing import Sizing
from domain.scanner.combination import Combination
from domain.scanner.criteria import Criteria
from domain.scanner.live import LiveScan
from domain.scanner.scan import ScanRequest, verdict_of
from domain.strategies import STRATEGIES
from domain.strategies.base import make
from domain.strategies.columns import OnColumns
from domain.trading.rules import Rules

INSTRUMENTS, TIMEFRAMES = 30, ("M15", "H1", "H4")
HISTORY, COMING = 1_500, 400        # bars before, and bars that close while it is timed
PACE, LATENCY = 20_000, 1e-3        # combinations a second; seconds from a closed bar to the verdict, 99 times in 100
RULES = Rules(sizing=Sizing("fraction_at_risk", 0.003), limits=Limits(max_positions=10, max_leverage=50.0, max_currency=50.0))


def rows() -> Iterator[Row]:
    live, coming = prepared()
    count, most = len(live.combinations), len(live.strategies)
    what = f"{INSTRUMENTS} instruments × {most} strategies × {len(TIMEFRAMES)} timeframes"
    steps = iter(range(COMING // 2))

    def close_all() -> None:
        step = next(steps)
        live.append_all({k: bars[step] for k, bars in enumerate(coming)})
        live.verdicts()

    for named, act in (("features, decisions, verdicts", close_all), ("decisions and verdicts, columns ready", live.verdicts)):
        cpu = time.process_time()
        seconds = steady(act, 40)
        yield _pace(f"scan of one closed bar of each of {what}: {named}", count, seconds, (time.process_time() - cpu) / 41)
    yield from _latency(f"a bar appended in memory to the verdicts of its {most} strategies", *latencies(live, coming))
    alone = [latencies(*prepared([name], 1), COMING // 4) for name in live.request.strategies]
    yield from _latency(f"a bar appended in memory to the verdict of one combination, each of {most} strategies alone", *(np.concatenate(sample) for sample in zip(*alone, strict=True)))


def _pace(what: str, count: int, seconds: float, cpu: float) -> Row:
    pace = count / seconds
    return Row(f"{what} (by CPU time {count / cpu:,.0f} a second)", None, figure=f"{pace:,.0f} combinations a second", goal=f"≥ {PACE:,} a second", holds=pace >= PACE)


def _latency(what: str, wall: np.ndarray, used: np.ndarray) -> Iterator[Row]:
    for name, sample in (("99 in 100", wall), ("CPU time of 99 in 100", used)):
        p99 = float(np.quantile(sample, 0.99))
        yield Row(f"{what}, {name}; median {micro(np.median(sample))}, {len(sample):,} bars", None, figure=micro(p99), goal=f"≤ {duration(LATENCY)}", holds=p99 <= LATENCY)


def micro(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f} µs"


def latencies(live: LiveScan, coming: list[list[dict[str, Any]]], first: int = COMING // 2) -> tuple[np.ndarray, np.ndarray]:
    """Seconds and CPU seconds of every ``close``, series after series."""
    wall, used = [], []
    gc.collect()
    gc.disable()
    try:
        for step in range(first, COMING):
            for k in range(0, len(coming), 9):
                began, began_cpu = time.perf_counter(), time.thread_time()
                live.close(k, coming[k][step])
                wall.append(time.perf_counter() - began)
                used.append(time.thread_time() - began_cpu)
    finally:
        gc.enable()
    return np.array(wall), np.array(used)


def prepared(only: list[str] | None = None, instruments_: int = INSTRUMENTS) -> tuple[LiveScan, list[list[dict[str, Any]]]]:
    """The scan in memory, and for each series the bars that will close; ``only``: these strategies."""
    table = instruments()["EURUSD"]
    series, coming = [], []
    for number in range(instruments_):
        for name in TIMEFRAMES:
            bars = _bars(number, Timeframe.named(name))
            series.append(Series(replace(table, name=f"PAIR{number:02}"), Timeframe.named(name), bars.iloc[:HISTORY].reset_index(drop=True)))
            coming.append([bar | dict(ts=int(ts)) for bar, ts in zip(bars.iloc[HISTORY:].to_dict("records"), bars["ts"].array.as_unit("ns").asi8[HISTORY:], strict=True)])
    strategies = {name: strategy for name in only or STRATEGIES if (strategy := _deciding(name)) is not None}
    positions = [OpenPosition("PAIR00", 1, 0.1, 1.1, 1.1)]
    request = ScanRequest(series, strategies, RULES, Criteria(correlation_days=10), positions=positions)
    trades = _trades()
    combinations = [Combination(entry, name, HISTORY, 200, 0, 1.1, 0.0001, 0, 1.0, trades) for entry in series for name in strategies]
    return LiveScan(verdict_of(request, combinations)), coming


def _deciding(name: str) -> Any:
    try:
        strategy = make(name, {})
    except BadRequest:
        return None
    return strategy if isinstance(strategy, OnColumns) else None


def _bars(number: int, timeframe: Timeframe) -> pd.DataFrame:
    """A random walk with volume, each timeframe with steps of its own."""
    at = np.random.default_rng([number, timeframe.minutes])
    step = 0.0004 * np.sqrt(timeframe.minutes / 15)
    close = 1.1 + np.cumsum(at.normal(0.0, step, HISTORY + COMING))
    open_ = np.concatenate(([1.1], close[:-1]))
    reach = np.abs(at.normal(0.0, step / 2, (2, len(close))))
    ts = 19_700 * 24 * HOUR + np.arange(len(close)) * timeframe.nanoseconds
    return frame(ts, open=open_, high=np.maximum(open_, close) + reach[0], low=np.minimum(open_, close) - reach[1], close=close, volume=at.integers(50, 900, len(close)).astype(float), spread=np.full(len(close), 0.0001))


def _trades() -> pd.DataFrame:
    r = np.tile([1.5, 1.5, 1.0, -0.5, -0.5], 50)
    return pd.DataFrame(dict(r=r, spread_at_entry=0.0001, entry_price=1.1, stop_loss=1.098))
