"""Robustness of a run besides its figures: both extremes of its ambiguous bars, Monte Carlo paths of its trades, the look-ahead check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics import MonteCarloConfig, draw
from domain.analytics.histories import sample_of, summary
from domain.backtest.simulator import Watch, replay
from domain.backtest.study import Series, Study, context_of
from domain.causality import check_strategy
from domain.errors import BadRequest
from domain.features import Context
from domain.strategies import Strategy
from domain.trading.task import Rate, Task

STEPS = 10_000_000          # trades drawn in all histories together, at most: some seconds
MOST, FEWEST = 1_000, 200   # histories
CUT_BARS = 4_000
PROTECTION = (
    "stop_loss", *(f"target_{k}" for k in range(1, 5)), *(f"target_r_{k}" for k in range(1, 5)), *(f"fraction_{k}" for k in range(1, 5)),
    "break_even_r", "break_even_offset", "trail_kind", "trail_value", "trail_window", "trail_start_r",
)  # fmt: skip


@dataclass(frozen=True)
class LookAhead:
    """The result of the look-ahead check: whether signals and the features under them stay the same when the bars after them are taken away.
    ``first_leak``: the instant of the first that does not. ``leaks``: a sentence for each column that has look-ahead bias."""

    cuts: int
    bars: int
    first_leak: str = ""
    leaks: tuple[str, ...] = ()


def band(study: Study, rates: Sequence[Rate] = (), watch: Watch = lambda share: None) -> tuple[float, float] | None:
    """Net return with every ambiguous bar decided pessimistically, optimistically; None where no bar was ambiguous."""
    if not study.outcome.ambiguous:
        return None
    low, high = (_net(study, rates, kind, watch) for kind in ("pessimistic", "optimistic"))
    return min(low, high), max(low, high)


def _net(study: Study, rates: Sequence[Rate], intrabar: str, watch: Watch) -> float:
    rules, start = study.rules, study.rules.account.balance
    if rules.execution.intrabar == intrabar:
        equity = study.outcome.equity
    else:
        equity = replay(study.tasks, replace(rules, execution=replace(rules.execution, intrabar=intrabar)), rates, watch).equity
    return (float(equity["equity"].iloc[-1]) - start) / start


def histories(study: Study, seed: int = 0, watch: Watch = lambda share: None) -> dict[str, Any] | None:
    """A first set of Monte Carlo paths, summarised as by ``analytics.histories``: of the trades' R, where fewer than two have one of the daily
    returns. None with fewer than two steps."""
    sample, kind = sample_of(study.outcome.trades, study.outcome.equity, study.rules.account.balance, study.market)
    if len(sample) < 2:
        return None
    plan = MonteCarloConfig(paths=int(np.clip(STEPS // len(sample), FEWEST, MOST)), seed=seed)
    return summary(draw(sample, plan, kind, watch=watch), sample, plan, kind)


def look_ahead(study: Study, strategy: Strategy, watch: Watch = lambda share: None) -> LookAhead:
    """The look-ahead check on the first bars of the first series, or the first with a forecast, with the full context of the run; no cut where the strategy refuses to decide on these alone."""
    series = [Series(task.instrument, task.timeframe, task.bars, context=context) for task, context in zip(study.tasks, study.contexts, strict=True)]
    whole = context_of(series[0], series)
    start = _first_forecast(whole, series[0])
    bars = series[0].bars.iloc[start : start + CUT_BARS].reset_index(drop=True)
    context = whole.until(int(whole.ends(bars)[-1]))
    try:
        verdict = check_strategy(bars, strategy, context, watch=watch)
    except BadRequest:          # nothing that it needs beside the bars is known so early
        return LookAhead(0, len(bars))
    first = min(verdict.leaks, key=lambda leak: leak.bar, default=None)
    return LookAhead(len(verdict.cuts), verdict.bars, first.ts if first else "", tuple(map(str, verdict.leaks)))


def _first_forecast(context: Context, series: Series) -> int:
    """The bar of the first forecast, before which a strategy that reads them refuses to decide; 0 where there is none."""
    known = [values.times[0] for values in context.forecasts.values() if len(values.times)]
    return int(np.searchsorted(context.ends(series.bars), min(known))) if known else 0


def protection(study: Study) -> pd.DataFrame:
    """``instrument, order_id``, and how each order that opened a trade was protected: what its trade is drawn with."""
    fills = study.outcome.fills.drop_duplicates("trade_id")
    parts = [_protected(task, fills) for task in study.tasks]
    return pd.concat(parts, ignore_index=True)


def _protected(task: Task, fills: pd.DataFrame) -> pd.DataFrame:
    number = fills.loc[(fills["instrument"] == task.instrument.name).to_numpy(bool), "order_id"].to_numpy(np.int64)
    number = number[number > 0]         # the others are orders of a person
    chosen = pd.DataFrame({name: task.signals[name] for name in PROTECTION}).iloc[np.searchsorted(task.orders, number)].reset_index(drop=True)
    return pd.concat([pd.DataFrame(dict(instrument=task.instrument.name, order_id=number)), chosen], axis=1).drop_duplicates("order_id")
