"""What is judged on whole days of many paths is what the replay says of each of them: state, rule and day."""

from __future__ import annotations

import os

import numpy as np
import pytest

from domain.compliance import Path, judge, preset, presets
from domain.compliance.days_from_path import days_of as days_from
from domain.compliance.outcomes import outcomes_of
from domain.compliance.passing import day_rules, terms_of
from domain.compliance.resampling import resampled_days
from domain.compliance.rule import Known
from tests.domain.compliance.sampled import daily, days_of, drawdown, rules, target, written_out

PATHS = 60
EACH = int(os.environ.get("TIDEMARK_CASES", 1))  # replayed paths of each end
HORIZON = 15
NOON = np.datetime64("2024-01-01T12:00", "ns").astype(np.int64)
DAY = 24 * 3_600_000_000_000


def wild(seed: int, floating: bool = False, size: float = 0.02):
    """Days whose paths end in every way within a few weeks."""
    rng = np.random.default_rng(seed)
    change = rng.normal(0.003, size, 40).round(4)
    change[rng.integers(0, 40, 6)] = 0.0
    low = np.minimum(change, 0.0) - rng.exponential(size / 2, 40).round(4)
    high = np.maximum(change, 0.0) + rng.exponential(size / 2, 40).round(4)
    opened = (change != 0) * rng.integers(1, 3, 40).astype(float)
    held = rng.normal(0.0, size / 2, 40).round(4) * (rng.random(40) < 0.4) if floating else np.zeros(40)
    return days_of(
        change,
        low,
        high,
        opened=opened,
        closed=opened,
        best=np.maximum(change, 0.0) * rng.uniform(0.5, 1.5, 40),
        floating=held,
    )


def compared(rule_set, days, seed: int = 1) -> set[str]:
    """Paths of each end judged both ways; the ends that occurred."""
    terms, judged = terms_of(rule_set), day_rules(rule_set, days)
    assert not any(each.needs for each in judged)
    chosen = resampled_days(len(days), PATHS, HORIZON, 3.0, np.random.default_rng(seed))
    outcomes, ends = outcomes_of(days, chosen, judged, terms), set()
    states = np.where(outcomes.passed_on > 0, "passed", np.where(outcomes.failed_on > 0, "failed", "open"))
    replayed = [path for state in np.unique(states) for path in np.flatnonzero(states == state)[:EACH]]
    traded = any(each.rule.needs(Known(False, True, True, False)) for each in judged)
    for path in replayed:
        verdict = judge(written_out(days, chosen[:, path], terms.initial, traded), rule_set)
        state = states[path]
        assert state == verdict.state
        ends.add(state)
        if state == "passed":
            assert verdict.passed_at.value == NOON + (int(outcomes.passed_on[path]) - 1) * DAY
        if state == "failed":
            assert verdict.failed_at.value == NOON + (int(outcomes.failed_on[path]) - 1) * DAY
            assert verdict.failed_by.column == judged[outcomes.failed_by[path]].column
        until = np.iinfo(np.int64).max if state == "open" else (verdict.failed_at or verdict.passed_at).value
        for place, each in enumerate(judged):
            locks = [
                b
                for b in verdict.breaches.itertuples()
                if b.rule == each.column and b.effect == "DAY_LOCK" and b.ts.value <= until
            ]
            assert outcomes.locked[place, path] == bool(locks)
    return ends


SETS = {
    "daily from the balance": (daily("balance", "3 % of initial"), drawdown(), target("4 %")),
    "daily from the equity, reached": (daily("equity", "3 % of basis", comparator="<="), drawdown(), target("4 %")),
    "daily from the greater, closed": (
        daily("max", "2 % of basis", watch="closed"),
        drawdown(watch="closed"),
        target("4 %"),
    ),
    "day lock": (
        daily("balance", "1000", effect="DAY_LOCK"),
        drawdown("trailing end-of-day balance", "4000", "start", comparator="<="),
        target("4000"),
    ),
    "trailing balance": (drawdown("trailing intraday balance", "4 % of initial", "none"), target("5 %")),
    "trailing balance, closed": (
        drawdown("trailing intraday balance", "3 % of initial", "start", watch="closed"),
        target("5 %"),
    ),
    "trailing peak": (drawdown("trailing intraday equity peak", "5 % of initial", "start + 100"), target("4 %")),
    "trailing peak without lock": (drawdown("trailing intraday equity peak", "9000", comparator="<="), target("3 %")),
    "profit cap": ('[profit_cap]\namount = "2 %"\nwatch = "equity"\n', drawdown(amount="5 %"), target("4 %")),
    "profit cap fails": (
        '[profit_cap]\namount = "3 % of basis"\nwatch = "closed"\neffect = "FAIL"\n',
        drawdown(),
        target("4 %"),
    ),
    "days with a position": ('[min_days]\ncount = 5\ncounts = "opened"\n', drawdown(amount="5 %"), target("3 %")),
    "profitable days": (
        '[min_days]\ncount = 3\ncounts = "profitable"\nprofit = "0.5 %"\nattributed = "close day"\n',
        drawdown(amount="5 %"),
        target("3 %"),
    ),
    "profitable days by equity": (
        '[min_days]\ncount = 3\ncounts = "profitable"\nprofit = "0.5 %"\nattributed = "equity change"\n',
        drawdown(amount="5 %"),
        target("3 %"),
    ),
    "profitable days less floating": (
        '[min_days]\ncount = 3\ncounts = "profitable"\nprofit = "0.5 %"\nattributed = "closed minus floating"\n',
        drawdown(amount="5 %"),
        target("3 %"),
    ),
    "best day of the net": (
        '[consistency]\nkind = "best / net"\ncap = "50 %"\ncomparator = ">"\n',
        drawdown(amount="6 %"),
        target("3 %"),
    ),
    "best day of positive days": (
        '[consistency]\nkind = "best / sum of positive days"\ncap = "40 %"\ncomparator = ">="\n',
        drawdown(amount="6 %"),
        target("3 %"),
    ),
    "best trade": (
        '[consistency]\nkind = "best trade"\ncap = "50 %"\ncomparator = ">"\n',
        drawdown(amount="6 %"),
        target("3 %"),
    ),
    "target shifts": (
        '[consistency]\nkind = "target shift to best / cap"\ncap = "50 %"\ncomparator = ">"\n',
        drawdown(amount="6 %"),
        target("3 %"),
    ),
    "target shifts by the excess": (
        '[consistency]\nkind = "target shift by the excess"\ncap = "50 %"\ncomparator = ">"\n',
        drawdown(amount="6 %"),
        target("3 %"),
    ),
}


@pytest.mark.parametrize("name", SETS)
def test_every_kind_of_rule_ends_paths_as_the_replay_does(name):
    ends = compared(rules(*SETS[name]), wild(3))
    assert len(ends) >= 2, "the case shows nothing if all paths end alike"


@pytest.mark.parametrize(
    "name",
    [
        "daily from the balance",
        "daily from the equity, reached",
        "trailing balance",
        "trailing peak",
        "profitable days less floating",
        "best day of the net",
    ],
)
def test_positions_held_overnight_end_paths_as_the_replay_does(name):
    compared(rules(*SETS[name]), wild(5, floating=True))


@pytest.mark.parametrize("name", ["ftmo-2-step", "ftmo-1-step", "fundednext-stellar-2-step", "apex-50k-intraday"])
def test_presets_end_paths_as_the_replay_does(name):
    compared(preset(name), wild(7, size=0.03))


def test_every_preset_with_a_target_can_be_estimated():
    from domain.compliance.drawing import ChanceConfig
    from domain.compliance.passing import chance

    config = ChanceConfig(paths=100, histories=20, inner=50)
    for name in presets():
        result = chance(wild(3), preset(name), config)
        assert (result.passed is None) == (name in ("esma-retail", "nfa-retail"))
        assert set(result.not_judged) <= {
            "news",
            "weekend",
            "overnight",
            "max_positions",
            "margin",
            "fifo",
            "no_hedging",
        }


def test_the_overnight_trap_is_seen_without_a_trade():
    """Closed +2 %, floating −6.5 %: the next day's floor, from the balance, lies above the equity."""
    days = days_of([-0.045, 0.0], [-0.045, 0.0], [0.0, 0.0], floating=np.array([-0.065, 0.0]))
    rule_set = rules(daily("balance", "5 % of initial"), account=200_000.0)
    outcomes = outcomes_of(days, np.array([[0], [1]]), day_rules(rule_set, days), terms_of(rule_set))
    assert outcomes.failed_on.tolist() == [2]  # equity 191,000 below 204,000 − 10,000


INTRADAY = {
    "daily and static": (daily("balance", "3 % of initial"), drawdown(amount="6 %"), target("5 %")),
    "daily of the greater": (daily("max", "2.5 % of basis"), drawdown(amount="7 %"), target("5 %")),
    "end of day": (daily("equity", "3 % of basis"), drawdown("trailing end-of-day balance", "5 % of initial", "start"), target("5 %")),
    "peak": (drawdown("trailing intraday equity peak", "5 % of initial"), target("6 %")),
}  # fmt: skip


def intraday(seed: int) -> Path:
    """Thirty days of four rows, with lows and highs, flat at the last row of each day."""
    rng = np.random.default_rng(seed)
    ts = NOON - DAY // 3 + np.arange(30).repeat(4) * DAY + np.tile(np.arange(4), 30) * DAY // 8
    equity = 100_000 * np.cumprod(1 + rng.normal(0.0008, 0.008, 120))
    balance = np.where(np.arange(120) % 4 == 3, equity, equity * (1 + rng.normal(0.0, 0.004, 120)))
    low, high = equity * (1 - rng.exponential(0.003, 120)), equity * (1 + rng.exponential(0.003, 120))
    return Path(ts, balance, equity, equity_low=low, equity_high=high, initial=100_000.0)


@pytest.mark.parametrize("name", INTRADAY)
def test_the_days_of_a_path_in_their_own_order_end_as_the_path_does(name):
    """A peak within the day is the one thing that a day does not time: its high comes before its low, so it may fail sooner."""
    rule_set, ends = rules(*INTRADAY[name]), set()
    for seed in range(8):
        path = intraday(seed)
        days, verdict = days_from(path, rule_set.day), judge(path, rule_set)
        assert len(days) == 30
        outcomes = outcomes_of(days, np.arange(30)[:, None], day_rules(rule_set, days), terms_of(rule_set))
        ended = verdict.failed_at or verdict.passed_at
        on = 0 if ended is None else (ended.value - NOON + DAY // 2) // DAY + 1
        states = dict(passed=int(outcomes.passed_on[0]), failed=int(outcomes.failed_on[0]))
        ends.add(verdict.state)
        if name != "peak":
            assert states.get(verdict.state, 0) == on and sum(states.values()) == on
        elif verdict.state == "failed":
            assert 0 < states["failed"] <= on
    assert len(ends) >= 2
