"""Loss limits that look at an equity between bars: the kernel's definitions, and a halt that ends as the kernel's does."""

from __future__ import annotations

import numpy as np
import pytest

from domain.live.loss_limits import LossLimits
from domain.live.replaying import replay
from domain.market.zones import DAY
from domain.risk.limits import Limits
from domain.trading.command import command
from domain.trading.rules import rules_from
from tests.domain.live.test_replay_is_backtest import ONE, assert_equal
from tests.domain.live.world import contexts, plan_of, start, tape_of

HOUR = 3_600_000_000_000
RULES = rules_from({"sizing": {"kind": "fraction_at_risk", "value": 0.02}, "limits": {"daily_loss": 0.03, "max_drawdown": 0.2, "flatten": False}})


def halts_of(plan, worked) -> tuple[list[int], list[int]]:
    """First instants of each stretch in which the rows reach a limit, by definition: per day, and once for good."""
    limits = LossLimits(plan.rules.limits, plan.rules.account.balance)
    reached = [(row["ts"], use.limit) for each in worked if (row := each.row) is not None for use in limits.look(row["ts"], row["equity"], row["equity_low"]) if use.reached]
    return [ts for ts, limit in reached if limit == "daily_loss"], [ts for ts, limit in reached if limit == "max_drawdown"]


def test_the_limits_are_reached_where_the_kernel_halts():
    plan = plan_of(ONE, "breakout", {"lookback": 5, "quiet": 0.0}, RULES)
    worked = list(replay(plan, tape_of(*ONE), (), contexts(ONE)))
    daily, _ = halts_of(plan, worked)
    refused = [decision.ts for each in worked for decision in each.decisions if decision.reason == "halted"]
    assert daily and refused and min(refused) >= min(daily)
    ends = LossLimits(plan.rules.limits, 1.0)
    for ts in refused:
        ends.look(ts, 1.0)
        assert any(at <= ts <= ends.until and ends.until - at <= 2 * DAY for at in daily)


@pytest.mark.parametrize("limit", ["daily_loss", "max_drawdown"])
def test_a_halt_by_a_limit_of_the_brokers_equity_ends_as_the_limit_does(limit, tmp_path):
    plan = plan_of(ONE, "breakout", {"lookback": 5, "quiet": 0.0}, rules_from({"limits": {"daily_loss": 0.9, "max_drawdown": 0.9}}))
    at = next(bar.end for bar in tape_of(*ONE) if bar.ts >= start() + 20 * HOUR)
    commands = [command(at, "tidemark", "halt", {"limit": limit}, "the broker's equity")]
    worked = list(replay(plan, tape_of(*ONE), commands, contexts(ONE)))
    day = LossLimits(plan.rules.limits, 1.0)
    day.look(at, 1.0)
    entries = [decision.ts for each in worked for decision in each.decisions if decision.verdict in ("placed", "filled") and decision.ts > at]
    refused = [decision.ts for each in worked for decision in each.decisions if decision.reason == "halted"]
    assert refused and min(entries, default=np.inf) > day.until
    assert bool(entries) == (limit == "daily_loss")
    assert assert_equal(plan, tmp_path, commands) > 6


def test_what_it_stood_at_goes_on_after_a_restart():
    limits = Limits(daily_loss=0.05, max_drawdown=0.1, day_reset="17:00 America/New_York")
    random = np.random.default_rng(5)
    equity = 1_000.0 * np.cumprod(1 + random.normal(0, 0.01, 200))
    whole, parted = LossLimits(limits, None), LossLimits(limits, None)
    for k, value in enumerate(equity.tolist()):
        parted = LossLimits(limits, None, parted.kept)
        assert parted.look(k * HOUR, value) == whole.look(k * HOUR, value)


def test_the_first_look_is_the_base_where_no_other_is_known():
    use, fall = LossLimits(Limits(daily_loss=0.05, max_drawdown=0.1), None).look(1, 500.0)
    assert (use.base, use.share, fall.base, fall.floor) == (500.0, 0.0, 500.0, 450.0)
