"""Properties of the kernel on any input: conservation, order, symmetry, causality, and a run that may stop after any instant."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import numpy as np
import pandas as pd
import pytest

from domain.backtest.prepare import prepare
from domain.backtest.simulator import Simulation, simulate
from domain.errors import BadRequest
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.risk.limits import Limits
from domain.risk.sizing import Sizing
from domain.trading.account import Account
from domain.trading.costs import Costs, OwnByInstrument
from domain.trading.execution import INTRABAR, Execution
from domain.trading.gate import Gate
from domain.trading.signals import read_signals
from domain.trading.task import COUNTS, DROPS, Outcome, Rate, Task
from tests.reference.bars import Bar, read_bars
from tests.reference.cases import Case, case
from tests.reference.costs import spread_of

pytestmark = pytest.mark.xdist_group("properties")      # its cases are run once, in one process

PLENTY = Account(balance=1e12, leverage=2_000.0, stop_out=0.0)


def run(case: Case) -> Outcome:
    """Words as words: how many different ones a frame has is no property of what happened."""
    out = simulate(case.tasks, case.account, case.costs, case.execution, case.sizing, case.rates, limits=case.limits, gate=case.gate)
    return replace(out, **{name: worded(getattr(out, name)) for name in ("fills", "trades", "reviews")})


def worded(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype({name: str for name in frame if isinstance(frame[name].dtype, pd.CategoricalDtype)})


SHARE = 1.0 if os.environ.get("TIDEMARK_CASES") else 0.5


def cases(first: int, end: int) -> range:
    """Numbers of random cases: half of them by default, all with ``make check-kernel``."""
    return range(first, first + int(SHARE * (end - first)))


def ran(seeds: range) -> Iterator[tuple[int, Case, Outcome]]:
    """The cases that are not refused, and what came of them."""
    for seed in seeds:
        drawn = case(seed)
        try:
            yield seed, drawn, run(drawn)
        except BadRequest:
            continue


@pytest.fixture(scope="module")
def runs() -> list[tuple[int, Case, Outcome]]:
    return list(ran(cases(1_000, 1_200)))


def bars_of(task: Task | Rate, costs: Costs) -> list[Bar]:
    return read_bars(task.bars, task.timeframe, task.side, task.instrument, spread_of(costs, task.instrument))


def signs(sides: pd.Series) -> np.ndarray:
    return np.where(sides.isin(("buy", "long")), 1.0, -1.0)


# --- conservation ---


def test_money_is_conserved(runs):
    for seed, drawn, out in runs:
        final = out.equity["balance"].iloc[-1]
        assert drawn.account.balance + out.trades["pnl"].sum() == pytest.approx(final, abs=1e-6 * max(1.0, abs(final))), seed
        signed = out.fills["lots"] * signs(out.fills["side"])
        assert (signed.groupby(out.fills["trade_id"]).sum().abs() < 1e-9).all(), seed
        assert (out.equity["equity_low"] <= out.equity["equity"] + 1e-9).all(), seed


def test_exits_never_exceed_entries(runs):
    for seed, _, out in runs:
        own = signs(out.fills["trade_id"].map(out.trades.set_index("trade_id")["side"]))
        open_lots = (out.fills["lots"] * signs(out.fills["side"]) * own).groupby(out.fills["trade_id"]).cumsum()
        assert (open_lots > -1e-9).all(), seed


def test_every_signal_is_an_entry_or_one_drop(runs):
    for seed, drawn, out in runs:
        orders = pd.concat([task.signals.assign(last=task.signals["ts"] == task.bars["ts"].iloc[-1]) for task in drawn.tasks])
        is_exit = orders["order"] == "exit"
        drops = sum(out.counts[name] for name in DROPS) - (is_exit & orders["last"]).sum()
        opened = out.fills["reason"].isin(("market", "stop", "limit")).sum()
        assert opened + drops == (~is_exit).sum(), seed
        assert opened == len(out.trades), seed


def test_every_refusal_has_its_review(runs):
    for seed, _, out in runs:
        counted = {name: out.counts[name] for name in REVIEWED if out.counts[name]}
        assert out.reviews["reason"].value_counts().to_dict() == counted, seed


REVIEWED = ("halted", "no_size", "below_min_lot", "no_margin", "over_max_lot", "blackout", *(name for name in COUNTS if name.startswith(("limit_", "shrunk_"))))


def test_equity_is_balance_and_open_profit_at_every_row(runs):
    """Worked out from fills and bars alone, where one series in the account's currency makes the time of each fill plain."""
    checked = 0
    for seed, drawn, out in runs[::2]:
        if len(drawn.tasks) == 1 and drawn.tasks[0].instrument.quote == drawn.account.currency:
            bars = bars_of(drawn.tasks[0], drawn.costs)
            expected = [row.balance + _open_profit(out, bars, row.ts.value, drawn.tasks[0]) for row in out.equity.iloc[:-1].itertuples()]
            np.testing.assert_allclose(out.equity["equity"].iloc[:-1], expected, rtol=1e-9, atol=1e-6, err_msg=str(seed))
            checked += 1
    assert checked > 20 * SHARE


def _open_profit(out: Outcome, bars: list[Bar], instant: int, task: Task) -> float:
    bar = next(bar for bar in bars if bar.end == instant)
    fills = out.fills[(out.fills["bar_ts"].astype("int64") <= bar.ts) & (out.fills["reason"] != "end")]
    signed = fills["lots"] * signs(fills["side"])
    profit = 0.0
    for trade_id, trade in fills.assign(signed=signed).groupby("trade_id"):
        lots = trade["signed"].sum()
        side = int(signs(out.trades["side"][out.trades["trade_id"] == trade_id])[0])
        if abs(lots) > 1e-9:
            entries = trade[trade["signed"] * side > 0]
            average = (entries["lots"] * entries["price"]).sum() / entries["lots"].sum()
            profit += (bar.closing(side).close - average) * lots * task.instrument.contract
    return profit


# --- order ---


def test_with_the_same_fills_a_higher_commission_never_pays():
    compared = 0
    for seed, drawn, _ in ran(cases(1_400, 1_460)):
        alike = _unbound(drawn)
        less, more = (run(replace(alike, costs=replace(alike.costs, commission_per_lot=c, instruments=OwnByInstrument()))) for c in (1.0, 2.5))
        pd.testing.assert_frame_equal(less.fills.drop(columns="commission"), more.fills.drop(columns="commission"))
        assert (more.trades["pnl"] <= less.trades["pnl"]).all(), seed
        compared += len(more.trades)
    assert compared > 100


def _unbound(case: Case) -> Case:
    """Fixed lots in an account so large that neither margin nor a limit binds."""
    account = replace(PLENTY, currency=case.account.currency)
    return replace(case, account=account, sizing=Sizing("fixed_lots", case.tasks[0].instrument.min_lot), limits=Limits(), gate=Gate())


def _entries_alone(case: Case) -> Iterator[Case]:
    """One trade at a time: each entry with a stop, on its own."""
    for task in case.tasks:
        for row in np.flatnonzero((task.signals["order"] != "exit") & task.signals["stop_loss"].notna()):
            yield replace(case, tasks=(replace(task, signals=task.signals.iloc[[row]].reset_index(drop=True)),))


def test_optimistic_is_no_worse_than_path_and_path_no_worse_than_pessimistic():
    """Slippage must not depend on the number of the fill, which differs."""
    for seed, drawn, _ in ran(cases(1_520, 1_590)):
        costs = replace(drawn.costs, slippage_kind="fixed" if drawn.costs.slippage_kind == "random" else drawn.costs.slippage_kind)
        for alone in list(_entries_alone(_unbound(replace(drawn, costs=costs))))[:2]:
            try:
                best, middle, worst = (run(replace(alone, execution=Execution(how))).trades["r"].to_numpy() for how in ("optimistic", "path", "pessimistic"))
            except BadRequest:
                continue
            assert (best >= middle - 1e-9).all() and (middle >= worst - 1e-9).all(), seed


def test_without_gaps_magnify_too_is_no_worse_than_pessimistic():
    """The same bars in every ``intrabar``; the finer ones have neither gaps nor another spread."""
    better = dict.fromkeys(("magnify", "path", "optimistic"), 0)
    for seed in cases(0, 150):
        task = gapless(Random(seed))
        settings = PLENTY, Costs(spread=0.0, slippage=0.00001)
        outs = {how: simulate([task], *settings, Execution(how), Sizing("fixed_lots", 1.0)) for how in INTRABAR}
        r = {how: out.trades["r"].to_numpy() for how, out in outs.items()}
        assert outs["magnify"].counts["magnify_mismatch"] == outs["magnify"].counts["not_magnified"] == 0, seed
        assert {len(multiples) for multiples in r.values()} in ({0}, {1}), seed
        assert (r["magnify"] >= r["pessimistic"] - 1e-9).all() and (r["path"] >= r["pessimistic"] - 1e-9).all(), seed
        assert (r["optimistic"] >= r["path"] - 1e-9).all(), seed
        for how in better:
            better[how] += int((r[how] > r["pessimistic"] + 1e-9).sum())
    assert min(better.values()) > 5 * SHARE, better


def gapless(rng: Random) -> Task:
    """Twenty hours made of quarters that open where the one before closed, and one entry with a stop, some of its possible protection."""
    path = np.cumsum([0] + [rng.randint(-7, 7) for _ in range(20 * 4 * 3)])
    quarters = np.array([[part[0], part.max(), part.min(), part[-1]] for part in (path[k : k + 4] for k in range(0, 240, 3))])
    hours = quarters.reshape(20, 4, 4)
    coarse = np.column_stack((hours[:, 0, 0], hours[:, :, 1].max(axis=1), hours[:, :, 2].min(axis=1), hours[:, 3, 3]))
    side, at = rng.choice((1, -1)), rng.randrange(8)
    signal = {"ts": HOURS[at], "side": side, "order": rng.choice(("market", "stop", "limit"))}
    close = coarse[at, 3]
    entry = signal["price"] = close + side * rng.randint(1, 8) * {"market": 0, "stop": 1, "limit": -1}[signal["order"]]
    signal["stop_loss"] = entry - side * rng.randint(3, 10)
    targets = sorted(rng.sample(range(1, 16), rng.randint(1, 3)))
    signal |= {f"target_{k}": entry + side * distance for k, distance in enumerate(targets, 1)}
    signal |= {name: _priced(signal[name]) for name in signal if name in ("price", "stop_loss", "target_1", "target_2", "target_3")}
    signal |= {f"fraction_{k}": 0.3 for k in range(1, len(targets) + 1)}
    signal |= rng.choice(({}, {"break_even_r": 0.5, "break_even_offset": 0.00001}, {"trail_kind": "points", "trail_value": 0.00008}, {"max_bars": 4}))
    frames = [_frame(*columns) for columns in ((HOURS, coarse), (pd.date_range(HOURS[0], periods=80, freq="15min"), quarters))]
    signals = read_signals(pd.DataFrame([signal]), ("EURUSD",))
    return Task(instrument("EURUSD"), Timeframe.named("H1"), frames[0], signals, finer=frames[1], finer_timeframe=Timeframe.named("M15"))


HOURS = pd.date_range("2024-07-10T00:00Z", periods=20, freq="1h")


def _priced(ticks: float) -> float:
    return round(1.1 + ticks * 0.00001, 9)


def _frame(times: pd.DatetimeIndex, ticks: np.ndarray) -> pd.DataFrame:
    prices = np.vectorize(_priced)(ticks)
    return pd.DataFrame({"ts": times.as_unit("ns"), **{name: prices[:, k] for k, name in enumerate(("open", "high", "low", "close"))}})


# --- symmetry ---

LEVELS = ("price", "stop_loss", "target_1", "target_2", "target_3", "target_4")


def _symmetric(case: Case) -> Case:
    """What a shift or a mirror leaves as it is: fixed lots, price units, a commission per lot, the account in the quote currency; clean prices."""
    rows = []
    for number, task in enumerate(case.tasks):
        signals = task.signals[(task.signals["trail_kind"] != "percent")].reset_index(drop=True)
        tags = [f"{number} {k}" for k in range(len(signals))] if len(signals) else []
        rows.append(replace(_clean(task), signals=signals.assign(tag=pd.array(tags, dtype="str"), oco=pd.array([""] * len(signals), dtype="str"))))
    costs = replace(case.costs, commission_kind="per_lot", slippage_kind="fixed", swap_long=-1.0, swap_short=-1.0, instruments=OwnByInstrument())
    return replace(_unbound(case), tasks=tuple(rows), costs=costs, account=replace(PLENTY, currency=case.tasks[0].instrument.quote))


def _clean(task: Task) -> Task:
    """Prices on the tick, so that a sum of two of them is one."""

    def rounded(frame: pd.DataFrame | None) -> pd.DataFrame | None:
        if frame is None:
            return None
        ticks = {name: (frame[name] / task.instrument.tick).round() for name in ("open", "high", "low", "close", "spread") if name in frame}
        return frame.assign(**{name: (values * task.instrument.tick).round(9) for name, values in ticks.items()})

    trail = None if task.trail_price is None else np.round(np.round(task.trail_price / task.instrument.tick) * task.instrument.tick, 9)
    levels = {name: ((task.signals[name] / task.instrument.tick * 2).round() / 2 * task.instrument.tick).round(9) for name in LEVELS}
    return replace(task, bars=rounded(task.bars), finer=rounded(task.finer), signals=task.signals.assign(**levels), trail_price=trail)


def _symmetric_cases(seeds: range) -> Iterator[tuple[int, Case]]:
    for seed in seeds:
        symmetric = _symmetric(case(seed))
        if all(task.instrument.quote == symmetric.account.currency for task in symmetric.tasks):
            yield seed, symmetric


def _changed(case: Case, price, side: int = 1) -> Case:
    """Every price p becomes ``price(p)``; with ``side`` −1 highs and lows change places and so do buyers and sellers."""

    def bars(frame: pd.DataFrame | None) -> pd.DataFrame | None:
        if frame is None:
            return None
        high, low = ("high", "low") if side > 0 else ("low", "high")
        return frame.assign(open=price(frame["open"]), high=price(frame[high]), low=price(frame[low]), close=price(frame["close"]))

    def task(before: Task) -> Task:
        levels = {name: price(before.signals[name]) for name in LEVELS}
        signals = before.signals.assign(side=before.signals["side"] * side, **levels)
        trail = None if before.trail_price is None else price(before.trail_price)
        return replace(before, bars=bars(before.bars), finer=bars(before.finer), signals=signals, trail_price=trail)

    return replace(case, tasks=tuple(task(item) for item in case.tasks), rates=tuple(replace(rate, bars=bars(rate.bars)) for rate in case.rates))


def _by_tag(out: Outcome, *columns: str) -> pd.DataFrame:
    return out.trades.sort_values("tag").reset_index(drop=True)[list(columns)]


def test_a_constant_on_all_prices_changes_no_lots_and_no_profit():
    compared = 0
    for seed, symmetric in _symmetric_cases(cases(1_720, 1_800)):
        moved = _changed(symmetric, lambda p, by=1_000 * symmetric.tasks[0].instrument.tick: np.round(p + by, 9))
        before, after = run(symmetric), run(moved)
        assert before.counts == after.counts, seed
        assert before.fills[["lots", "side", "reason"]].equals(after.fills[["lots", "side", "reason"]]), seed
        np.testing.assert_allclose(before.trades["pnl"], after.trades["pnl"], rtol=1e-6, atol=1e-4, err_msg=str(seed))
        compared += len(after.trades)
    assert compared > 100


def test_shorts_in_a_mirror_do_what_longs_did():
    """At no spread, where the path has no tie to break by looking up."""
    compared = 0
    for seed, symmetric in _symmetric_cases(cases(1_860, 1_940)):
        flat = replace(symmetric, costs=replace(symmetric.costs, spread=0.0), tasks=tuple(_without_spread(task) for task in symmetric.tasks))
        flat = replace(flat, execution=replace(symmetric.execution, intrabar="optimistic" if symmetric.execution.intrabar == "path" else symmetric.execution.intrabar))
        before, after = run(flat), run(_changed(flat, lambda p, top=100_000 * symmetric.tasks[0].instrument.tick: np.round(top - p, 9), side=-1))
        assert before.counts == after.counts, seed
        columns = ("tag", "lots", "entry_ts", "exit_ts", "swap", "bars_held", "exit_reason")
        pd.testing.assert_frame_equal(_by_tag(before, *columns), _by_tag(after, *columns))
        np.testing.assert_allclose(_by_tag(before, "pnl", "mae_r", "mfe_r"), _by_tag(after, "pnl", "mae_r", "mfe_r"), rtol=1e-6, atol=1e-4)
        assert (before.trades["side"] != after.trades.set_index("tag").loc[before.trades["tag"], "side"].to_numpy()).all(), seed
        compared += len(after.trades)
    assert compared > 100


def _without_spread(task: Task) -> Task:
    finer = None if task.finer is None else task.finer.drop(columns="spread", errors="ignore")
    return replace(task, bars=task.bars.drop(columns="spread", errors="ignore"), finer=finer, side="bid")


# --- causality ---


def test_bars_to_come_change_nothing_that_has_happened():
    """A run on the bars that end by T has the fills and rows of the whole run before T, but for what ``end`` closes."""
    compared = 0
    for seed in cases(2_000, 2_170):
        full = case(seed)
        full = replace(full, tasks=tuple(replace(task, signals=task.signals.sort_values("ts", kind="stable", ignore_index=True)) for task in full.tasks))
        cut = _cut(full, Random(seed))
        if cut is None:
            continue
        short, instant = cut
        try:
            complete, part = run(full), run(short)
        except BadRequest:  # no rate is left
            continue
        same = len(part.fills) - int((part.fills["reason"] == "end").sum())
        pd.testing.assert_frame_equal(part.fills.iloc[:same], complete.fills.iloc[:same], obj=f"fills of {seed}")
        first_cut = min(task.bars["ts"].iloc[len(left.bars)] for task, left in zip(full.tasks, short.tasks, strict=True))
        assert (complete.fills["bar_ts"].iloc[same:] >= first_cut).all(), seed
        rows = [out.equity[out.equity["ts"] < instant].reset_index(drop=True) for out in (part, complete)]
        pd.testing.assert_frame_equal(*rows, obj=f"equity of {seed}")
        done = part.trades[part.trades["exit_reason"] != "end"].set_index("trade_id")
        pd.testing.assert_frame_equal(done, complete.trades.set_index("trade_id").loc[done.index], obj=f"trades of {seed}")
        compared += same
    assert compared > 150


def _cut(case: Case, rng: Random) -> tuple[Case, pd.Timestamp] | None:
    """The case up to an instant at which a bar of every task ends, none of them cut short by the bar after it."""
    ends = [[bar.end for bar in bars_of(task, case.costs)] for task in case.tasks]
    uncut = [{end for bar, end in zip(task.bars["ts"].astype("int64"), own, strict=True) if _full(task, bar, end)} for task, own in zip(case.tasks, ends, strict=True)]
    shared = sorted(set.intersection(*uncut) - {max(own) for own in ends})
    shared = [end for end in shared if all(end < own[-1] for own in ends)]
    if not shared:
        return None
    instant = rng.choice(shared)
    tasks = tuple(_until(task, own, instant) for task, own in zip(case.tasks, ends, strict=True))
    rates = tuple(replace(rate, bars=rate.bars[[bar.end <= instant for bar in bars_of(rate, case.costs)]].reset_index(drop=True)) for rate in case.rates)
    return replace(case, tasks=tasks, rates=tuple(rate for rate in rates if len(rate.bars))), pd.Timestamp(instant, tz="UTC")


def _full(task: Task, ts: int, end: int) -> bool:
    return task.timeframe.ends_with_session or end == ts + task.timeframe.nanoseconds


def _until(task: Task, ends: list[int], instant: int) -> Task:
    count = sum(end <= instant for end in ends)
    moment = pd.Timestamp(instant, tz="UTC")
    last = task.bars["ts"].iloc[count - 1]
    finer = None if task.finer is None else task.finer[task.finer["ts"] < moment].reset_index(drop=True)
    trail = None if task.trail_price is None else task.trail_price[:count]
    monitored = None if task.monitored is None else task.monitored[: len(task.monitored) - len(task.bars) + count]      # its values before the bars stay
    return replace(
        task, bars=task.bars.iloc[:count], signals=task.signals[task.signals["ts"] <= last].reset_index(drop=True), finer=finer, trail_price=trail, monitored=monitored
    )


# --- a run may stop after any instant ---


def same(outcome: Outcome, other: Outcome) -> None:
    for name in ("fills", "trades", "equity", "reviews"):
        pd.testing.assert_frame_equal(getattr(outcome, name), getattr(other, name), check_exact=True)
    assert (outcome.counts, outcome.ambiguous, outcome.extra) == (other.counts, other.ambiguous, other.extra)


@pytest.mark.parametrize("part", range(2))
def test_a_stored_run_is_resumed_to_the_same_bytes(part):
    """Interrupted a few times after random instants, each time stored as bytes and taken up by a fresh simulation from the same inputs."""
    for seed in cases(2_400, 2_540)[part::2]:
        drawn, rng = case(seed), Random(seed)
        inputs = (drawn.tasks, drawn.rules, drawn.rates)
        try:
            uninterrupted = Simulation(prepare(*inputs), drawn.account)
        except BadRequest:
            continue
        uninterrupted.to_end()
        broken, fresh = Simulation(prepare(*inputs), drawn.account), prepare(*inputs)
        while broken.step(rng.choice((1, 5, 40))):
            broken = Simulation.resume(fresh, drawn.account, broken.store())
        broken.finish()
        same(broken.outcome(drawn.tasks), uninterrupted.outcome(drawn.tasks))


def test_storing_changes_nothing_and_gives_the_same_bytes_twice():
    for seed in cases(2_640, 2_660):
        drawn = case(seed)
        simulation = Simulation(prepare(drawn.tasks, drawn.rules, drawn.rates), drawn.account)
        simulation.step(25)
        assert simulation.store() == simulation.store(), seed
