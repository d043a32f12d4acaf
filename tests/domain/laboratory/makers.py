"""A small world in which it is known what each column tells."""

from __future__ import annotations

import numpy as np
import pandas as pd


def world(bars: int = 12_000, noise: int = 12, seed: int = 3) -> pd.DataFrame:
    """Bars of four hours over five years and a half. ``leads`` tells the next bar's return, ``copy`` is nearly the same, ``flips`` tells it with a sign that changes from year to
    year, ``moved`` tells it too and is distributed otherwise of late, ``shape`` tells its size only, ``slow`` and ``noise00 …`` tell nothing."""
    rng = np.random.default_rng(seed)
    ts = pd.date_range("2019-01-01", periods=bars, freq="4h", tz="UTC")
    column = {name: rng.normal(size=bars) for name in ("leads", "flips", "moved", "shape")}
    year = np.where(ts.year.to_numpy() % 2 == 0, 1.0, -1.6)
    size = np.exp(0.7 * column["shape"])
    signal = 0.15 * column["leads"] + 0.12 * year * column["flips"] + 0.1 * column["moved"] + size * rng.normal(size=bars)
    change = 1e-3 * np.r_[0.0, signal[:-1]]
    close = np.exp(np.cumsum(change))
    column["copy"] = column["leads"] + 0.1 * rng.normal(size=bars)
    column["moved"] = column["moved"] + np.where(np.arange(bars) > 0.85 * bars, 1.5, 0.0)
    column["slow"] = pd.Series(rng.normal(size=bars)).ewm(span=100).mean().to_numpy()
    column |= {f"noise{k:02d}": rng.normal(size=bars) for k in range(noise)}
    warm = {name: np.where(np.arange(bars) < 50, np.nan, values) for name, values in column.items()}
    return pd.DataFrame(dict(ts=ts, open=np.r_[1.0, close[:-1]], close=close, **warm))
