"""Bars with a memory, seeded, and requests on them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd

from domain.backtest.study import Rules, Series
from domain.backtest.sweep import SweepRequest
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.optimise import combinations, feasible
from domain.params import build
from domain.risk.sizing import Sizing
from domain.trading.costs import Costs
from domain.venues.synthetic import MODELS, generate

START = datetime(2024, 1, 1, tzinfo=UTC)
RULES = Rules(costs=Costs(slippage=0.00002, commission_per_lot=3.0), sizing=Sizing("fraction_at_risk", 0.005))


def bars(name: str = "EURUSD", days: int = 120, seed: int = 1, timeframe: str = "H1") -> pd.DataFrame:
    return generate(build(MODELS["regimes"], {}), instrument(name), Timeframe.named(timeframe), START, START + timedelta(days=days), seed)


def series(name: str = "EURUSD", days: int = 120, seed: int = 1, timeframe: str = "H1") -> Series:
    return Series(instrument(name), Timeframe.named(timeframe), bars(name, days, seed, timeframe), "bid", f"{name}{seed}")


def request(strategy: str = "breakout", grid: dict | None = None, rules: Rules = RULES, **params: object) -> SweepRequest:
    grid = grid or {"lookback": [10, 20, 40], "stop_atr": [1.0, 2.0, 3.0]}
    return SweepRequest(strategy, params, rules, feasible(strategy, params, combinations(strategy, grid))[0])
