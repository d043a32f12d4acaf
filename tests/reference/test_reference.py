"""Sentences of docs/execution.md that no worked example covers, and properties of the reference implementation on every case."""

from __future__ import annotations

import dataclasses
import doctest
import importlib
from collections import Counter
from functools import partial

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from domain.errors import BadRequest
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.trading.execution import Execution
from domain.trading.outcomes import LIMIT_DROPS
from domain.trading.signals import read_signals
from domain.trading.task import COUNTS, DROPS, EQUITY, FILLS, REASONS, REVIEWS, TRADES, Outcome
from tests.reference.cases import Case, as_read, case
from tests.reference.execution import as_outcome, replayed, simulate
from tests.reference.ledger import Ledger, splitmix64
from tests.reference.worked import BAR_1, BEFORE, COSTS, bars_of, bought_at_bar_0, only_trade, run_by, task_of

pytestmark = pytest.mark.xdist_group("reference")      # its cases are run once, in one process

SEEDS = range(300)
LIMITS = LIMIT_DROPS
run = partial(run_by, simulate)

FLAT = (1.1000, 1.1005, 1.0995, 1.1000)


def friday_bars(*hours: str) -> pd.DataFrame:
    bars = bars_of(*[FLAT] * len(hours))
    return bars.assign(ts=pd.to_datetime([f"2024-07-{hour}:00Z" for hour in hours], format="%Y-%m-%dT%H:%MZ", utc=True).as_unit("ns"))


def test_flat_by_leaves_at_the_last_close_before_the_weekend_and_pays_no_swap():
    costs = dataclasses.replace(COSTS, swap_long=-6.50)
    bars = friday_bars("12T17", "12T18", "12T19", "12T20", "14T21", "14T22")
    flat = only_trade(run(task_of(bars, {"at": 0, "side": "long", "flat_by": "Fri 17:00 America/New_York"}), costs))
    assert (str(flat.exit_ts), flat.exit_reason, flat.exit_price, flat.swap) == ("2024-07-12 21:00:00+00:00", "session", 1.1000, 0.0)
    unforced = only_trade(run(task_of(bars, {"at": 0, "side": "long"}), costs))
    assert unforced.swap == -6.50


def test_flat_by_leaves_at_the_next_open_where_the_last_bar_is_missing():
    bars = friday_bars("12T17", "12T18", "12T19", "14T21", "14T22")
    trade = only_trade(
        run(task_of(bars, {"at": 0, "side": "long", "flat_by": "Fri 17:00 America/New_York"}), dataclasses.replace(COSTS, swap_long=-6.50))
    )
    assert (str(trade.exit_ts), trade.exit_reason) == ("2024-07-14 21:00:00+00:00", "session")
    assert trade.swap == -6.50  # Friday's roll, which no bar covers, comes before step 1 of Sunday's first bar


def test_stop_out_at_the_adverse_extreme():
    bars = bars_of(BEFORE, BAR_1, (1.1005, 1.1010, 1.0780, 1.1000), BAR_1)
    trade = only_trade(run(task_of(bars, {"at": 0, "side": "long"}), balance=4_000.0))  # (4,000 − 2,220) ÷ 3,667.33 = 0.485
    assert (trade.exit_reason, trade.exit_price) == ("stop_out", 1.0780)
    assert trade.pnl == pytest.approx(-2_220.00)
    spared = only_trade(run(task_of(bars, {"at": 0, "side": "long"}), balance=4_100.0))  # 0.513
    assert spared.exit_reason == "end"


def magnified(*finer: tuple[float, ...]) -> Outcome:
    bars = bars_of(BEFORE, BAR_1, (1.1005, 1.1045, 1.0975, 1.1030))
    small = bars_of(*finer, start="2024-07-10T08:00Z", every="15min")
    task = dataclasses.replace(
        bought_at_bar_0((1.1005, 1.1045, 1.0975, 1.1030)), bars=bars, finer=small, finer_timeframe=Timeframe.named("M15")
    )
    return run(task, execution=Execution("magnify"))


def test_finer_bars_say_which_came_first():
    outcome = magnified((1.1005, 1.1045, 1.1000, 1.1040), (1.1040, 1.1040, 1.0975, 1.1030))
    assert only_trade(outcome).exit_reason == "target_1"
    assert (outcome.counts["not_magnified"], outcome.counts["magnify_mismatch"], outcome.ambiguous) == (1, 0, 0)  # bar 1 has no finer bars


def test_a_gap_between_finer_bars_is_worse_than_pessimistic():
    trade = only_trade(magnified((1.1005, 1.1010, 1.1000, 1.1005), (1.0975, 1.1045, 1.0975, 1.1030)))
    assert (trade.exit_reason, trade.exit_price) == ("stop_loss", 1.0975)


def test_random_slippage_is_splitmix64_of_seed_signal_and_fill():
    costs = dataclasses.replace(COSTS, slippage=0.001, slippage_kind="random", seed=7)
    outcome = run(task_of(bars_of(BEFORE, BEFORE, BEFORE), {"at": 1, "side": "", "order": "exit"}, {"at": 0, "side": "long"}), costs)
    assert outcome.fills["price"].iloc[0] == 1.1002 + 0.001 * (splitmix64(7 ^ 16) / 2**64)  # the second row: signal 1, fill 0


def test_a_pair_that_is_not_loaded_is_named():
    pound = instrument("GBPUSD")
    with pytest.raises(BadRequest, match="USDJPY"):
        run(task_of(bars_of(BEFORE, BEFORE, BEFORE), {"at": 0, "side": "long"}, traded=pound), currency="JPY")


def test_an_hour_in_progress_is_unknown_to_five_minutes():
    """The H1 stop at 09:20 frees margin only at 10:00, so an M5 entry before that has none."""
    hours = bars_of(BEFORE, BEFORE, (1.1000, 1.1000, 1.0900, 1.1000), BEFORE, start="2024-07-10T07:00Z")
    minutes = bars_of(*[BEFORE] * 40, start="2024-07-10T08:00Z", every="5min")
    first = task_of(hours, {"at": 0, "side": "long", "stop_loss": 1.0990})
    second = task_of(minutes, {"at": 20, "side": "long", "tag": "early"}, {"at": 26, "side": "long", "tag": "late"}, timeframe="M5")
    outcome = run([first, second], balance=5_000.0)
    assert outcome.trades["tag"].tolist() == ["", "late"]
    assert outcome.counts["no_margin"] == 1


def test_a_futures_day_ends_with_its_session():
    oil = instrument("CL=F")
    days = bars_of(*[(70.0, 71.0, 69.0, 70.0)] * 4, start="2024-07-09T00:00Z", every="1D")
    outcome = run(task_of(days, {"at": 0, "side": "long"}, traded=oil, timeframe="D1"))
    assert [str(ts)[5:16] for ts in outcome.equity["ts"]] == ["07-09 21:00", "07-10 21:00", "07-11 21:00", "07-12 21:00"]


# --- what must hold of every case ---


def ledger_of(case: Case) -> Ledger:
    return replayed(case.tasks, case.account, case.costs, case.execution, case.sizing, case.rates, case.limits, gate=case.gate)


@pytest.fixture(scope="module")
def ledgers() -> list[tuple[Case, Ledger]]:
    """A thousand cases and what the reference makes of them, of which ``outcomes`` are the first."""
    return [(drawn, ledger_of(drawn)) for drawn in map(case, range(1_000))]


@pytest.fixture(scope="module")
def outcomes(ledgers) -> dict[int, tuple[Case, Outcome]]:
    return {seed: (ledgers[seed][0], as_outcome(ledgers[seed][1])) for seed in SEEDS}


def test_the_start_balance_and_every_trade_make_the_final_balance(outcomes):
    for seed, (drawn, outcome) in outcomes.items():
        final = outcome.equity["balance"].iloc[-1]
        assert drawn.account.balance + outcome.trades["pnl"].sum() == pytest.approx(final, rel=1e-9, abs=1e-6), seed
        assert outcome.equity["equity"].iloc[-1] == final, seed


def test_every_signal_became_an_entry_or_was_counted_under_one_drop(outcomes):
    for seed, (_, outcome) in outcomes.items():
        drops = sum(outcome.counts[name] for name in DROPS) - outcome.extra["exits_at_the_end"]
        assert outcome.extra["entries"] + drops == outcome.extra["signals"], seed
        assert outcome.extra["entries"] == len(outcome.trades), seed
        assert set(outcome.counts) == set(COUNTS), seed


def test_what_a_trade_opened_it_closed(outcomes):
    for seed, (_, outcome) in outcomes.items():
        signed = outcome.fills["lots"].where(outcome.fills["side"] == "buy", -outcome.fills["lots"])
        assert (signed.groupby(outcome.fills["trade_id"]).sum().abs() < 1e-9).all(), seed
        assert (outcome.fills["lots"] > 0).all(), seed


def test_equity_is_never_below_its_low_and_margin_never_negative(outcomes):
    for seed, (_, outcome) in outcomes.items():
        assert (outcome.equity["equity_low"] <= outcome.equity["equity"]).all(), seed
        assert (outcome.equity["used_margin"] >= 0).all(), seed
        assert outcome.equity["ts"].is_monotonic_increasing, seed
        assert outcome.equity["ts"].is_unique, seed


def test_no_trade_leaves_before_it_enters(outcomes):
    for seed, (_, outcome) in outcomes.items():
        assert (outcome.trades["exit_ts"] >= outcome.trades["entry_ts"]).all(), seed
        assert (outcome.trades["bars_held"] >= 0).all(), seed
        assert (outcome.trades[["mae_r", "mfe_r"]].fillna(0) >= 0).all(axis=None), seed


def test_frames_have_their_columns_and_times_are_utc(outcomes):
    for _, outcome in outcomes.values():
        assert [tuple(frame.columns) for frame in (outcome.fills, outcome.trades, outcome.equity)] == [FILLS, TRADES, EQUITY]
        assert tuple(outcome.reviews.columns) == REVIEWS
        assert {str(frame[name].dtype) for frame, name in ((outcome.fills, "ts"), (outcome.trades, "exit_ts"), (outcome.equity, "ts"))} == {
            "datetime64[ns, UTC]"
        }


def test_the_same_seed_gives_the_same_case_and_the_same_outcome(outcomes):
    for seed in range(0, len(SEEDS), 10):
        again = as_outcome(ledger_of(case(seed)))
        for before, after in zip(outcomes[seed][1].__dict__.values(), again.__dict__.values(), strict=True):
            assert_frame_equal(before, after) if isinstance(before, pd.DataFrame) else None
        assert again.counts == outcomes[seed][1].counts


def test_cases_are_valid_signals(outcomes):
    for seed in range(0, len(SEEDS), 5):
        for task in outcomes[seed][0].tasks:
            assert_frame_equal(read_signals(task.signals.assign(side=task.signals["side"].map({1: "long", -1: "short", 0: ""})), (task.instrument.name,)), as_read(task))


def test_a_thousand_cases_reach_every_reason_every_count_and_every_review(ledgers):
    reasons: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    reviewed: Counter[tuple[str, str]] = Counter()
    for _, ledger in ledgers:
        reasons.update({fill["reason"] for fill in ledger.fills})
        counted.update(name for name, count in ledger.counts.items() if count)
        reviewed.update({(review["verdict"], review["reason"]) for review in ledger.reviews})
    assert not set(REASONS) - set(reasons) - {"manual"}
    assert not set(COUNTS) - set(counted) - {"manual_below_step"}
    assert set(reviewed) == {
        *(("refused", name) for name in ("halted", "no_size", "below_min_lot", "no_margin", *LIMITS)),
        *(("shrunk", f"shrunk_{name}") for name in ("leverage", "currency", "open_risk", "daily_gate", "drift")),
        ("capped", "over_max_lot"),
    }
    assert min(reviewed.values()) >= 2, reviewed  # cases of 1,000


@pytest.mark.parametrize("name", ["bars", "clocks", "drawn", "ledger", "limits", "sizes"])
def test_the_examples_in_the_text_hold(name):
    result = doctest.testmod(importlib.import_module(f"tests.reference.{name}"))
    assert result.attempted and not result.failed
