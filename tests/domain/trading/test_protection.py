"""The stop that is drawn is the one the simulation reported, and its level is where the stop was filled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from domain.backtest import study
from domain.features import compute
from domain.risk.sizing import Sizing
from domain.strategies.breakout import Breakout
from domain.trading.protection import stop_path, targets_of
from tests.domain.backtest.points import RULES, series

EURUSD = series()
SLIP = RULES.costs.slippage
SPREAD = EURUSD.bars["spread"].to_numpy()
FAST = Breakout(lookback=5, stop_atr=1.0, quiet=0.0, max_bars=24)
BASE = FAST.signals(compute(EURUSD.bars, FAST.features())).drop(columns="target_r_1").assign(break_even_r=np.nan)
PLANS = {
    "break even": dict(break_even_r=1.0, break_even_offset=0.0002),
    "points": dict(trail_kind="points", trail_value=0.002),
    "percent after a start": dict(trail_kind="percent", trail_value=0.2, trail_start_r=0.5),
    "atr and break even": dict(trail_kind="atr", trail_value=2.5, trail_window=10, break_even_r=1.5),
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_the_reported_stop_is_the_one_that_was_filled(plan):
    result = study.run([EURUSD], replace(RULES, sizing=Sizing("fixed_lots", 0.1)), signals=BASE.assign(**plan))
    bars, fills, moves = result.tasks[0].bars, result.outcome.fills, result.outcome.moves
    ends = bars["ts"] + (bars["ts"].iloc[1] - bars["ts"].iloc[0])
    assert set(moves["reason"]) <= {"break_even", "trail"} and (moves["ts"].to_numpy() == ends.iloc[bars["ts"].searchsorted(moves["bar_ts"])].to_numpy()).all()
    seen = dict.fromkeys(("stop_loss", "break_even", "trail"), 0)
    for trade in result.outcome.trades.itertuples():
        mine, moved = fills[fills["trade_id"] == trade.trade_id], moves[moves["trade_id"] == trade.trade_id]
        side = 1 if trade.side == "long" else -1
        assert (side * np.diff(moved["stop_loss"], prepend=trade.stop_loss) > 0).all(), trade
        if trade.exit_reason not in seen:
            continue
        first, last = (int(bars["ts"].searchsorted(ts)) for ts in mine["bar_ts"].iloc[[0, -1]])
        path = stop_path(trade.stop_loss, [int(bars["ts"].searchsorted(ts)) - first for ts in moved["bar_ts"]], moved["stop_loss"].tolist(), last - first + 1)
        opened = bars["open"].iloc[last] + (0.0 if side > 0 else SPREAD[last])
        level = min(path[-1], opened) if side > 0 else max(path[-1], opened)       # a gap fills at the open
        assert mine["price"].iloc[-1] == pytest.approx(level - side * SLIP, abs=2e-9), trade
        assert trade.exit_reason == (moved["reason"].iloc[-1] if len(moved) else "stop_loss"), trade
        seen[trade.exit_reason] += 1
    kind = "break_even" if "trail_kind" not in plan else "trail"
    assert seen[kind] > 10 and sum(seen.values()) > 40, seen


def test_targets_have_price_and_share():
    plan = dict(stop_loss=1.2, target_1=1.05, fraction_1=0.5, target_r_2=2.0, fraction_2=0.5, target_3=np.nan)
    assert targets_of(plan, -1, 1.1) == [("target 1", 1.05, 0.5), ("target 2", 0.9, 0.5)]


def test_a_trade_without_a_stop_has_no_path():
    assert np.isnan(stop_path(np.nan, [], [], 2)).all()
