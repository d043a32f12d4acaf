"""A small market for sessions: bars of several series, and what strategies read beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from domain.features import Context
from domain.live.plan import Plan, StrategyPlan
from domain.live.tape import TapeBar, bars_in
from domain.live.worked import Worked, tables
from domain.market.bars import ts_of
from domain.market.calendar import bar_ends
from domain.market.instrument import instrument
from domain.market.resample import resample
from domain.market.timeframe import Timeframe
from domain.trading.rules import Rules
from domain.trading.task import Outcome
from tests.domain.strategies.world import world
from worker.terminal import csv

M15 = Timeframe.named("M15")
LENGTH, HISTORY = 760, 540
NONE: Mapping[str, Any] = {}


@lru_cache
def eurusd() -> tuple[pd.DataFrame, Context]:
    bars, context = world()
    return bars.iloc[:LENGTH].reset_index(drop=True), replace(context, others={})


@lru_cache
def bars_of(series: str) -> pd.DataFrame:
    """EURUSD M15, longer bars of it, GBPUSD, which moves with it, and USDJPY, whose money must be converted."""
    name, timeframe = series.split()
    bars = eurusd()[0]
    if name == "GBPUSD":
        other = world()[1].others["GBPUSD"].values[:LENGTH]
        bars = bars.assign(**{price: np.round(bars[price] * other / bars["close"], 5) for price in ("open", "high", "low", "close")})
    if name == "USDJPY":
        bars = bars.assign(spread=bars["spread"] * 100, **{price: np.round(bars[price] * 130, 3) for price in ("open", "high", "low", "close")})
    return bars if timeframe == "M15" else resample(bars, M15, Timeframe.named(timeframe), instrument(name).calendar)


@lru_cache
def tape_of(*series: str) -> tuple[TapeBar, ...]:
    bars = []
    for text in series:
        name, timeframe = text.split()
        table = bars_of(text)
        bars += bars_in(text, table, bar_ends(ts_of(table), Timeframe.named(timeframe), instrument(name).calendar))
    return tuple(bars)


def contexts(series: Sequence[str]) -> dict[str, Context]:
    """Headlines, releases, external series and forecasts."""
    return dict.fromkeys(series, eurusd()[1])


def start() -> int:
    """The instant from which the bars are traded."""
    return int(ts_of(eurusd()[0])[HISTORY])


def plan_of(series: Sequence[str], name: str, params: Mapping[str, Any] = NONE, rules: Rules = Rules(), mode: str = "auto", begin: bool = True) -> Plan:
    return Plan(tuple(series), (StrategyPlan(name, params),), rules, mode, start() if begin else None)


def files_of(result: Outcome | Sequence[Worked], folder: Path) -> dict[str, bytes]:
    """trades.csv, fills.csv and equity.csv as the terminal writes them."""
    listing = result if isinstance(result, Outcome) else tables(result)
    for name in ("trades", "fills", "equity"):
        csv.write(getattr(listing, name), folder / f"{name}.csv")
    return {name: (folder / f"{name}.csv").read_bytes() for name in ("trades", "fills", "equity")}


