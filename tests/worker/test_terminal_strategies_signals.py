"""``tidemark signals`` and ``tidemark backtest`` with external data: what a strategy decides on files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest
from domain.strategies.base import decide, make
from domain.trading.signals import read_signals
from tests.domain.strategies.world import world
from worker.cli import app

RUN = CliRunner()
ROWS = 700


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("signals")
    bars, context = world()
    bars = bars.iloc[:ROWS]
    bars.to_parquet(folder / "eurusd.parquet")
    end = int(context.ends(bars)[-1])
    news = context.headlines.until(end)
    words = np.where(news.values > 0, "Dollar slides as growth surges", "Stocks plunge as recession fears grow")
    pd.DataFrame(dict(ts=pd.to_datetime(news.times, utc=True).strftime("%Y-%m-%dT%H:%M:%SZ"), headline=words)).to_csv(folder / "news.csv", index=False)
    dollar = context.macro["DXY"].until(end)
    pd.DataFrame(dict(ts=pd.to_datetime(dollar.times, utc=True).strftime("%Y-%m-%dT%H:%M:%SZ"), value=dollar.values)).to_csv(folder / "dxy.csv", index=False)
    return folder


def ran(*words: str) -> str:
    result = RUN.invoke(app, words)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_signals_are_those_that_the_strategy_decides(files):
    ran("signals", "--bars", str(files / "eurusd.parquet"), "--instrument", "EURUSD", "--strategy", "mean_reversion", "--params", '{"adx_most": 40}', "--out", str(files / "out.csv"))
    bars, context = world()
    expected = read_signals(decide(make("mean_reversion", dict(adx_most=40)), bars.iloc[:ROWS], context).table, ("EURUSD",)).reset_index(drop=True)
    written = read_signals(pd.read_csv(files / "out.csv"), ("EURUSD",))
    assert len(written) > 100 and set(written["order"]) == {"market", "exit"}
    for name in ("ts", "side", "order", "stop_loss", "max_bars", "tag"):
        assert written[name].tolist() == expected[name].tolist() or written[name].equals(expected[name]), name


def test_a_strategy_of_news_is_traded_on_files(files):
    outside = ("--macro", f"DXY={files / 'dxy.csv'}", "--headlines", str(files / "news.csv"))
    common = ("--bars", str(files / "eurusd.parquet"), "--instrument", "EURUSD", "--timeframe", "M15", "--strategy", "sentiment_macro", "--params", '{"sentiment_least": 0.1, "dollar_most": 3}')
    ran("signals", *common, *outside, "--out", str(files / "news_signals.csv"))
    ran("backtest", *common, *outside, "--out", str(files / "run"), "--no-report", "--equity", "none")
    signals, trades = pd.read_csv(files / "news_signals.csv"), pd.read_csv(files / "run" / "trades.csv")
    assert len(signals) and len(trades)
    opened = set(pd.to_datetime(trades["entry_ts"], utc=True))
    following = {ts + pd.Timedelta(minutes=15) for ts in pd.to_datetime(signals["ts"], utc=True)}
    assert opened <= following
    with pytest.raises(BadRequest, match="needs headlines, and none is known"):
        ran("backtest", *common, "--out", str(files / "none"), "--no-report")


def test_breakouts_left_to_a_model_are_refused_without_one(files):
    with pytest.raises(BadRequest, match="no model is named"):
        ran("signals", "--bars", str(files / "eurusd.parquet"), "--instrument", "EURUSD", "--strategy", "breakout", "--params", '{"fake_filter": "model"}', "--out", str(files / "no.csv"))
