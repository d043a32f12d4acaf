"""Four markets, ten years of real hours, one account under limits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.analytics import measure
from domain.backtest.simulator import simulate
from domain.features import compute
from domain.market.instrument import instrument
from domain.market.resample import resample
from domain.market.timeframe import Timeframe
from domain.risk import Limits, Sizing
from domain.strategies import STRATEGIES
from domain.trading import DROPS, Account, Costs, Execution, Outcome, Task, read_signals
from tests.domain.market.test_real_data import M5_2008, M5_2019, bars_of, pytestmark  # noqa: F401  marks and skips this file too

FIRST, LAST = pd.Timestamp("2012-05-17", tz="UTC"), pd.Timestamp("2022-01-01", tz="UTC")
H1, M5 = Timeframe.named("H1"), Timeframe.named("M5")
ACCOUNT = Account(balance=100_000.0, leverage=30.0)
COSTS = Costs(slippage=0.0, commission_per_lot=3.0)
LIMITS = Limits(max_currency=2.0, max_leverage=5.0, max_positions=4, daily_loss=0.008, flatten=False)


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    euro = resample(pd.concat([bars_of(M5_2008, M5), bars_of(M5_2019, M5)], ignore_index=True), M5, H1, "fx")
    hours = {"EURUSD": euro} | {name: bars_of(f"fx/mt5_h1/{name}_H1_bid_servertime_2012_2022.parquet", H1, "mt5_eu", of=name) for name in ("GBPUSD", "USDJPY", "XAUUSD")}
    strategy = STRATEGIES["breakout"]()
    result = []
    for name, bars in hours.items():
        bars = bars[bars["ts"].between(FIRST, LAST, inclusive="left")].reset_index(drop=True)
        signals = strategy.signals(compute(bars, strategy.features())).assign(instrument=name)
        result.append(Task(instrument(name), H1, bars, read_signals(signals, (name,))))
    return result


def run(tasks: list[Task], limits: Limits) -> Outcome:
    return simulate(tasks, ACCOUNT, COSTS, Execution(), Sizing("fraction_at_risk", 0.005), limits=limits)


@pytest.fixture(scope="module")
def free(tasks) -> Outcome:
    return run(tasks, Limits())


@pytest.fixture(scope="module")
def limited(tasks) -> Outcome:
    return run(tasks, LIMITS)


def test_ten_years_of_four_markets_on_one_account(free, tasks):
    assert set(free.trades["instrument"]) == {"EURUSD", "GBPUSD", "USDJPY", "XAUUSD"} and len(free.trades) > 4_000
    assert free.equity["ts"].iloc[0] == FIRST + pd.Timedelta(hours=1) and free.equity["ts"].iloc[-1].year == 2021
    assert free.trades["pnl"].sum() + ACCOUNT.balance == pytest.approx(free.equity["balance"].iloc[-1], rel=1e-9)
    assert measure(free.trades, free.fills, free.equity, ACCOUNT.balance)["trades"] == len(free.trades)
    signals = sum(int((task.signals["order"] != "exit").sum()) for task in tasks)
    assert signals == free.extra["entries"] + sum(free.counts[name] for name in DROPS)


def test_limits_bind_and_each_refusal_and_each_shrink_keeps_its_bar(free, limited):
    counts, reviews = limited.counts, limited.reviews
    assert counts["limit_currency"] + counts["shrunk_currency"] > 100 and counts["halted"] > 0
    assert reviews["reason"].value_counts().get("shrunk_currency", 0) == counts["shrunk_currency"]
    assert (reviews["lots_given"] < reviews["lots_requested"].fillna(np.inf)).all() and reviews["ts"].notna().all()
    assert free.counts["limit_currency"] == 0 and not free.reviews["reason"].isin(["halted", "shrunk_currency"]).any()


def test_no_currency_is_ever_held_beyond_its_limit(limited):
    """Replayed from the fills alone: net notional of each leg when an entry fills, against the equity of the last row before."""
    trades, fills, equity = limited.trades.set_index("trade_id"), limited.fills, limited.equity
    closed_equity = equity["equity"].to_numpy()[np.maximum(equity["ts"].searchsorted(fills["ts"], side="left") - 1, 0)]
    positions: dict[int, tuple[float, float]] = {}
    worst = 0.0
    for fill, money in zip(fills.itertuples(), closed_equity, strict=True):
        if fill.reason == "market":
            positions[fill.trade_id] = (fill.lots, fill.lots)
            legs: dict[str, float] = {}
            for trade_id, (left, _) in positions.items():
                trade = trades.loc[trade_id]
                traded, way = instrument(trade["instrument"]), 1.0 if trade["side"] == "long" else -1.0
                notional = left * traded.contract * (trade["entry_price"] if traded.quote == "USD" else 1.0)      # USDJPY: a lot is 100,000 dollars
                for leg in {traded.base, traded.quote} - {"USD"}:
                    legs[leg] = legs.get(leg, 0.0) + way * notional * (1 if leg == traded.base else -1)
            worst = max(worst, max(abs(value) for value in legs.values()) / money)
        else:
            left, entered = positions[fill.trade_id]
            positions[fill.trade_id] = (left - fill.lots, entered)
            if positions[fill.trade_id][0] < 1e-9:
                del positions[fill.trade_id]
    assert 1.9 < worst < 2.1        # known equity is that of the last closes, which the page's row rounds to a bar
