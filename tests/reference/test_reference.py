"""The worked examples of docs/execution.md, and what must hold of the twin on every case."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from domain.errors import BadRequest
from domain.market.instrument import Instrument, instrument
from domain.market.timeframe import Timeframe
from domain.risk.sizing import Sizing
from domain.trading.account import Account
from domain.trading.costs import Costs
from domain.trading.execution import Execution
from domain.trading.signals import read_signals
from domain.trading.task import COUNTS, DROPS, EQUITY, FILLS, TRADES, Outcome, Task
from tests.reference.cases import Case, case
from tests.reference.execution import simulate
from tests.reference.ledger import splitmix64

EURUSD = instrument("EURUSD")
COSTS = Costs(spread=0.0002)
SEEDS = range(300)
BEFORE = (1.1000, 1.1000, 1.1000, 1.1000)
BAR_1 = (1.1000, 1.1010, 1.0995, 1.1005)


def bars_of(*rows: tuple[float, ...], start: str = "2024-07-10T06:00Z", every: str = "1h") -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["open", "high", "low", "close"])
    frame.insert(0, "ts", pd.date_range(start, periods=len(rows), freq=every).as_unit("ns"))
    return frame


def task_of(bars: pd.DataFrame, *signals: dict, traded: Instrument = EURUSD, timeframe: str = "H1") -> Task:
    """``signals`` name the number of their bar as ``at``."""
    table = pd.DataFrame([{"ts": bars["ts"].iloc[signal["at"]], **{k: v for k, v in signal.items() if k != "at"}} for signal in signals])
    return Task(traded, Timeframe.named(timeframe), bars, read_signals(table, (traded.name,)))


def run(task: Task, costs: Costs = COSTS, intrabar: str = "pessimistic", sizing: Sizing = Sizing(), **account: float) -> Outcome:
    return simulate([task], Account(**account), costs, Execution(intrabar=intrabar), sizing)


def only_trade(outcome: Outcome) -> pd.Series:
    assert len(outcome.trades) == 1
    return outcome.trades.iloc[0]


def bought_at_bar_0(*rows: tuple[float, ...], **signal: float) -> Task:
    return task_of(bars_of(BEFORE, BAR_1, *rows), {"at": 0, "side": "long", "stop_loss": 1.0980, "target_1": 1.1040, **signal})


def test_example_1_a_long_reaches_its_target():
    outcome = run(bought_at_bar_0((1.1005, 1.1045, 1.1000, 1.1030)))
    trade = only_trade(outcome)
    assert outcome.fills["price"].tolist() == [1.1002, 1.1040]
    assert (trade.exit_reason, trade.bars_held) == ("target_1", 1)
    assert trade.pnl == pytest.approx(380.00)
    assert trade.r == pytest.approx(1.7273, abs=5e-5)


@pytest.mark.parametrize(("intrabar", "pnl", "r"), [("pessimistic", -220.0, -1.0), ("optimistic", 380.0, 1.7273), ("path", -220.0, -1.0)])
def test_example_2_stop_and_target_inside_one_bar(intrabar, pnl, r):
    outcome = run(bought_at_bar_0((1.1005, 1.1045, 1.0975, 1.1030)), intrabar=intrabar)
    trade = only_trade(outcome)
    assert trade.pnl == pytest.approx(pnl)
    assert trade.r == pytest.approx(r, abs=5e-5)
    assert outcome.equity["equity_low"].iloc[-1] == pytest.approx(9_780.00)
    assert outcome.ambiguous == 1


def test_example_3_the_stop_is_gapped_through():
    trade = only_trade(run(bought_at_bar_0((1.0970, 1.1045, 1.0965, 1.1030))))
    assert trade.exit_price == 1.0970
    assert trade.pnl == pytest.approx(-320.00)
    assert trade.r == pytest.approx(-1.4545, abs=5e-5)


def test_example_4_a_short_is_stopped_by_the_ask():
    bars = bars_of(BEFORE, BAR_1, (1.1005, 1.1018, 1.1000, 1.1010))
    trade = only_trade(run(task_of(bars, {"at": 0, "side": "short", "stop_loss": 1.1020})))
    assert (trade.entry_price, trade.exit_price, trade.exit_reason) == (1.1000, 1.1020, "stop_loss")
    assert trade.pnl == pytest.approx(-200.00)


def test_example_5_half_at_the_target_and_the_rest_at_break_even():
    bars = bars_of(BEFORE, BAR_1, (1.1005, 1.1025, 1.1000, 1.1015), (1.1015, 1.1016, 1.0995, 1.1000))
    asked = {"target_1": 1.1022, "fraction_1": 0.5, "target_2": 1.1042, "fraction_2": 0.5, "break_even_r": 1, "break_even_offset": 0}
    outcome = run(task_of(bars, {"at": 0, "side": "long", "stop_loss": 1.0982, **asked}))
    trade = only_trade(outcome)
    assert outcome.fills["reason"].tolist() == ["market", "target_1", "break_even"]
    assert outcome.fills["price"].tolist() == [1.1002, 1.1022, 1.1002]
    assert outcome.fills["lots"].tolist() == [1.0, 0.5, 0.5]
    assert trade.pnl == pytest.approx(100.00)
    assert trade.r == pytest.approx(0.5)


def test_example_6_fraction_at_risk():
    at_risk = Sizing("fraction_at_risk", 0.01)
    euro = run(task_of(bars_of(BEFORE, BAR_1, BAR_1), {"at": 0, "side": "long", "stop_loss": 1.0980}), sizing=at_risk)
    assert euro.fills["lots"].iloc[0] == 0.45
    flat = (109.99, 109.99, 109.99, 109.99)
    yen = task_of(bars_of(flat, flat, flat), {"at": 0, "side": "long", "stop_loss": 110.01 - 0.22}, traded=instrument("USDJPY"))
    assert run(yen, costs=Costs(spread=0.02), sizing=at_risk).fills["lots"].iloc[0] == 0.50


def test_example_7_a_target_below_the_lot_step():
    bars = bars_of(BEFORE, (1.1000, 1.1005, 1.0995, 1.1005), (1.1005, 1.1022, 1.1000, 1.1015))
    asked = {"target_1": 1.1010, "fraction_1": 0.5, "target_2": 1.1020, "fraction_2": 0.5, "lots": 0.01}
    outcome = run(task_of(bars, {"at": 0, "side": "long", **asked}))
    assert outcome.counts["target_below_step"] == 1
    assert outcome.fills[["reason", "lots"]].to_numpy().tolist() == [["market", 0.01], ["target_2", 0.01]]
    assert run(task_of(bars, {"at": 0, "side": "long", "lots": 0.29})).fills["lots"].iloc[0] == 0.29


def test_example_8_swap_over_the_triple_day():
    bars = bars_of(*[BEFORE] * 50, start="2024-07-09T15:00Z")  # 11:00 in New York: filled at 12:00, out on Thursday at 12:00
    task = task_of(bars, {"at": 0, "side": "long"}, {"at": 48, "side": "", "order": "exit"})
    trade = only_trade(run(task, costs=dataclasses.replace(COSTS, swap_long=-6.50)))
    assert trade.exit_ts - trade.entry_ts == pd.Timedelta(days=2)
    assert trade.swap == pytest.approx(-26.00)


def test_example_9_yen_at_the_last_mid_known_at_the_open():
    flat = (110.50, 110.50, 110.50, 110.50)
    bars = bars_of(flat, flat, (110.50, 110.50, 110.19, 110.19), (109.98, 120.0, 109.98, 120.0))
    task = task_of(bars, {"at": 0, "side": "short"}, {"at": 2, "side": "short", "order": "exit"}, traded=instrument("USDJPY"))
    trade = only_trade(run(task, costs=Costs(spread=0.02)))
    assert (trade.entry_price, trade.exit_price) == (110.50, 110.00)
    assert trade.pnl == pytest.approx(453.72, abs=5e-3)


def test_example_10_a_grid_is_one_trade():
    gold = instrument("XAUUSD")
    rows = [(1949.90, 1949.90, 1949.90, 1949.90)] * 2 + [(1948.0, 1948.5, 1944.0, 1946.0), (1946.0, 1950.0, 1945.5, 1949.0)]
    grid = {"grid_spacing": 5, "grid_max_adds": 1, "grid_lots_factor": 1.5, "grid_basket_target": 2, "lots": 0.10}
    outcome = run(task_of(bars_of(*rows), {"at": 0, "side": "buy", **grid}, traded=gold), costs=Costs(spread=0.10))
    trade = only_trade(outcome)
    assert outcome.fills[["reason", "lots", "price"]].to_numpy().tolist() == [
        ["market", 0.10, 1950.0],
        ["grid", 0.15, 1945.0],
        ["target_1", 0.25, 1949.0],
    ]
    assert (trade.entry_price, trade.lots) == (pytest.approx(1947.0), 0.25)
    assert trade.pnl == pytest.approx(50.00)


def test_example_11_a_dropped_order_leaves_its_sibling_live():
    bars = bars_of(BEFORE, BEFORE, (1.1000, 1.1012, 1.0985, 1.1000), BEFORE)
    held = {"at": 0, "side": "long", "tag": "a", "lots": 0.1}
    buy = {"at": 0, "side": "buy", "order": "stop", "price": 1.1010, "tag": "a", "oco": "x", "lots": 0.1}
    sell = {"at": 0, "side": "sell", "order": "stop", "price": 1.0990, "tag": "b", "oco": "x", "lots": 0.1}
    outcome = run(task_of(bars, held, buy, sell))
    assert (outcome.counts["duplicate_tag"], outcome.counts["oco_cancelled"]) == (1, 0)
    assert outcome.fills["reason"].tolist()[:2] == ["market", "stop"]
    assert outcome.trades["tag"].tolist() == ["a", "b"]


# --- sentences no example covers ---

FLAT = (1.1000, 1.1005, 1.0995, 1.1000)


def friday_bars(*hours: str) -> pd.DataFrame:
    bars = bars_of(*[FLAT] * len(hours))
    return bars.assign(ts=pd.to_datetime([f"2024-07-{hour}:00Z" for hour in hours], format="%Y-%m-%dT%H:%MZ", utc=True).as_unit("ns"))


def test_flat_by_leaves_at_the_last_close_before_the_weekend_and_pays_no_swap():
    costs = dataclasses.replace(COSTS, swap_long=-6.50)
    bars = friday_bars("12T17", "12T18", "12T19", "12T20", "14T21", "14T22")
    flat = only_trade(run(task_of(bars, {"at": 0, "side": "long", "flat_by": "Fri 17:00 America/New_York"}), costs))
    assert (str(flat.exit_ts), flat.exit_reason, flat.exit_price, flat.swap) == ("2024-07-12 21:00:00+00:00", "session", 1.1000, 0.0)
    kept = only_trade(run(task_of(bars, {"at": 0, "side": "long"}), costs))
    assert kept.swap == -6.50


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
    return run(task, intrabar="magnify")


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
    outcome = simulate([first, second], Account(5_000.0), COSTS, Execution(), Sizing())
    assert outcome.trades["tag"].tolist() == ["", "late"]
    assert outcome.counts["no_margin"] == 1


def test_a_futures_day_ends_with_its_session():
    oil = instrument("CL=F")
    days = bars_of(*[(70.0, 71.0, 69.0, 70.0)] * 4, start="2024-07-09T00:00Z", every="1D")
    outcome = run(task_of(days, {"at": 0, "side": "long"}, traded=oil, timeframe="D1"))
    assert [str(ts)[5:16] for ts in outcome.equity["ts"]] == ["07-09 21:00", "07-10 21:00", "07-11 21:00", "07-12 21:00"]


# --- what must hold of every case ---


def outcome_of(one: Case) -> Outcome:
    return simulate(one.tasks, one.account, one.costs, one.execution, one.sizing, one.rates)


@pytest.fixture(scope="module")
def outcomes() -> dict[int, tuple[Case, Outcome]]:
    return {seed: (case(seed), outcome_of(case(seed))) for seed in SEEDS}


def test_the_start_balance_and_every_trade_make_the_final_balance(outcomes):
    for seed, (one, outcome) in outcomes.items():
        final = outcome.equity["balance"].iloc[-1]
        assert one.account.balance + outcome.trades["pnl"].sum() == pytest.approx(final, rel=1e-9, abs=1e-6), seed
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
        assert {str(frame[name].dtype) for frame, name in ((outcome.fills, "ts"), (outcome.trades, "exit_ts"), (outcome.equity, "ts"))} == {
            "datetime64[ns, UTC]"
        }


def test_the_same_seed_gives_the_same_case_and_the_same_outcome(outcomes):
    for seed in range(0, len(SEEDS), 10):
        again = outcome_of(case(seed))
        for before, after in zip(outcomes[seed][1].__dict__.values(), again.__dict__.values(), strict=True):
            assert_frame_equal(before, after) if isinstance(before, pd.DataFrame) else None
        assert again.counts == outcomes[seed][1].counts


def test_cases_are_valid_signals(outcomes):
    for seed in range(0, len(SEEDS), 5):
        for task in outcomes[seed][0].tasks:
            assert_frame_equal(
                read_signals(task.signals.assign(side=task.signals["side"].map({1: "long", -1: "short", 0: ""})), (task.instrument.name,)),
                task.signals,
            )


def test_cases_reach_every_reason_and_every_count(outcomes):
    reasons = set().union(*(set(outcome.fills["reason"]) for _, outcome in outcomes.values()))
    counted = {name for _, outcome in outcomes.values() for name, count in outcome.counts.items() if count}
    assert reasons >= {
        "market",
        "stop",
        "limit",
        "grid",
        "stop_loss",
        "target_1",
        "target_2",
        "target_3",
        "break_even",
        "trail",
        "time",
        "session",
    }
    assert reasons >= {"signal", "opposite", "stop_out", "end"}
    assert counted >= set(COUNTS) - {"halted"}
    assert sum(outcome.ambiguous for _, outcome in outcomes.values()) > 0
