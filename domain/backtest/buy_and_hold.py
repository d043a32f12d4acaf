"""Buy and hold: the traded instruments bought at the start and held to the end, by the same engine at the run's costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics.daily import last_rows, nanoseconds
from domain.backtest.study import Series, Study, run
from domain.errors import BadRequest
from domain.market.sessions import Calendar
from domain.risk.limits import Limits
from domain.risk.sizing import Sizing
from domain.trading.execution import Execution
from domain.trading.rules import Rules
from domain.trading.task import Rate


@dataclass(frozen=True)
class Held:
    """``summary``: metrics (None where nothing could be bought) and what is held, in a sentence. ``curve``: ts, equity; of each trading day its lowest, its highest and its last row."""

    summary: dict[str, Any]
    curve: pd.DataFrame


def held_of(series: Sequence[Series], rules: Rules, rates: Sequence[Rate] = ()) -> Held:
    """What holding the traded instruments over the same bars would have given, at the same costs; without figures, and with the reason, where it cannot be computed."""
    try:
        study = buy_and_hold(series, rules, rates)
    except BadRequest as refusal:       # such as no conversion rate yet at the first bar: the run itself may trade later
        return Held(dict(metrics=None, sentence=f"Buy and hold was not computed: {refusal}"), pd.DataFrame(dict(ts=pd.DatetimeIndex([], tz="UTC"), equity=np.zeros(0))))
    equity, bought = study.outcome.equity, bool(len(study.outcome.trades))
    sentence = held_in_words(study, len({entry.instrument.name for entry in series}))
    return Held(dict(metrics=dict(study.metrics) if bought else None, sentence=sentence), daily_extremes(equity if bought else equity.iloc[:0], study.market))


def buy_and_hold(series: Sequence[Series], rules: Rules, rates: Sequence[Rate] = ()) -> Study:
    """The study of holding what ``series`` trade: each instrument is bought after its first bar with an equal part of the balance, without leverage, limits and stops, at the costs of ``rules``. Lots are rounded down to the broker's step;
    an instrument whose part is below the smallest lot is not held: the study has no trade of it."""
    names = list(dict.fromkeys(entry.instrument.name for entry in series))
    finest = [min((entry for entry in series if entry.instrument.name == name), key=lambda entry: entry.timeframe) for name in names]
    first = [entry.bars["ts"].iloc[0] for entry in finest]
    signals = pd.DataFrame(dict(ts=first, instrument=names, side="long", order="market"))
    held = replace(rules, sizing=Sizing("notional", 1.0 / len(names)), limits=Limits(), execution=Execution())
    return run([replace(entry, finer=None, finer_timeframe=None) for entry in finest], held, signals=signals, rates=rates)


def held_in_words(study: Study, traded: int) -> str:
    """What is held, in a sentence; ``traded``: how many instruments the run trades."""
    trades = study.outcome.trades
    held = ", ".join(f"{row.lots:g} lots {row.instrument}" for row in trades.itertuples())
    if not len(trades):
        return "Nothing could be bought: an equal part of the starting balance is below the smallest lot."
    left = traded - trades["instrument"].astype(str).nunique()
    return f"{held}." + (f" {left} of {traded} instruments are not held: their part of the balance is below the smallest lot." if left else "")


def daily_extremes(equity: pd.DataFrame, market: Calendar) -> pd.DataFrame:
    """``ts, equity``: of each trading day the lowest, the highest and the last row, and the first of all."""
    if equity.empty:
        return equity[["ts", "equity"]]
    last = last_rows(nanoseconds(equity["ts"]), market)[1]
    first, value = np.concatenate(([0], last[:-1] + 1)), equity["equity"].to_numpy(float)
    ends = [part for a, b in zip(first, last + 1, strict=True) for part in (a + int(value[a:b].argmin()), a + int(value[a:b].argmax()))]
    rows = np.unique(np.concatenate(([0], last, ends)))
    return equity.iloc[rows][["ts", "equity"]].reset_index(drop=True)
