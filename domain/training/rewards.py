"""What every action of every signal would have earned: the kernel simulates each, alone, as it does for labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.trading.signals import Columns
from domain.training.actions import Action, applied
from domain.training.alone import Decided, simulated_alone
from domain.training.samples import SampleSet

VOLATILITY_WINDOW = 250     # bars
Watch = Callable[[float], None]


def rewards_of(decided: Sequence[Decided], sampled: SampleSet, actions: Sequence[Action], watch: Watch = lambda share: None) -> np.ndarray:
    """float64, samples × actions: R of each action, net of costs. 0 where it opens nothing, as skip does; NaN where it was still open when the data ended.

    Actions that differ in size alone have the same R, so they are simulated together.
    """
    rows = rows_of(sampled, len(decided))
    live = [numbers_of(sampled)[own] for own in rows]
    r = np.zeros((len(sampled), len(actions)))
    protections = list(dict.fromkeys(action.protection for action in actions if action.size))
    for k, protection in enumerate(protections):
        same = [number for number, action in enumerate(actions) if action.size and action.protection == protection]
        changed = [replace(each, table=changed_table(each, Action(1.0, *protection))) for each in decided]
        trades, _ = simulated_alone(changed, live, _part(watch, k, len(protections)))
        for own, numbers, frame in zip(rows, live, trades, strict=True):
            became = frame.set_index("number").reindex(numbers)
            earned = became["r"].fillna(0.0).to_numpy(np.float64, copy=True)
            earned[(became["exit_reason"].astype(object) == "end").to_numpy()] = np.nan
            r[own[:, None], np.array(same)] = earned[:, None]
    return r


def changed_table(each: Decided, action: Action) -> Columns:
    """All signals of a series with the same action."""
    every = np.arange(len(each.bar))
    return applied(each.table, every, [action] * len(every), expected_fills(each))


def expected_fills(each: Decided) -> np.ndarray:
    """Section 6 of docs/execution.md: the trigger of an order that waits; for one at market the close of the side that is traded, without slippage."""
    side, spread, close = np.asarray(each.table["side"], np.float64), each.bars.spread[each.bar], each.bars.close[each.bar]
    quoted = np.where(side > 0, spread, 0.0) if each.inputs.series.side == "bid" else side * spread / 2
    waits = np.isin(np.asarray(each.table["order"], object), ("stop", "limit"))
    return np.where(waits, np.asarray(each.table["price"], np.float64), np.round(close + quoted, 9))


def volatility_of(decided: Sequence[Decided], sampled: SampleSet) -> np.ndarray:
    """Yearly volatility at each sample, as a share of the price, over the last 250 bars; NaN before there are so many."""
    from domain.backtest.limit_tables import yearly_volatility

    volatility = np.full(len(sampled), np.nan)
    for own, each in zip(rows_of(sampled, len(decided)), decided, strict=True):
        bar = each.bar[numbers_of(sampled)[own]]
        yearly, price = yearly_volatility(each.bars.end, each.bars.close, VOLATILITY_WINDOW)[bar], np.abs(each.bars.close[bar])
        volatility[own] = np.divide(yearly, price, out=np.full(len(own), np.nan), where=price > 0)
    return volatility


def numbers_of(sampled: SampleSet) -> np.ndarray:
    """The row of each sample in the table of its instrument's signals."""
    return _signals(sampled)["number"].to_numpy(np.int64)


def sides_of(sampled: SampleSet) -> np.ndarray:
    return _signals(sampled)["side"].to_numpy(np.float64)


def _signals(sampled: SampleSet) -> pd.DataFrame:
    if sampled.signals is None or "number" not in sampled.signals:
        raise BadRequest(f"policies act on the signals of a strategy, and these samples for {sampled.target} are none; name a strategy and a target on signals")
    return sampled.signals


def rows_of(sampled: SampleSet, instruments: int) -> list[np.ndarray]:
    """The samples of each instrument."""
    return [np.flatnonzero(sampled.samples.instrument == number) for number in range(instruments)]


def _part(watch: Watch, k: int, count: int) -> Watch:
    return lambda share: watch((k + share) / count)
