"""The stop told again for a drawing ends where the kernel's stop was filled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from domain.backtest import study, trust
from domain.features import compute, use
from domain.risk.sizing import Sizing
from domain.strategies.breakout import Breakout
from domain.trading.protection import stop_path, targets_of
from tests.domain.backtest.points import RULES, series

ONE = series()
SLIP = RULES.costs.slippage
SPREAD = ONE.bars["spread"].to_numpy()
FAST = Breakout(lookback=5, stop_atr=1.0, quiet=0.0, max_bars=24)
BASE = FAST.signals(compute(ONE.bars, FAST.features())).drop(columns="target_r_1").assign(break_even_r=np.nan)
PLANS = {
    "break even": dict(break_even_r=1.0, break_even_offset=0.0002),
    "points": dict(trail_kind="points", trail_value=0.002),
    "percent after a start": dict(trail_kind="percent", trail_value=0.2, trail_start_r=0.5),
    "atr and break even": dict(trail_kind="atr", trail_value=2.5, trail_window=10, break_even_r=1.5),
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_the_path_ends_where_the_stop_was_filled(plan):
    made = study.run([ONE], replace(RULES, sizing=Sizing("fixed_lots", 0.1)), signals=BASE.assign(**plan))
    bars, fills, known = made.tasks[0].bars, made.outcome.fills, trust.protection(made).set_index("order_id")
    asked = use("atr", window=10)
    atr = compute(bars, (asked,))[asked.column].to_numpy()
    seen = dict.fromkeys(("stop_loss", "break_even", "trail"), 0)
    for trade in made.outcome.trades.itertuples():
        if trade.exit_reason not in seen:
            continue
        mine = fills[fills["trade_id"] == trade.trade_id]
        first, last = (int(bars["ts"].searchsorted(ts)) for ts in mine["bar_ts"].iloc[[0, -1]])
        side = 1 if trade.side == "long" else -1
        best = bars["high"].to_numpy() if side > 0 else bars["low"].to_numpy() + SPREAD
        path = stop_path(known.loc[mine["order_id"].iloc[0]].to_dict(), side, trade.entry_price, best[first:last], atr[first:last])
        opened = bars["open"].iloc[last] + (0.0 if side > 0 else SPREAD[last])
        level = min(path[-1], opened) if side > 0 else max(path[-1], opened)       # a gap fills at the open
        assert mine["price"].iloc[-1] == pytest.approx(level - side * SLIP, abs=2e-9), trade
        seen[trade.exit_reason] += 1
    moved = "break_even" if "trail_kind" not in plan else "trail"
    assert seen[moved] > 10 and sum(seen.values()) > 40, seen


def test_targets_are_told_by_price_and_share():
    plan = dict(stop_loss=1.2, target_1=1.05, fraction_1=0.5, target_r_2=2.0, fraction_2=0.5, target_3=np.nan)
    assert targets_of(plan, -1, 1.1) == [("target 1", 1.05, 0.5), ("target 2", 0.9, 0.5)]


def test_a_trade_without_a_stop_has_no_path():
    assert np.isnan(stop_path({"stop_loss": np.nan}, 1, 1.0, np.array([1.1, 1.2]))).all()
