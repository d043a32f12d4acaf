"""The engine against the sentences written anew, and one instant after another against all at once."""

from __future__ import annotations

import os
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from domain.compliance import Instant, Judge, Path, judge, load, preset, presets
from domain.compliance.judge import known_of
from domain.compliance.trades import OPEN
from tests.domain.compliance import reference

CASES = int(os.environ.get("TIDEMARK_CASES", "6"))
CLOCKS = (("00:00", "Europe/Prague"), ("17:00", "America/Chicago"), ("17:00", "America/New_York"))
DRAWDOWNS = ("static", "trailing end-of-day balance", "trailing intraday balance", "trailing intraday equity peak")


def drawn(seed: int):
    """Rows over some days that cross a change of the clock, whole numbers so that equality with a floor happens."""
    at = np.random.default_rng(seed)
    moment, balance, rows = datetime(2026, 3, 26, 15, tzinfo=UTC) if seed % 2 else datetime(2026, 3, 6, 20, tzinfo=UTC), 1_000.0, []
    for _ in range(60):
        moment += timedelta(minutes=int(at.choice([30, 60, 240, 600, 1_500])))
        balance += float(at.integers(-6, 7)) * at.choice([0, 0, 1, 5])
        equity = balance + float(at.integers(-25, 26)) * at.choice([0, 1])
        rows.append((moment, balance, equity, equity - float(at.integers(0, 12)), equity + float(at.integers(0, 12))))
    if seed % 3 == 0:
        rows = [(ts, balance, equity, low, None) for ts, balance, equity, low, _ in rows]
    if seed % 5 == 0:
        rows = [(ts, balance, equity, None, None) for ts, balance, equity, *_ in rows]
    return rows


def path_of(rows, trades=None, initial: float = 1_000.0) -> Path:
    ts, *curves = zip(*rows, strict=True)
    curves = [None if curve[0] is None else np.array(curve, float) for curve in curves]
    return Path(pd.DatetimeIndex(ts).as_unit("ns").asi8, *curves, trades=trades, initial=initial)


def rules_of(reset: str, tz: str, tables: str):
    return load(f'[day]\nreset = "{reset}"\ntz = "{tz}"\n{tables}')


def agrees(judgement, column: str, floors, first) -> None:
    np.testing.assert_allclose(judgement.floors[column], floors, rtol=0, atol=1e-9)
    verdict = next(rule for rule in judgement.rules if rule.column == column)
    got = verdict.first_breach
    assert (got and (pd.Timestamp(got.ts, tz="UTC"), got.value, round(got.floor, 9))) == (first and (first[0], first[1], round(first[2], 9)))


@pytest.mark.parametrize("seed", range(CASES))
def test_floors_and_the_first_breach_are_those_of_the_sentences(seed):
    rows, (reset, tz) = drawn(seed), CLOCKS[seed % 3]
    basis, comparator = ("balance", "equity", "max")[seed % 3], ("<", "<=")[seed % 2]
    kind, lock = DRAWDOWNS[seed % 4], ("none", "start", "start + 3")[seed % 3]
    rules = rules_of(reset, tz, f'''
        [daily]
        basis = "{basis}"
        amount = "2 % of {"basis" if seed % 2 else "initial"}"
        watch = "equity"
        effect = "FAIL"
        comparator = "{comparator}"
        [drawdown]
        kind = "{kind}"
        amount = 30
        lock = "{lock}"
        watch = "equity"
        comparator = "{comparator}"
    ''')
    judgement = judge(path_of(rows), rules)
    clock = time.fromisoformat(reset), tz
    agrees(judgement, "daily_loss", *reference.daily_loss(rows, 1_000.0, *clock, lambda initial, start: 0.02 * (start if seed % 2 else initial), basis, comparator))
    level = {"none": float("inf"), "start": 1_000.0, "start + 3": 1_003.0}[lock]
    agrees(judgement, "max_drawdown", *reference.max_drawdown(rows, 1_000.0, *clock, 30.0, kind, level, comparator))


@pytest.mark.parametrize("seed", range(CASES))
def test_the_best_day_and_the_profitable_days_are_those_of_the_sentences(seed):
    rows, (reset, tz) = drawn(seed), CLOCKS[seed % 3]
    clock = time.fromisoformat(reset), tz
    for cut in (15, 37, 60):
        for place, kind in enumerate(("best / net", "best / sum of positive days")):
            share = reference.best_day(rows[:cut], 1_000.0, *clock)[-1]
            verdict = judge(path_of(rows[:cut]), rules_of(reset, tz, f'[consistency]\nkind = "{kind}"\ncap = 50\ncomparator = ">"')).rules[0]
            assert verdict.value == (None if share is None else pytest.approx(100 * share[place]))
            assert verdict.state == ("passed" if share and share[place] <= 0.5 + 1e-12 else "open")
        table = '[min_days]\ncount = 3\ncounts = "profitable"\nprofit = 5\nattributed = "close day"'
        counted = reference.profitable_days(rows[:cut], 1_000.0, *clock, 5.0)[-1]
        assert judge(path_of(rows[:cut]), rules_of(reset, tz, table)).rules[0].value == counted


def some_trades(rows, seed: int) -> pd.DataFrame:
    at = np.random.default_rng(seed)
    stamps = pd.DatetimeIndex([row[0] for row in rows]).as_unit("ns")
    first = np.sort(at.integers(0, len(rows) - 2, 25))
    last = np.minimum(first + at.integers(0, 9, 25), len(rows) - 1)
    shift = pd.to_timedelta(at.integers(0, 25, 25), unit="min")
    enter, leave = stamps[first] + shift, stamps[last] + shift
    leave = pd.DatetimeIndex(np.minimum(leave, stamps[-1]).tz_localize("UTC")) if leave.tz is None else leave.where(leave <= stamps[-1], stamps[-1])
    pnl = at.integers(-9, 12, 25).astype(float)
    return pd.DataFrame(dict(
        trade_id=np.arange(1, 26), instrument=at.choice(["EURUSD", "GBPUSD"], 25), side=at.choice(["long", "short"], 25), lots=at.choice([0.1, 0.2], 25),
        entry_ts=enter, entry_price=1.1, exit_ts=leave, exit_price=1.1 + pnl / 1e5, stop_loss=np.where(at.random(25) < 0.3, np.nan, 1.099), pnl_gross=pnl, pnl=pnl,
        exit_reason=at.choice(["stop_loss", "target_1", "signal"], 25),
    ))  # fmt: skip


EVERY = """
[daily]
basis = "max"
amount = "2 % of basis"
watch = "equity"
effect = "DAY_LOCK"
comparator = "<="
[drawdown]
kind = "trailing intraday equity peak"
amount = 60
lock = "start + 3"
watch = "equity"
comparator = "<"
[target]
amount = 25
[[consistency]]
kind = "best / net"
cap = 50
comparator = ">"
[[consistency]]
kind = "best trade"
cap = 90
comparator = ">="
[[consistency]]
kind = "target shift to best / cap"
cap = 40
comparator = ">"
[[min_days]]
count = 3
counts = "opened"
[[min_days]]
count = 2
counts = "profitable"
profit = 5
attributed = "open day"
[[min_days]]
count = 2
counts = "profitable"
profit = 5
attributed = "equity change"
[[min_days]]
count = 2
counts = "profitable"
profit = 5
attributed = "closed minus floating"
[profit_cap]
amount = 20
watch = "equity"
effect = "DAY_LOCK"
[max_positions]
count = 2
effect = "BLOCK"
[max_lots]
lots = 0.3
effect = "BLOCK"
[scaling]
steps = [[0, 0.2], [10, 0.3]]
effect = "BLOCK"
[max_leverage]
fx_major = 20
[risk_per_trade]
amount = "1 % of basis"
effect = "BLOCK"
[stop_required_within]
seconds = 1200
effect = "BLOCK"
[inactivity_days]
days = 2
[news]
before = 30
after = 15
actions = "all"
effect = "BLOCK"
[weekend]
policy = "flat by Fri 20:00"
effect = "BLOCK"
[overnight]
policy = "flat by 22:30"
effect = "BLOCK"
[margin]
regulator = "ESMA"
close_out = 50
[fifo]
applies = true
[no_hedging]
applies = true
"""


def state_of(engine: Judge) -> list:
    """All that a judge knows at the end."""
    return [
        (s.column, None if np.isnan(s.line) else round(s.line, 9), None if np.isnan(s.reading.value) else round(s.reading.value, 9), s.met,
         sorted((b.ts, b.effect, round(b.floor, 6) if b.floor == b.floor else None, tuple(map(str, b.trades[:1]))) for b in s.breaches))
        for s in engine.standings
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(max(2, CASES // 3)))
def test_one_instant_after_another_is_all_at_once(seed):
    rows = drawn(seed)
    trades, (reset, tz) = some_trades(rows, seed), CLOCKS[seed % 3]
    releases = pd.DataFrame(dict(ts=pd.to_datetime([rows[k][0] for k in (5, 20, 40)], utc=True), title="CPI", currency="USD", impact="high"))
    rules, path = rules_of(reset, tz, EVERY), path_of(rows, trades)
    known = known_of(path, True)
    whole = Judge(rules, 1_000.0, known, releases=releases)
    whole.feed(path.ts, path.balance, path.equity, path.equity_low, path.equity_high, path.rows)
    single = Judge(rules, 1_000.0, known, releases=releases)
    before = np.iinfo(np.int64).min
    entry, leave = (trades[name].dt.as_unit("ns").astype("int64").to_numpy() for name in ("entry_ts", "exit_ts"))
    for ts, balance, equity, low, high in rows:
        now = pd.Timestamp(ts).value
        opened = trades[(entry > before) & (entry <= now)]
        closed = trades[(entry <= before) & (leave > before) & (leave <= now)]
        single.step(Instant(now, balance, equity, low, high, opened, closed))
        before = now
    assert state_of(single) == state_of(whole)
    assert (single.state, single.passed_at, single.failed_at) == (whole.state, whole.passed_at, whole.failed_at)
    assert {s.column for s in whole.standings if s.breaches} >= {"max_positions", "max_lots", "risk_per_trade", "no_hedging"}      # the case is no empty one


def test_an_end_of_day_trail_sees_the_resets_of_days_without_a_row():
    """Friday ends at 54,000; the next row stands at Sunday's reset itself, with a loss: Friday's and Saturday's resets saw 54,000."""
    rules = rules_of("17:00", "America/Chicago", '[drawdown]\nkind = "trailing end-of-day balance"\namount = 2000\nlock = "none"\ncomparator = "<"\n')
    rows = [
        (datetime(2026, 3, 13, 15, tzinfo=UTC), 54_000.0, 54_000.0, None, None),
        (datetime(2026, 3, 15, 22, tzinfo=UTC), 52_500.0, 52_500.0, None, None),
        (datetime(2026, 3, 15, 23, tzinfo=UTC), 51_900.0, 51_900.0, None, None),
    ]
    path = path_of(rows, initial=50_000.0)
    judgement, engine = judge(path, rules), Judge(rules, 50_000.0, known_of(path))
    for ts, balance in zip(path.ts.tolist(), path.balance.tolist(), strict=True):
        engine.step(Instant(ts, balance, balance))
    assert judgement.floors["max_drawdown"].tolist() == [48_000.0, 52_000.0, 52_000.0]
    assert judgement.failed_at == pd.Timestamp("2026-03-15T23:00Z") and engine.failed_at == path.ts[2]


def test_every_preset_is_the_same_in_pieces():
    rng = np.random.default_rng(4)
    rows = [(ts, 100 * b, 100 * e, 100 * low, 100 * high) for ts, b, e, low, high in drawn(1)]
    for name in presets():
        rules, path = preset(name), path_of(rows, some_trades(rows, 1), 100_000.0)
        engines = [Judge(rules, 100_000.0), Judge(rules, 100_000.0)]
        cuts = [0, *sorted(rng.choice(np.arange(1, 60), 4, replace=False).tolist()), 60]
        for engine, edges in zip(engines, ([0, 60], cuts), strict=True):
            for start, end in pairwise(edges):
                cut = slice(start, end)
                since, until = path.ts[start - 1] if start else path.ts[0] - 1, path.ts[end - 1]
                given = path.rows.rows((path.rows.entry_ts <= until) & (path.rows.exit_ts > since))
                engine.feed(path.ts[cut], path.balance[cut], path.equity[cut], path.equity_low[cut], path.equity_high[cut], given)
        assert state_of(engines[0]) == state_of(engines[1]), name


def test_a_trade_that_is_open_is_not_known_to_close():
    rows = drawn(1)
    trades = some_trades(rows, 1)
    trades["exit_ts"] = trades["exit_ts"].astype(object)
    trades.loc[24, "exit_ts"] = None
    assert (path_of(rows, trades).rows.exit_ts == OPEN).sum() == 1


HOURS = [datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in range(12, 16)]
LOCKED = '[daily]\nbasis = "balance"\namount = 20\nwatch = "equity"\neffect = "DAY_LOCK"\ncomparator = "<"\n[target]\namount = 100\n[drawdown]\nkind = "static"\namount = 300\nlock = "none"\nwatch = "equity"\ncomparator = "<"'


def test_after_a_phase_was_passed_each_rule_says_what_held_until_then_and_what_does_no_longer():
    curve = [(1_050.0, 1_050.0), (1_110.0, 1_110.0), (1_060.0, 1_060.0), (600.0, 600.0)]
    passed = judge(path_of([(ts, *row, None, None) for ts, row in zip(HOURS, curve, strict=True)]), rules_of("00:00", "UTC", LOCKED))
    target, drawdown = (next(rule for rule in passed.rules if rule.column == column) for column in ("target", "max_drawdown"))
    assert (passed.state, target.state, target.sentence) == ("passed", "open", "Reached on 2026-03-02T13:00:00Z, with all other goals; no longer at the end.")
    assert (target.value, target.floor, target.headroom) == (600.0, 1_100.0, 500.0), "they stand at the last instant"
    assert (drawdown.state, drawdown.headroom, drawdown.sentence) == ("passed", -100.0, "Held until all goals were reached on 2026-03-02T13:00:00Z.")


def test_the_sentence_on_an_open_account_names_what_was_broken_without_ending_it():
    rows = [(ts, 1_000.0, equity, None, None) for ts, equity in zip(HOURS, (1_000.0, 970.0, 960.0, 1_000.0), strict=True)]
    locked = judge(path_of(rows), rules_of("00:00", "UTC", LOCKED))
    assert locked.sentence == "Open: no rule that ends the account is broken; broken without ending it: daily_loss; still to reach: target."
    assert judge(path_of(rows[:1]), rules_of("00:00", "UTC", LOCKED)).sentence == "Open: no rule is broken; still to reach: target."
