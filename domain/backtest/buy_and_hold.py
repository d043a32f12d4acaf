"""Buy and hold: the traded instruments bought at the start and held to the end, by the same engine at the run's costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from domain.backtest.study import Series, Study, run
from domain.risk.limits import Limits
from domain.risk.sizing import Sizing
from domain.trading.execution import Execution
from domain.trading.rules import Rules
from domain.trading.task import Rate

DEFINITION = (
    "Each traded instrument is bought after its first bar with an equal part of the starting balance, without leverage, and held to the end: "
    "same bars, spread, slippage, commission, swap and conversion as the run, without its limits and stops."
)


def buy_and_hold(series: Sequence[Series], rules: Rules, rates: Sequence[Rate] = ()) -> Study:
    """The study of holding what ``series`` trade, an equal part of the balance each. Lots are rounded down to the broker's step;
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
