"""Buy and hold beside a backtest: its metrics for the summary, and its curve as a stored table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics.daily import last_rows, nanoseconds
from domain.market.sessions import Calendar


@dataclass(frozen=True)
class Held:
    """``summary``: metrics (None where nothing could be bought) and what is held, in a sentence. ``curve``: ts, equity; of each trading day its lowest, its highest and its last row."""

    summary: dict[str, Any]
    curve: pd.DataFrame


def held_of(series: Sequence[Any], rules: Any, rates: Sequence[Any]) -> Held:
    """What holding the traded instruments over the same bars would have given, at the same costs."""
    from domain.backtest.buy_and_hold import buy_and_hold, held_in_words

    study = buy_and_hold(series, rules, rates)
    instruments = len({entry.instrument.name for entry in series})
    bought = bool(len(study.outcome.trades))
    metrics = dict(study.metrics) if bought else None
    return Held(dict(metrics=metrics, sentence=held_in_words(study, instruments)), daily_extremes(study.outcome.equity, study.market) if bought else study.outcome.equity.iloc[:0][["ts", "equity"]])


def daily_extremes(equity: pd.DataFrame, market: Calendar) -> pd.DataFrame:
    """``ts, equity``: of each trading day the lowest, the highest and the last row, and the first of all."""
    if equity.empty:
        return equity[["ts", "equity"]]
    last = last_rows(nanoseconds(equity["ts"]), market)[1]
    first, value = np.concatenate(([0], last[:-1] + 1)), equity["equity"].to_numpy(float)
    ends = [part for a, b in zip(first, last + 1, strict=True) for part in (a + int(value[a:b].argmin()), a + int(value[a:b].argmax()))]
    rows = np.unique(np.concatenate(([0], last, ends)))
    return equity.iloc[rows][["ts", "equity"]].reset_index(drop=True)
