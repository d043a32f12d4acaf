"""What is found out about a run besides its figures: both edges of its bars, other histories of its trades, whether its strategy looks ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics import Plan, bands, daily_returns, draw, histogram, summarise
from domain.backtest.simulator import Watch, simulate
from domain.backtest.study import Study
from domain.features import compute
from domain.strategies import Strategy
from domain.trading.signals import SIGNAL_COLUMNS, read_signals
from domain.trading.task import Rate, Task

STEPS = 10_000_000          # trades drawn in all histories together, at most: some seconds
MOST, FEWEST = 1_000, 200   # histories
POINTS, BINS = 41, 24       # of what is drawn of them
CUTS, CUT_BARS, CUT_SEED = 6, 4_000, 11
PROTECTION = (
    "stop_loss", *(f"target_{k}" for k in range(1, 5)), *(f"target_r_{k}" for k in range(1, 5)), *(f"fraction_{k}" for k in range(1, 5)),
    "break_even_r", "break_even_offset", "trail_kind", "trail_value", "trail_window", "trail_start_r",
)  # fmt: skip


@dataclass(frozen=True)
class LookAhead:
    """Whether signals stay the same when the bars after them are taken away. ``found``: the instant of the first one that did not."""

    cuts: int
    bars: int
    found: str = ""


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
        equity = simulate(study.tasks, rules.account, rules.costs, replace(rules.execution, intrabar=intrabar), rules.sizing, rates, watch, rules.limits).equity
    return (float(equity["equity"].iloc[-1]) - start) / start


def histories(study: Study, seed: int = 0) -> dict[str, Any] | None:
    """``figures`` of a MonteCarlo of the trades' R, where fewer than two have one of the daily returns; ``fan``: quantiles after so many
    steps; ``falls``: a histogram of the deepest drawdowns. Plain values. None with fewer than two steps."""
    sample, kind = _sample(study)
    if len(sample) < 2:
        return None
    plan = Plan(paths=int(np.clip(STEPS // len(sample), FEWEST, MOST)), seed=seed)
    drawn = draw(sample, plan, kind)
    fan = bands(drawn, len(sample))
    fan = fan.iloc[np.unique(np.linspace(0, len(fan) - 1, POINTS).astype(int))]
    return dict(figures=asdict(summarise(drawn, sample, plan, kind)), fan=_lists(fan), falls=_lists(histogram(drawn["max_drawdown"], BINS)))


def _sample(study: Study) -> tuple[np.ndarray, str]:
    trades = study.outcome.trades
    r = trades.sort_values("exit_ts", kind="stable")["r"].to_numpy(float)
    if np.isfinite(r).sum() > 1:
        return r[np.isfinite(r)], "trades"
    daily = daily_returns(study.outcome.equity, study.rules.account.balance).to_numpy()
    return (daily if len(trades) and np.isfinite(daily).all() else np.zeros(0)), "days"


def _lists(frame: pd.DataFrame) -> dict[str, list[Any]]:
    return {name: [round(float(value), 6) for value in frame[name]] for name in frame}


def look_ahead(study: Study, strategy: Strategy) -> LookAhead:
    """Signals of the first bars of the first series, again with later bars taken away, at random cuts and before the last bar."""
    task = study.tasks[0]
    bars = task.bars.iloc[:CUT_BARS].reset_index(drop=True)
    whole = _signals(strategy, bars, task)
    cuts = np.unique([*np.random.default_rng(CUT_SEED).integers(1, max(len(bars), 2), CUTS - 1), len(bars) - 1])
    for cut in (int(one) for one in cuts if one > 0):
        seen, last = _signals(strategy, bars.iloc[:cut], task), bars["ts"].iloc[cut - 1]
        if not seen.equals(whole[whole["ts"] <= last].reset_index(drop=True)):
            return LookAhead(len(cuts), len(bars), f"{last:%Y-%m-%d %H:%M} UTC")
    return LookAhead(len(cuts), len(bars))


def _signals(strategy: Strategy, bars: pd.DataFrame, task: Task) -> pd.DataFrame:
    table = strategy.signals(compute(bars, strategy.features())).assign(instrument=task.instrument.name)
    return read_signals(table, (task.instrument.name,)).reset_index(drop=True)[list(SIGNAL_COLUMNS)]


def protection(study: Study) -> pd.DataFrame:
    """``instrument, order_id``, and how each order that opened a trade was protected: what its trade is drawn with."""
    fills = study.outcome.fills.drop_duplicates("trade_id")
    parts = [_protected(task, fills) for task in study.tasks]
    return pd.concat(parts, ignore_index=True)


def _protected(task: Task, fills: pd.DataFrame) -> pd.DataFrame:
    number = fills.loc[(fills["instrument"] == task.instrument.name).to_numpy(bool), "order_id"].to_numpy(np.int64)
    chosen = task.signals.iloc[number - 1][list(PROTECTION)].reset_index(drop=True)
    return pd.concat([pd.DataFrame(dict(instrument=task.instrument.name, order_id=number)), chosen], axis=1).drop_duplicates("order_id")
