"""Labels of `breakout` on eleven years of EURUSD M5, as they were counted by a separate script before there was any of this. Needs TIDEMARK_DATA."""

import os
from pathlib import Path

import pandas as pd
import pytest

from domain.backtest.study import Series
from domain.features import Context, use
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.strategies.breakout import Breakout
from domain.trading.rules import Rules
from domain.training.inputs import Inputs
from domain.training.samples import on_signals

FILE = Path(os.environ.get("TIDEMARK_DATA", ""), "fx", "histdata", "EURUSD_M5_bid_utc_2008_2018.parquet")


@pytest.mark.skipif(not FILE.is_file(), reason="TIDEMARK_DATA names no folder with fx/histdata/EURUSD_M5_bid_utc_2008_2018.parquet")
def test_of_39456_signals_39446_have_a_label_of_which_57_7_percent_are_fake():
    bars = pd.read_parquet(FILE, columns=["ts", "open", "high", "low", "close"])
    bars = bars.assign(ts=bars["ts"].dt.as_unit("ns"), **{name: bars[name].astype(float) for name in ("open", "high", "low", "close")})
    series = Series(instrument("EURUSD"), Timeframe.named("M5"), bars)
    created = on_signals([Inputs(series, Context(series.instrument, series.timeframe), (use("atr", window=14),), Rules())], Breakout(), "fake")
    assert len(created) == 39_446 and created.unlabelled == {"stop_through": 10} and created.warm_up == 0
    assert created.samples.y.mean() == pytest.approx(0.577, abs=0.0005)
    assert created.uniqueness.mean() == pytest.approx(0.496, abs=0.0005) and created.signals["bars_held"].mean() == pytest.approx(19, abs=0.5)
