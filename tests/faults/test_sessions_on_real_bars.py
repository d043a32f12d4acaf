"""Every strategy on real bars: a session worked bar by bar gives the backtest's files, byte for byte. Minutes for each strategy."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from domain.features import Context
from domain.live.backtesting import backtest
from domain.live.plan import Plan, StrategyPlan
from domain.live.replaying import replay
from domain.live.tape import TapeBar, bars_in
from domain.market.bars import ts_of
from domain.market.calendar import bar_ends
from domain.market.instrument import instrument
from domain.market.resample import resample
from domain.market.timeframe import Timeframe
from domain.outside.timed_values import TimedValues
from domain.strategies import STRATEGIES
from domain.trading.rules import rules_from
from tests.domain.live.world import files_of

FOLDER = Path(os.environ.get("TIDEMARK_DATA", "/nowhere")) / "fx"
EUROS, GOLD = ("EURUSD M5", "EURUSD M30", "EURUSD H1"), ("XAUUSD H1", "XAUUSD H4", "XAUUSD D1")
ACCOUNTS = (*((series,) for series in (*EUROS, *GOLD)), EUROS, GOLD, ("EURUSD H1", "XAUUSD H4", "EURUSD M30", "XAUUSD D1"))
RICH = rules_from({"account": {"balance": 1e8}})     # so that none is ruined before the bars end
QUANTILES = dict(q05=-1.6, q10=-1.2, q25=-0.5, q50=0.0, q75=0.5, q90=1.2, q95=1.6)
pytestmark = [pytest.mark.faults, pytest.mark.skipif(not FOLDER.is_dir(), reason="set TIDEMARK_DATA to the folder of market data for sessions on real bars")]


@cache
def shortest(name: str) -> tuple[pd.DataFrame, str]:
    """EURUSD M5 in UTC; XAUUSD H1 of a server whose clock is that of Athens, with its tick volume."""
    if name == "EURUSD":
        return pd.read_parquet(FOLDER / "histdata" / "EURUSD_M5_bid_utc_2019_2021.parquet")[["ts", "open", "high", "low", "close"]], "M5"
    bars = pd.read_parquet(FOLDER / "mt5_h1" / "XAUUSD_H1_bid_servertime_2012_2022.parquet")
    utc = bars["ts"].dt.tz_localize(None).dt.tz_localize("Europe/Athens", ambiguous="NaT", nonexistent="NaT").dt.tz_convert("UTC").dt.as_unit("ns")
    volume = next((name for name in bars if name in ("volume", "tick_volume")), None)
    known = pd.DataFrame({"ts": utc, **{price: bars[price].astype(float) for price in ("open", "high", "low", "close")}, **({"volume": bars[volume].astype(float)} if volume else {})})
    return known[utc.notna() & (utc >= "2018-06-01") & (utc < "2022-01-01")].reset_index(drop=True), "H1"


@cache
def bars_of(series: str) -> pd.DataFrame:
    name, timeframe = series.split()
    bars, own = shortest(name)
    return bars if own == timeframe else resample(bars, Timeframe.named(own), Timeframe.named(timeframe), instrument(name).calendar)


@cache
def tape_of(series: str) -> list[TapeBar]:
    name, timeframe = series.split()
    return bars_in(series, bars_of(series), bar_ends(ts_of(bars_of(series)), Timeframe.named(timeframe), instrument(name).calendar))


@cache
def context_of(series: str) -> Context:
    """Made headlines, external series and quantiles on the instants of the real bars."""
    rng, ends = np.random.default_rng(1), np.array([bar.end for bar in tape_of(series)])
    middle, width = 4e-4 * np.sin(np.arange(len(ends)) / 9), rng.gamma(8.0, 1e-4, len(ends))
    days = np.arange(ends[0] - 400 * 86_400_000_000_000, ends[-1], 86_400_000_000_000)
    macro = {name: TimedValues(days, 50 + np.cumsum(rng.normal(0, 1, len(days)))) for name in ("DXY", "VIX", "US10Y", "US_RATE", "EU_RATE")}
    news = np.sort(rng.choice(ends, 3_000))
    return Context(macro=macro, headlines=TimedValues(news, rng.uniform(-1, 1, len(news))), releases=np.sort(rng.choice(ends, 500)), forecasts={name: TimedValues(ends, middle + step * width) for name, step in QUANTILES.items()})


def compared(name: str, series: Sequence[str], folder: Path) -> str:
    """In words: the number of equal fills, or the sentence with which both refuse."""
    plan, beside = Plan(tuple(series), (StrategyPlan(name),), RICH), {text: context_of(text) for text in series}
    bars = [bar for text in series for bar in tape_of(text)]
    try:
        expected = backtest(plan, bars, (), beside)
    except BadRequest as error:
        with pytest.raises(BadRequest) as refused:
            list(replay(plan, bars, (), beside))
        assert str(error) in str(refused.value)
        return f"refused: {error}"
    given = files_of(list(replay(plan, bars, (), beside)), folder)
    assert files_of(expected, folder) == given
    return f"{len(expected.fills):,} fills equal"


@pytest.mark.parametrize("series", ACCOUNTS, ids=" ".join)
@pytest.mark.parametrize("name", STRATEGIES)
def test_replay_is_backtest(name, series, tmp_path):
    print(f"\n{name:16} {', '.join(series):40} {compared(name, series, tmp_path)}")
