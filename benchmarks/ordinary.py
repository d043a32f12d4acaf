"""The workload as an ordinary notebook does it: pandas throughout, one numba loop for the trades, no execution model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import workload as load
from benchmarks.floor import LEDGER, floor


def workload(path: Path) -> dict[str, float]:
    bars = loaded(path)
    side = entries(features(informative(bars)))
    return report(bars, *simulated(bars, side))


def loaded(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path)


def informative(bars: pd.DataFrame) -> pd.DataFrame:
    longer = bars.set_index("ts").resample("30min").agg({"open": "first", "high": "max", "low": "min", "close": "last"}).dropna()
    averages = pd.DataFrame({f"ema_{span}": longer["close"].ewm(span=span, adjust=False).mean() for span in (20, 50)})
    averages.index = averages.index + pd.Timedelta("30min")
    return pd.merge_asof(bars.assign(end=bars["ts"] + pd.Timedelta("5min")), averages.reset_index(names="end"), on="end")


def features(bars: pd.DataFrame) -> pd.DataFrame:
    before = bars["close"].shift(1)
    ranges = pd.concat([bars["high"] - bars["low"], (bars["high"] - before).abs(), (bars["low"] - before).abs()], axis=1).max(axis=1)
    atr = ranges.ewm(alpha=1 / 14, adjust=False).mean()
    mean, deviation = bars["close"].rolling(load.WINDOW).mean(), bars["close"].rolling(load.WINDOW).std(ddof=0)
    return bars.assign(
        atr=atr, atr_ratio=atr / atr.rolling(100).mean(), sma=mean, score=(bars["close"] - mean) / deviation,
        top=bars["high"].rolling(20).max().shift(1), bottom=bars["low"].rolling(20).min().shift(1),
    )  # fmt: skip


def entries(wide: pd.DataFrame) -> np.ndarray:
    return np.select([wide["score"] < -load.BEYOND, wide["score"] > load.BEYOND], [1, -1], 0).astype(np.int8)


def simulated(bars: pd.DataFrame, side: np.ndarray) -> tuple[pd.DataFrame, pd.Series]:
    """Trades and the equity curve."""
    ledger, columns = np.empty(len(bars) // 8, LEDGER), [np.zeros(len(bars)) for _ in range(4)]
    prices = [bars[name].to_numpy() for name in ("open", "high", "low", "close")]
    trades = floor(*prices, side, load.STOP, load.TARGET, load.PART, load.SHARE, load.SPREAD, load.SLIP, ledger, *columns)     # type: ignore[call-arg]
    return pd.DataFrame(ledger[:trades]), pd.Series(columns[1], index=bars["ts"])


def report(bars: pd.DataFrame, trades: pd.DataFrame, equity: pd.Series) -> dict[str, float]:
    value = 1e6 + 1e5 * equity
    peak = value.cummax()
    daily = value.resample("D").last().dropna().pct_change().dropna()
    monthly = value.resample("ME").last().pct_change()
    money = 1e5 * trades["pnl"]
    r = trades["pnl"] / (trades["price"] - trades["stop"]).abs()
    opened = bars["ts"].iloc[trades["entry"].to_numpy()]
    by_hour = money.groupby(opened.dt.hour.to_numpy()).agg(["count", "mean", "sum"])
    by_weekday = money.groupby(opened.dt.dayofweek.to_numpy()).agg(["count", "mean", "sum"])
    streak = (money > 0).ne((money > 0).shift()).cumsum()
    return dict(
        net=value.iloc[-1] / 1e6 - 1, drawdown=(value / peak - 1).min(), sharpe=daily.mean() / daily.std() * np.sqrt(252), sortino=daily.mean() / daily[daily < 0].std() * np.sqrt(252),
        volatility=daily.std() * np.sqrt(252), best_month=monthly.max(), worst_month=monthly.min(), profit_factor=money[money > 0].sum() / -money[money < 0].sum(), won=(money > 0).mean(),
        average=money.mean(), expectancy=r.mean(), r_deviation=r.std(), skew=r.skew(), kurtosis=r.kurt(), held=(trades["exit"] - trades["entry"]).mean(), longest_streak=money.groupby(streak).size().max(),
        under_water=(value < peak).groupby((value >= peak).cumsum()).sum().max(), best_hour=by_hour["sum"].idxmax(), best_weekday=by_weekday["sum"].idxmax(), value_at_risk=daily.quantile(0.05),
    )  # fmt: skip
