"""Labels of signals: the kernel's own trades where nothing stands in their way, and what ends each by hand."""

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from domain.backtest import study
from domain.errors import BadRequest
from domain.features import use
from domain.strategies.breakout import Breakout
from domain.strategies.simple_ma import SimpleMA
from domain.trading.costs import Costs
from domain.trading.execution import Execution
from domain.training.samples import NEVER, on_signals, on_trades, sample_set
from domain.training.targets import TargetParams
from tests.domain.training.walked_bars import DAY, MONDAY, by_hand, inputs, rows_of, walk

HOUR = DAY // 24
FLAT = (1.1, 1.1002, 1.0998, 1.1)
QUICK = Breakout(lookback=10, max_bars=12, quiet=0.0)
ATR = (use("true_range"),)


def ns(column):
    return column.dt.as_unit("ns").astype("int64").to_numpy()


@pytest.fixture(scope="module")
def bars():
    return walk(500)


@pytest.fixture(scope="module")
def breakouts(bars):
    return on_signals([inputs(bars, spread=0.0002)], QUICK, "fake")


@pytest.mark.parametrize("strategy,execution", [(QUICK, Execution()), (SimpleMA(fast=3, slow=9), Execution()), (QUICK, Execution("optimistic", True))])
def test_a_signal_that_the_account_took_has_the_r_of_its_trade(bars, strategy, execution):
    costs = Costs(spread=0.0001, slippage=0.00003, slippage_kind="random", commission_per_lot=3.5, seed=7)
    given = inputs(bars, costs=costs, execution=execution)
    alone = on_signals([given], strategy, "r")
    plain = study.run([given.series], given.rules, strategy).outcome.trades
    plain = plain[plain["exit_reason"].astype(str) != "end"]
    joined = alone.signals.assign(y=alone.samples.y).merge(plain, on="entry_ts", suffixes=("", "_plain"))
    assert len(joined) == len(plain) and len(alone) >= len(plain) > 10
    assert joined["y"].to_numpy() == pytest.approx(joined["r_plain"].to_numpy(), abs=1e-9)
    assert joined["exit_reason"].astype(str).tolist() == joined["exit_reason_plain"].astype(str).tolist()


@pytest.mark.parametrize("strategy", [QUICK, SimpleMA(fast=3, slow=9)])
def test_a_signal_has_the_r_of_a_run_that_holds_nothing_else(bars, strategy):
    given = inputs(bars, costs=Costs(spread=0.0001, slippage=0.00002, commission_per_lot=3.0))
    table = pd.DataFrame(study.decided(given.series, strategy, [given.series])[0])
    created = on_signals([given], strategy, "r")
    for row in range(0, len(created), max(len(created) // 5, 1)):
        number = created.signals["number"][row]
        later = table[(table["order"] == "exit") & (table["ts"] > table["ts"][number])]
        only = study.run([given.series], given.rules, signals=pd.concat([table.loc[[number]], later])).outcome.trades
        assert len(only) == 1 and only["r"][0] == pytest.approx(created.samples.y[row], abs=1e-9)
        assert ns(only["exit_ts"])[0] + HOUR == created.samples.end[row] and only["exit_reason"][0] == created.signals["exit_reason"][row]


def test_every_entry_is_a_sample_or_counted(bars, breakouts):
    decided, _ = study.decided(inputs(bars).series, QUICK, [inputs(bars).series])
    assert len(breakouts) + sum(breakouts.unlabelled.values()) + breakouts.warm_up == len(decided["ts"])
    assert np.isfinite(breakouts.samples.y).all() and set(breakouts.samples.y) == {0.0, 1.0}


def test_start_is_the_deciding_bars_end_and_end_that_of_the_bar_of_the_last_fill(breakouts):
    samples, signals = breakouts.samples, breakouts.signals
    assert (samples.start == ns(signals["ts"]) + HOUR).all() and (np.diff(samples.start) >= 0).all()
    assert (samples.end == ns(signals["exit_ts"]) + HOUR).all()       # a fill at the open, or inside the bar, carries the bar's open
    assert (samples.end > samples.start).all()


def test_fake_is_a_first_stop_before_one_r(breakouts):
    signals = breakouts.signals
    assert breakouts.samples.y.tolist() == [float(why == "stop_loss" and ahead < 1) for why, ahead in zip(signals["exit_reason"], signals["mfe_r"], strict=True)]


def test_side_and_stop_distance_are_columns(bars, breakouts):
    rows = pd.DataFrame(breakouts.samples.rows(), columns=breakouts.samples.columns)
    assert breakouts.samples.columns == ("atr(14)", "log_return(1)", "side", "stop_atr")
    assert rows["side"].tolist() == breakouts.signals["side"].tolist()
    spread = 0.0002 * (rows["side"] > 0) / rows["atr(14)"]        # a long is expected at the ask; the stop lies two ATRs below the close
    assert rows["stop_atr"].to_numpy() == pytest.approx((2.0 + spread).to_numpy(), abs=1e-4)


def test_later_bars_change_no_earlier_sample(bars, breakouts):
    short = on_signals([inputs(bars[:400], spread=0.0002)], QUICK, "fake")
    n = len(short)
    assert n > 20 and (short.samples.end <= ns(bars["ts"])[399] + HOUR).all()
    whole = breakouts.samples.take(np.flatnonzero(breakouts.samples.end <= short.samples.end.max()))
    whole = whole.take(np.isin(whole.start, short.samples.start).nonzero()[0])
    assert whole.y.tolist() == short.samples.y.tolist() and whole.end.tolist() == short.samples.end.tolist()
    everything = [on_signals([inputs(part, spread=0.0002)], QUICK, "fake", labelled=False).samples for part in (bars[:400], bars)]
    m = len(everything[0])
    assert m > n and everything[0].start.tolist() == everything[1].start[:m].tolist() and np.array_equal(everything[0].rows(), everything[1].rows()[:m], equal_nan=True)
    assert (everything[0].end[-1] == NEVER) == bool(np.isnan(everything[0].y[-1]))


def simulated(bars, *rows, target="r", **more):
    return on_signals([inputs(bars, uses=ATR, signals=rows_of(bars, *rows), **more)], None, target)


def test_an_exit_copied_to_each_entry_of_its_tag_leaves_at_the_next_open():
    bars = by_hand([FLAT] * 4 + [(1.105, 1.1052, 1.1048, 1.105)] * 4)
    stop, leave = dict(stop_loss=1.09, tag="a"), dict(order="exit", tag="a")
    created = simulated(bars, (1, "long", stop), (2, "long", stop), (2, "long", dict(stop_loss=1.09, tag="b")), (4, "long", leave), (6, "long", leave))
    assert created.samples.y == pytest.approx([0.5, 0.5]) and created.signals["exit_reason"].tolist() == ["signal"] * 2
    assert created.samples.end.tolist() == [MONDAY + 6 * HOUR] * 2           # filled at the open of bar 5, which ends at hour 6
    assert created.unlabelled == {"still_open": 1}


def test_an_exit_of_the_entrys_own_bar_does_not_end_it():
    bars = by_hand([FLAT] * 3 + [(1.105, 1.1052, 1.1048, 1.105)] * 4)
    created = simulated(bars, (1, "long", dict(order="exit", tag="a")), (1, "long", dict(stop_loss=1.09, tag="a")), (4, "long", dict(order="exit", tag="a")))
    assert created.samples.end.tolist() == [MONDAY + 6 * HOUR]


def test_an_exit_before_a_pending_order_fills_finds_nothing_and_the_next_one_ends_it():
    bars = by_hand([FLAT] * 4 + [(1.1, 1.1032, 1.0998, 1.103)] + [(1.106, 1.1062, 1.1058, 1.106)] * 4)
    created = simulated(bars, (1, "long", dict(order="stop", price=1.103, stop_loss=1.093, tag="a")), (2, "long", dict(order="exit", tag="a")), (4, "long", dict(order="exit", tag="a")))
    assert created.samples.y == pytest.approx([0.3]) and created.samples.end.tolist() == [MONDAY + 6 * HOUR]


def test_an_opposite_signal_of_the_tag_ends_it_where_the_account_reverses():
    bars = by_hand([FLAT] * 3 + [(1.105, 1.1052, 1.1048, 1.105)] * 4)
    rows = (1, "long", dict(stop_loss=1.09, tag="a")), (3, "short", dict(stop_loss=1.12, tag="a"))
    created = simulated(bars, *rows, execution=Execution(reverse_on_opposite=True))
    assert created.samples.y == pytest.approx([0.5]) and created.signals["exit_reason"].tolist() == ["opposite"] and created.unlabelled == {"still_open": 1}
    assert simulated_reasons(bars, rows) == {"still_open": 2}


def simulated_reasons(bars, rows, **more):
    with pytest.raises(BadRequest) as refused:
        simulated(bars, *rows, **more)
    counted = str(refused.value).split("(")[1].split(")")[0]
    return {word.rsplit(" ", 1)[0].replace(" ", "_"): int(word.rsplit(" ", 1)[1]) for word in counted.split("; ")}


def test_what_has_no_label_is_counted_by_reason():
    bars = by_hand([FLAT] * 6)
    rows = ((1, "long", dict(stop_loss=1.2)), (1, "long", {}), (2, "long", dict(order="stop", price=1.3, stop_loss=1.2, valid_bars=2)), (2, "long", dict(stop_loss=1.09)),
            (5, "long", dict(stop_loss=1.09)))  # fmt: skip
    assert simulated_reasons(bars, rows) == {"stop_through": 1, "no_stop": 1, "expired": 1, "still_open": 1, "end_of_data": 1}


def test_two_signals_of_a_bar_are_two_samples_of_their_own_even_in_one_oco_group():
    bars = by_hand([FLAT] * 3 + [(1.1, 1.112, 1.088, 1.1)] + [FLAT] * 2)
    pair = [(2, side, dict(order="stop", price=price, stop_loss=1.1, max_bars=1, oco="x")) for side, price in (("long", 1.11), ("short", 1.09))]
    created = simulated(bars, *pair)
    assert len(created) == 2 and created.samples.rows()[:, 1].tolist() == [1.0, -1.0]
    assert created.samples.rows()[0, 0] == created.samples.rows()[1, 0] == np.float32(0.0004)       # the true range of the bar that decided both
    assert np.isnan(created.samples.window(2)[1, 0]).all() and np.isfinite(created.samples.window(2)[0, 0, 0])
    assert created.uniqueness.tolist() == [0.5, 0.5]


def test_a_half_leaves_at_its_target_although_the_size_is_the_smallest():
    bars = by_hand([FLAT] * 3 + [(1.1, 1.1105, 1.0998, 1.11), (1.11, 1.1102, 1.1098, 1.11), (1.105, 1.1052, 1.1048, 1.105)])
    created = simulated(bars, (1, "long", dict(stop_loss=1.09, target_1=1.11, fraction_1=0.5, max_bars=3)), (1, "long", dict(stop_loss=1.09, target_1=1.11, max_bars=3)))
    assert created.samples.y == pytest.approx([0.75, 1.0])        # half of it 1 R, the other half 0.5 R


@pytest.mark.parametrize("target,params,expected", [("win", {}, [1, 0, 1]), ("above", dict(threshold=0.8), [1, 0, 0]), ("fake", {}, [0, 1, 0]), ("barrier", {}, [0, 1, 2])])
def test_targets_of_one_set_of_outcomes(target, params, expected):
    bars = by_hand([FLAT] * 3 + [(1.1, 1.1105, 1.0998, 1.105)] * 3 + [FLAT])
    rows = (1, "long", dict(stop_loss=1.09, target_1=1.11)), (1, "short", dict(stop_loss=1.105)), (1, "long", dict(stop_loss=1.09, max_bars=4, price=np.nan))
    bars.loc[6, ["open", "high"]] = 1.105
    given = inputs(bars, uses=ATR, signals=rows_of(bars, *rows))
    assert sample_set([given], None, target, TargetParams(**params)).samples.y.tolist() == [*expected]


BOTH = dict(near_high=(1.1, 1.111, 1.088, 1.1), near_low=(1.1, 1.112, 1.089, 1.1), alike=(1.1, 1.112, 1.088, 1.1))      # stops and targets 100 points from an open of 1.1
FIRST_IS = dict(pessimistic={}, optimistic=dict.fromkeys(BOTH, "target"), path=dict(near_high="high", near_low="low", alike="high"))


@pytest.mark.parametrize("intrabar", FIRST_IS)
@pytest.mark.parametrize("wait", [0, 2])
def test_a_bar_that_reaches_stop_and_target_is_labelled_as_the_kernel_fills_it(intrabar, wait):
    """In the bar of the entry and in a later one, by the rule of ``intrabar``, long and short."""
    for bar, prices in BOTH.items():
        bars = by_hand([FLAT] * (2 + wait) + [prices] + [FLAT] * 3)
        rows = [(1, side, dict(stop_loss=1.1 - step, target_1=1.1 + step)) for side, step in (("long", 0.01), ("short", -0.01))]
        created = sample_set([inputs(bars, uses=ATR, signals=rows_of(bars, *rows), execution=Execution(intrabar))], None, "barrier")
        first = FIRST_IS[intrabar].get(bar)
        expected = [0, 0] if first == "target" else [1, 1] if first is None else [0, 1] if first == "high" else [1, 0]      # target, stop
        assert created.samples.y.tolist() == expected, (bar, first)
        assert created.samples.end.tolist() == [MONDAY + (3 + wait) * HOUR] * 2, "known once that bar is over"
        assert created.r == pytest.approx([1.0 if label == 0 else -1.0 for label in expected])


def test_a_target_that_took_a_half_before_the_stop_of_the_same_bar_is_a_stop():
    bars = by_hand([FLAT] * 2 + [BOTH["alike"]] + [FLAT] * 3)
    row = (1, "long", dict(stop_loss=1.09, target_1=1.105, fraction_1=0.5, target_2=1.13, fraction_2=0.5))
    created = sample_set([inputs(bars, uses=ATR, signals=rows_of(bars, row), execution=Execution("optimistic"))], None, "barrier")
    assert created.samples.y.tolist() == [1] and created.r == pytest.approx([-0.25])


def test_closed_trades_stand_for_the_signals_they_came_from(bars):
    given = inputs(bars, spread=0.0002)
    plain = study.run([given.series], given.rules, QUICK).outcome.trades
    from_trades = on_trades([replace(given, trades=plain)], "fake")
    from_signals = on_signals([given], QUICK, "fake")
    assert len(from_trades) == int((plain["exit_reason"].astype(str) != "end").sum()) - from_trades.warm_up
    both = np.isin(from_signals.samples.start, from_trades.samples.start)
    assert from_signals.samples.start[both].tolist() == from_trades.samples.start.tolist()
    for name in ("y", "end"):
        assert getattr(from_signals.samples, name)[both].tolist() == getattr(from_trades.samples, name).tolist()
    assert from_trades.r == pytest.approx(from_signals.r[both])
    assert from_trades.samples.rows() == pytest.approx(from_signals.samples.rows()[both], rel=1e-6)       # nothing of the entry itself is a column
    read = on_trades([replace(given, trades=pd.read_csv(io.StringIO(plain.to_csv(index=False))))], "fake")
    assert read.samples.end.tolist() == from_trades.samples.end.tolist() and read.samples.y.tolist() == from_trades.samples.y.tolist()


def test_an_exit_at_a_close_is_known_with_that_bar_and_not_with_the_next_one():
    friday = MONDAY + 4 * DAY + 18 * HOUR
    bars = pd.concat([by_hand([FLAT] * 4, friday), by_hand([FLAT] * 3, friday + 52 * HOUR)], ignore_index=True)
    given = inputs(bars, uses=ATR, signals=rows_of(bars, (1, "long", dict(stop_loss=1.09, flat_by="Fri 22:00 UTC"))))
    created = on_signals([given], None, "r")
    assert created.signals["exit_reason"].tolist() == ["session"] and created.samples.end.tolist() == [friday + 4 * HOUR]
    trades = pd.DataFrame(dict(side="long", entry_ts=created.signals["entry_ts"], exit_ts=created.signals["exit_ts"], r=0.0))
    assert on_trades([replace(given, trades=trades)], "r").samples.end.tolist() == [friday + 4 * HOUR]


def test_a_stopped_trade_of_unknown_excursion_is_neither_fake_nor_not(bars):
    hours = bars["ts"][[30, 31, 32]].reset_index(drop=True)
    trades = pd.DataFrame(dict(side="long", entry_ts=hours, exit_ts=bars["ts"][40], r=-1.0, mfe_r=[0.5, np.nan, np.nan], exit_reason=["stop_loss", "stop_loss", "time"]))
    created = on_trades([inputs(bars, trades=trades)], "fake")
    assert created.samples.y.tolist() == [1.0, 0.0] and created.unlabelled == {"no_excursion": 1}


def test_closed_trades_without_what_a_target_needs_are_refused(bars):
    trades = pd.DataFrame(dict(side=["long"], entry_ts=[bars["ts"][30]], exit_ts=[bars["ts"][33]], r=[1.0]))
    with pytest.raises(BadRequest, match="no column 'exit_reason', which the target fake needs"):
        on_trades([inputs(bars, trades=trades)], "fake")
    assert on_trades([inputs(bars, trades=trades)], "win").samples.y.tolist() == [1.0]


def test_closed_trades_without_a_label_are_counted_by_reason(bars):
    hours = [bars["ts"][row] for row in (30, 31, 32, 33)]
    trades = pd.DataFrame(dict(side="long", entry_ts=[*hours, "2020-01-01T00:00Z"], exit_ts=[bars["ts"][40], "", bars["ts"][40], "2030-01-01T00:00Z", "2020-01-02T00:00Z"],
                               r=[1.0, np.nan, np.nan, 1.0, 1.0], stop_loss=[1.0, 1.0, np.nan, 1.0, 1.0]))  # fmt: skip
    created = on_trades([inputs(bars, trades=trades)], "r")
    assert created.samples.y.tolist() == [1.0] and created.signals["number"].tolist() == [0]
    assert created.unlabelled == {"no_stop": 1, "outside_the_bars": 1, "still_open": 2}


def test_warm_up_is_left_out_counted_and_shortened_by_history(bars):
    late = inputs(bars, uses=(use("sma", window=100),), spread=0.0002)
    created, whole = on_signals([late], QUICK, "r"), on_signals([inputs(bars, uses=ATR, spread=0.0002)], QUICK, "r")
    early = int((whole.samples.start <= ns(bars["ts"])[98] + HOUR).sum())
    assert created.warm_up == early > 0 and created.samples.start.min() >= ns(bars["ts"])[99] + HOUR
    fed = inputs(bars[150:].reset_index(drop=True), uses=(use("sma", window=100),), spread=0.0002, history=bars[:150])
    after = on_signals([fed], QUICK, "r")
    assert after.warm_up == 0
    same = whole.samples.start >= after.samples.start[0]
    assert after.samples.y.tolist() == whole.samples.y[same].tolist() and len(after.samples.matrix) == len(bars)


def test_pooled_instruments_keep_to_their_own_rows(bars):
    other = walk(450, seed=2, level=1.3)
    created = on_signals([inputs(bars, spread=0.0001), inputs(other, name="GBPUSD", spread=0.0001)], QUICK, "win")
    alone = on_signals([inputs(other, name="GBPUSD", spread=0.0001)], QUICK, "win")
    own = created.samples.take(np.flatnonzero(created.samples.instrument == 1))
    assert created.instruments == ("EURUSD", "GBPUSD") and (np.diff(created.samples.start) >= 0).all()
    assert own.y.tolist() == alone.samples.y.tolist() and np.array_equal(own.rows(), alone.samples.rows())
    assert created.uniqueness[created.samples.instrument == 1].tolist() == alone.uniqueness.tolist()
    assert (own.first == 500).all() and np.isnan(own.window(60)[0]).any()
    with pytest.raises(BadRequest, match="twice"):
        on_signals([inputs(bars), inputs(bars)], QUICK, "win")


def test_signals_from_nowhere_and_a_target_of_bars_are_refused(bars):
    with pytest.raises(BadRequest, match="name a strategy, or give signals"):
        sample_set([inputs(bars)], None, "win")
    with pytest.raises(BadRequest, match="a target of bars, not of signals"):
        on_signals([inputs(bars)], QUICK, "return")
    with pytest.raises(BadRequest, match=r"row 1 of the signals: .* is not the open of a bar"):
        on_signals([inputs(bars, signals=pd.DataFrame(dict(ts=["2024-01-08T00:30Z"], side=["long"])))], None, "r")


def test_an_instrument_without_a_signal_adds_none_and_none_at_all_is_stated(bars):
    quiet = inputs(walk(12, seed=4, level=1.3), name="GBPUSD", spread=0.0001)
    created, alone = (on_signals(given, QUICK, "fake") for given in ([inputs(bars, spread=0.0001), quiet], [inputs(bars, spread=0.0001)]))
    assert created.samples.y.tolist() == alone.samples.y.tolist() and created.instruments == ("EURUSD", "GBPUSD")
    with pytest.raises(BadRequest, match="there are no signals among these data"):
        on_signals([quiet], QUICK, "fake")
    assert len(on_signals([quiet], QUICK, "fake", labelled=False)) == 0
