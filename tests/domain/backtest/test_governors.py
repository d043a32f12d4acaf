"""News, session, rate, sector, ES95, open risk, daily gate and drift with numbers computed by hand; each a test of the kernel and of the reference implementation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from domain.backtest import study
from domain.backtest.bench import Bench
from domain.backtest.governor_tables import DRIFT_ROWS, drift_index, drift_now
from domain.backtest.study import Series
from domain.errors import BadRequest
from domain.features import Context
from domain.laboratory.drift import DriftReference
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.risk.limits import Limits
from domain.risk.sizing import Sizing
from domain.strategies.base import make
from domain.trading.costs import Costs
from domain.trading.rules import Rules
from domain.trading.task import Outcome, Task
from tests.reference.worked import bars_of, task_of

FREE = Costs(spread=0.0)
ONE = Sizing("fixed_lots", 1.0)
SMALL = Sizing("fixed_lots", 0.2)


def flat(count: int, price: float = 1.1000) -> list:
    return [(price,) * 4] * count


def bought(at: int, tag: str = "", **more: Any) -> dict[str, Any]:
    return {"at": at, "side": "long", "tag": tag or str(at), **more}


def reviews(outcome: Outcome) -> list[tuple]:
    frame = outcome.reviews.astype(object).where(outcome.reviews.notna(), None)
    return list(frame[["order_id", "verdict", "reason", "lots_requested", "lots_given"]].itertuples(index=False, name=None))


def lots(outcome: Outcome) -> list[float]:
    return outcome.trades["lots"].tolist()


def at(*clocks: str) -> np.ndarray:
    return np.array([f"2024-07-10T{clock}" for clock in clocks], "datetime64[ns]").astype(np.int64)


# --- at the decision ---


@pytest.mark.parametrize(("minutes", "refused"), [(0.0, []), (29.0, [3]), (30.0, [2, 3]), (60.0, [2, 3, 4]), (90.0, [1, 2, 3, 4])])
def test_no_entry_is_decided_near_a_release(run, minutes, refused):
    """Bars end at 07:00, 08:00, 09:00 and 10:00, the releases are at 08:30 and 09:00."""
    task = replace(task_of(bars_of(*flat(8)), *(bought(k) for k in range(4))), releases=at("08:30", "09:00"))
    outcome = run(task, FREE, sizing=SMALL, limits=Limits(news=minutes))
    assert reviews(outcome) == [(order, "refused", "limit_news", None, 0.0) for order in refused]
    assert outcome.counts["limit_news"] == len(refused) and len(outcome.trades) == 4 - len(refused)


@pytest.mark.parametrize(("session", "allowed"), [("", [1, 2, 3]), ("london", [2, 3]), ("asia", [1, 2]), (" new_york ,asia", [1, 2]), ("new_york", [])])
def test_entries_are_decided_in_the_sessions_named(run, session, allowed):
    """London's 08:00 is 07:00 UTC in July, Tokyo's 18:00 is 09:00: bars that end at 06:00, 08:00 and 10:00 are decided."""
    bars = bars_of(*flat(10), start="2024-07-10T05:00Z")
    outcome = run(task_of(bars, bought(0), bought(2), bought(4)), FREE, sizing=SMALL, limits=Limits(session=session))
    assert reviews(outcome) == [(order, "refused", "limit_session", None, 0.0) for order in (1, 2, 3) if order not in allowed]


def test_a_stop_order_decided_in_time_may_fill_near_a_release_and_outside_the_session(run):
    bars = bars_of(*flat(3), (1.1000, 1.1100, 1.1000, 1.1000), *flat(2), start="2024-07-10T13:00Z")
    task = replace(task_of(bars, bought(0, order="stop", price=1.1050)), releases=at("16:30"))
    outcome = run(task, FREE, sizing=SMALL, limits=Limits(news=30.0, session="london"))
    assert reviews(outcome) == [] and len(outcome.trades) == 1


# --- at the fill ---


def test_no_sixty_minutes_hold_more_entries_than_the_rate(run):
    """Fills at 06:20, 06:40, 07:00, 07:20: with two an hour the third is refused, the fourth is 60 minutes after the first."""
    task = task_of(bars_of(*flat(20), every="5min"), *(bought(k) for k in (3, 7, 11, 15)), timeframe="M5")
    outcome = run(task, FREE, sizing=SMALL, limits=Limits(rate=2))
    assert reviews(outcome) == [(3, "refused", "limit_rate", 0.2, 0.0)]
    assert [str(ts)[11:16] for ts in outcome.trades["entry_ts"]] == ["06:20", "06:40", "07:20"]


def test_positions_are_counted_by_group(run):
    """Two pairs with the dollar are one group, a cross and gold are two others."""
    bars = bars_of(*flat(6))
    tasks = [task_of(bars, bought(k), traded=instrument(name)) for k, name in enumerate(("EURUSD", "GBPUSD", "XAUUSD"))]
    outcome = run(tasks, FREE, sizing=Sizing("fixed_lots", 0.01), limits=Limits(sector=1))
    assert [(row[0], row[2]) for row in reviews(outcome)] == [(1, "limit_sector")] and outcome.reviews["instrument"].tolist() == ["GBPUSD"]
    assert outcome.trades["instrument"].tolist() == ["EURUSD", "XAUUSD"]


# --- open risk ---


@pytest.mark.parametrize(("trail", "expected"), [({}, 0.64), ({"trail_kind": "points", "trail_value": 0.0005}, 1.94)])
def test_open_risk_is_what_all_stops_lose_from_here(run, trail, expected):
    """1 lot from 1.1000, stop 1.0950, close 1.1020: 700; with the stop trailed to 1.1015 it is 50. Equity 10,200, a tenth may be at risk, the new lot risks 500."""
    bars = bars_of(*flat(2), (1.1000, 1.1020, 1.1000, 1.1020), *flat(3, 1.1020))
    task = task_of(bars, bought(0, stop_loss=1.0950, **trail), bought(2, stop_loss=1.0970, lots=2.0), traded=replace(instrument("EURUSD"), leverage=500.0))
    outcome = run(task, FREE, sizing=ONE, limits=Limits(open_risk=0.1), balance=10_000.0, leverage=500.0, stop_out=0.0)
    assert reviews(outcome) == [(2, "shrunk", "shrunk_open_risk", 2.0, expected)] and lots(outcome) == [1.0, expected]


def test_what_does_not_fit_at_all_and_what_has_no_stop_is_refused_under_open_risk(run):
    task = task_of(bars_of(*flat(6)), bought(0, stop_loss=1.0900), bought(1, stop_loss=1.0990), bought(2))
    outcome = run(task, FREE, sizing=SMALL, limits=Limits(open_risk=0.02), balance=10_000.0)
    assert [row[:3] for row in reviews(outcome)] == [(2, "refused", "limit_open_risk"), (3, "refused", "limit_open_risk")] and lots(outcome) == [0.2]


def test_a_grid_adds_no_more_than_open_risk_allows(run):
    """0.1 lots lose 200 at the stop of 1.0800 from 1.1000; an add at 1.0950 makes it 150 + 150 from there, one at 1.0900 100 + 100 + 100."""
    bars = bars_of(*flat(2), (1.1000, 1.1000, 1.0950, 1.0950), (1.0950, 1.0950, 1.0900, 1.0900), *flat(2, 1.0900))
    grid = dict(grid_spacing=0.005, grid_max_adds=2, grid_lots_factor=1.0, grid_basket_target=0.05, stop_loss=1.0800)
    for share, adds in ((0.05, 2), (0.029, 0)):      # the add at 1.0950 is reviewed at the close of 1.1000: 200 + 150
        outcome = run(task_of(bars, bought(0, **grid)), FREE, sizing=Sizing("fixed_lots", 0.1), limits=Limits(open_risk=share), balance=10_000.0)
        assert outcome.fills["reason"].tolist().count("grid") == adds and outcome.counts["limit_open_risk"] == 0


# --- expected shortfall ---


def test_with_few_trades_the_shortfall_is_the_loss_at_the_stop(run):
    """0.2 lots, 0.0050 away: 100 of 10,000 are 10 per 1,000."""
    task = task_of(bars_of(*flat(4)), bought(0, stop_loss=1.0950), bought(1))
    assert reviews(run(task, FREE, sizing=SMALL, limits=Limits(es95=10.0), balance=10_000.0)) == [(2, "refused", "limit_es95", 0.2, 0.0)]
    assert [row[0] for row in reviews(run(task, FREE, sizing=SMALL, limits=Limits(es95=9.9), balance=10_000.0))] == [1, 2]


def lost_by(loss: float) -> tuple[float, float, float, float]:
    return (1.1000, 1.1000, 1.1000 - loss, 1.1000)


@pytest.mark.parametrize(("most", "refused"), [(13.1, []), (12.9, [21])])
def test_with_twenty_trades_it_is_the_mean_of_the_worst_twentieth(run, most, refused):
    """Of twenty trades of 0.01 lots nineteen end at −1 R, 5.00, and one gaps to −1.3 R, 6.50; the next risks 100 of 10,000, times 1.3."""
    rows, signals = list(flat(1)), []
    for k in range(20):
        signals.append(bought(len(rows) - 1, str(k), stop_loss=1.0950, lots=0.01))
        rows += [*flat(1), (1.0935,) * 4 if k == 3 else lost_by(0.0050), *flat(1)]
    signals.append(bought(len(rows) - 1, "last", stop_loss=1.0950, lots=0.2))
    outcome = run(task_of(bars_of(*rows, *flat(3)), *signals), FREE, limits=Limits(es95=most, es95_trades=30), balance=10_101.5)
    assert outcome.trades["r"].round(9).tolist().count(-1.3) == 1
    assert [row[0] for row in reviews(outcome)] == refused and outcome.counts["limit_es95"] == len(refused)


# --- daily gate ---


@pytest.mark.parametrize(("lost", "given"), [(0.0020, 1.0), (0.0035, 0.6), (0.00499, None)])
def test_sizes_fall_once_half_of_the_daily_loss_is_used(run, lost, given):
    """1 lot loses 10 a pip; the day may lose 500 of 10,000."""
    bars = bars_of(*flat(2), (1.1000, 1.1000, 1.1000 - lost, 1.1000 - lost), *flat(3, 1.1000 - lost))
    outcome = run(task_of(bars, bought(0), bought(2)), FREE, sizing=ONE, limits=Limits(daily_loss=0.05, daily_gate=True), balance=10_000.0, leverage=500.0, stop_out=0.0)
    if given is None:
        assert reviews(outcome) == [(2, "refused", "below_min_lot", 1.0, 0.0)] and lots(outcome) == [1.0]
    else:
        assert lots(outcome) == [1.0, given] and reviews(outcome) == ([] if given == 1.0 else [(2, "shrunk", "shrunk_daily_gate", 1.0, given)])


def test_the_daily_gate_needs_a_daily_loss():
    with pytest.raises(BadRequest, match="daily_gate is on and daily_loss is 0"):
        Limits(daily_gate=True)


# --- drift ---


def shifted(count: int, by: float, late: int) -> np.ndarray:
    values = np.random.default_rng(5).normal(size=count)
    values[-late:] += by
    return values


@pytest.mark.parametrize(("by", "given"), [(0.0, 0.2), (2.0, 0.1)])
def test_sizes_are_halved_while_a_feature_has_drifted(run, by, given):
    task = replace(task_of(bars_of(*flat(6)), bought(1)), monitored=shifted(DRIFT_ROWS + 6, by, 400))
    outcome = run(task, FREE, sizing=SMALL, limits=Limits(drift="rsi(14)"))
    assert lots(outcome) == [given] and reviews(outcome) == ([] if given == 0.2 else [(1, "shrunk", "shrunk_drift", 0.2, 0.1)])


def test_drift_is_not_evaluated_before_there_are_enough_values_nor_on_lots_below_the_minimum(run):
    task = task_of(bars_of(*flat(6)), bought(1))
    young = replace(task, monitored=shifted(DRIFT_ROWS - 5, 2.0, 400))
    assert lots(run(young, FREE, sizing=SMALL, limits=Limits(drift="rsi(14)"))) == [0.2]
    least = run(replace(task, monitored=shifted(DRIFT_ROWS + 6, 2.0, 400)), FREE, sizing=Sizing("fixed_lots", 0.01), limits=Limits(drift="rsi(14)"))
    assert reviews(least) == [(1, "refused", "below_min_lot", 0.01, 0.0)]


def test_the_index_of_a_bar_is_that_of_its_own_window_to_the_last_bit_and_the_laboratory_s():
    values = np.round(shifted(DRIFT_ROWS + 300, 0.5, 300), 2)
    values[::7] = np.nan
    index = drift_index(values)
    assert np.isnan(index[: DRIFT_ROWS - 1]).all() and np.isfinite(index[DRIFT_ROWS - 1 :]).all()
    for row in range(DRIFT_ROWS - 1, len(values), 50):
        window = values[row + 1 - DRIFT_ROWS : row + 1]
        assert drift_index(window)[-1] == index[row] == drift_now(window)
        old, new = (part[np.isfinite(part)] for part in (window[:-500], window[-500:]))
        levels = pd.Series(np.concatenate([old, new])).rank(method="dense").to_numpy(np.int64) - 1
        scale = DriftReference(np.sort(levels[: len(old)]), int(levels.max()) + 1)
        assert scale.psi(levels[len(old) :], np.array([0]))[0] == pytest.approx(index[row], abs=1e-12)


def test_one_bar_s_index_alone_has_the_bits_of_all_of_them():
    random = np.random.default_rng(9)
    values = np.round(random.normal(size=DRIFT_ROWS + 1_500) + np.linspace(0.0, 1.0, DRIFT_ROWS + 1_500), 3)
    values[random.random(len(values)) < 0.01] = np.inf
    index = drift_index(values)
    assert [drift_now(values[: row + 1]) for row in range(DRIFT_ROWS - 1, len(values))] == index[DRIFT_ROWS - 1 :].tolist()
    assert np.isnan(drift_now(values[: DRIFT_ROWS - 1])) and np.isnan(drift_now(np.full(DRIFT_ROWS, np.nan)))


# --- what is not given ---


@pytest.mark.parametrize("limits", [Limits(news=30.0), Limits(drift="rsi(14)"), Limits(session="londn")])
def test_a_limit_whose_input_is_not_given_is_refused_before_the_run(run, limits):
    with pytest.raises(BadRequest):
        run(task_of(bars_of(*flat(4)), bought(0)), FREE, limits=limits)


def test_both_shrink_before_what_must_fit(run):
    """Drift halves 1 lot, open risk leaves 0.4 of the half, and both are recorded in that order."""
    task: Task = replace(task_of(bars_of(*flat(6)), bought(1, stop_loss=1.0950)), monitored=shifted(DRIFT_ROWS + 6, 2.0, 400))
    outcome = run(task, FREE, sizing=ONE, limits=Limits(drift="rsi(14)", open_risk=0.02), balance=10_000.0, leverage=500.0)
    assert reviews(outcome) == [(1, "shrunk", "shrunk_drift", 1.0, 0.5), (1, "shrunk", "shrunk_open_risk", 0.5, 0.4)]


# --- runs, sweeps and folds read the same ---


def test_a_sweep_and_a_fold_read_what_a_run_reads():
    """Halved where the feature has drifted, in the fold by the bars before it too."""
    random = np.random.default_rng(4)
    close = 1.1 + np.cumsum(random.normal(0, 1, 7_000) * np.where(np.arange(7_000) < 6_000, 1e-4, 4e-4))
    bars = pd.DataFrame(dict(ts=pd.date_range("2024-01-01", periods=7_000, freq="1h", tz="UTC").as_unit("ns"), open=close, high=close + 2e-4, low=close - 2e-4, close=close))
    releases = bars["ts"].array.as_unit("ns").asi8[::50]
    series = Series(instrument("EURUSD"), Timeframe.named("H1"), bars, context=Context(releases=releases))
    limits = Limits(drift="atr_share(14)", news=30.0, session="london")
    rules, strategy = Rules(sizing=SMALL, limits=limits), make("breakout", dict(lookback=20))
    span = bars["ts"].iloc[6_200], bars["ts"].iloc[6_900]
    fold = replace(series, bars=bars.iloc[6_200:6_900].reset_index(drop=True), history=bars.iloc[:6_200])
    bench = Bench([series])
    for whole, part in ((study.run([series], rules, strategy), bench.evaluate(strategy, rules)), (study.run([fold], rules, strategy), bench.evaluate(strategy, rules, span))):
        counts = whole.outcome.counts
        assert min(counts["shrunk_drift"], counts["limit_news"], counts["limit_session"]) > 0
        assert whole.metrics["trades"] == part.figures["trades"] > 5 and whole.metrics["net_return"] == pytest.approx(part.figures["net_return"], abs=1e-12)
