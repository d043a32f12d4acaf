"""Notices of the use of loss limits: once a level and day, on the worst equity inside a bar, over a restart."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from domain.live import notices
from domain.live.loss_watch import LossWatch
from domain.risk.limits import Limits

DAILY = Limits(daily_loss=0.1, day_reset="00:00 UTC")


def at(text: str) -> int:
    return pd.Timestamp(text, tz="UTC").value


def told(watch, limits, *rows):
    return [(notice.severity, notice.key) for ts, equity, low in rows for notice in watch.row("gold", limits, at(ts), equity, low)]


def test_each_level_of_the_daily_loss_is_told_once_a_day_at_its_severity():
    rows = [("2026-08-03 10:00", 960, 951), ("2026-08-03 10:05", 960, 950), ("2026-08-03 10:10", 940, 919), ("2026-08-03 10:15", 940, 919), ("2026-08-03 10:20", 930, 899)]
    assert told(LossWatch(1_000.0), DAILY, *rows) == [
        ("warning", "gold:daily_loss:2026-08-04:0.5"), ("warning", "gold:daily_loss:2026-08-04:0.8"), ("critical", "gold:daily_loss:2026-08-04:1"),
    ]  # fmt: skip


def test_of_levels_reached_at_once_the_highest_is_told():
    assert told(LossWatch(1_000.0), DAILY, ("2026-08-03 10:00", 850, 850)) == [("critical", "gold:daily_loss:2026-08-04:1")]


def test_a_new_day_begins_with_the_last_equity_and_its_boundary_belongs_to_the_day_before():
    watch = LossWatch(1_000.0)
    assert len(told(watch, DAILY, ("2026-08-03 10:00", 940, 940), ("2026-08-04 00:00", 940, 940))) == 1
    assert told(watch, DAILY, ("2026-08-04 00:05", 940, 940)) == []
    assert watch.begin == 940.0
    assert told(watch, DAILY, ("2026-08-04 00:10", 893, 893)) == [("warning", "gold:daily_loss:2026-08-05:0.5")]


def test_the_floor_of_the_drawdown_follows_the_peak():
    watch, limits = LossWatch(1_000.0), Limits(max_drawdown=0.1, day_reset="00:00 UTC")
    assert told(watch, limits, ("2026-08-03 10:00", 1_100, 1_000), ("2026-08-03 10:05", 1_020, 1_012), ("2026-08-03 10:10", 1_010, 1_000)) == [
        ("warning", "gold:floor:drawdown limit:2026-08-04:0.2"), ("critical", "gold:floor:drawdown limit:2026-08-04:0.1"),
    ]  # fmt: skip


def test_after_a_restart_nothing_is_told_twice():
    rows = [("2026-08-03 10:00", 940, 940), ("2026-08-03 10:05", 930, 930), ("2026-08-03 10:10", 915, 915)]
    whole = told(LossWatch(1_000.0), DAILY, *rows)
    watch, restarted = LossWatch.of({}, 1_000.0), []
    for row in rows:
        restarted += told(watch, DAILY, row)
        watch = LossWatch.of(json.loads(json.dumps(watch.plain())), 5.0)
    assert restarted == whole


def test_limits_that_are_off_tell_nothing():
    assert told(LossWatch(1_000.0), Limits(), ("2026-08-03 10:00", 1, 1)) == []


@pytest.mark.parametrize(("state", "severity"), [("running", "info"), ("paused", "warning"), ("halted", "critical"), ("differs", "critical")])
def test_states_have_their_severity(state, severity):
    assert notices.state("gold", state, 0).severity == severity
