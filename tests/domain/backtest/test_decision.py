"""Every order of a run decided again: its size by an independent formula, and its limits in agreement with what the kernel recorded."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from domain.backtest import study
from domain.backtest.decision import decision
from domain.backtest.decision_size import SizeInputs, sized
from domain.errors import BadRequest
from domain.market.instrument import instruments
from domain.market.timeframe import Timeframe
from domain.params import build
from domain.risk import Limits, Sizing
from domain.strategies.base import make
from domain.trading.rules import Rules
from domain.venues.synthetic import MODELS, generate

H1, NONE = Timeframe.named("H1"), float("nan")
LIMITS = Limits(
    max_leverage=3.0, max_positions=2, max_per_symbol=1, max_currency=2.5, max_correlation=0.5, correlation_days=5, daily_loss=0.02, max_drawdown=0.15,
    volatility_spike=3.0, spike_window=20, blackout="12:25-14:35 UTC",
)  # fmt: skip
OF_REASON = {       # a review's reason -> the limit behind it
    "limit_positions": "max_positions", "limit_symbol": "max_per_symbol", "limit_correlation": "max_correlation", "limit_leverage": "max_leverage",
    "limit_currency": "max_currency", "shrunk_leverage": "max_leverage", "shrunk_currency": "max_currency", "limit_volatility": "volatility_spike", "blackout": "blackout",
}  # fmt: skip
GOVERNORS = Limits(news=20.0, session="london, new_york", rate=2, sector=2, es95=25.0, es95_trades=20, open_risk=0.03, daily_loss=0.03, daily_gate=True, drift="rsi(14)")
OF_GOVERNOR = {f"limit_{name}": name for name in ("news", "session", "rate", "sector", "es95", "open_risk")} | {f"shrunk_{name}": name for name in ("open_risk", "daily_gate", "drift")}
STRATEGY = make("breakout", dict(lookback=8))


def series(name: str, seed: int) -> study.Series:
    start, end = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 10, tzinfo=UTC)
    return study.Series(instruments()[name], H1, generate(build(MODELS["regimes"], {}), instruments()[name], H1, start, end, seed))


SERIES = [series("EURUSD", 3), series("GBPUSD", 5), series("EURGBP", 7)]


@pytest.mark.parametrize("kind, value", [("fraction_at_risk", 0.02), ("kelly", 0.25), ("notional", 1.0), ("volatility", 0.1), ("fixed_lots", 0.3)])
def test_sizes_and_limits_of_orders_agree_with_the_kernel(kind, value):
    """Every thirteenth order. Several instruments, one of them quoted in another currency, so that rates, exposures and correlations matter."""
    sizing = Sizing(kind, value, kelly_first=3, volatility_window=40)
    rules = replace(Rules(), sizing=sizing, limits=LIMITS)
    run = study.run(SERIES, rules, STRATEGY)
    compared, seen = 0, set()
    for task in run.tasks:
        for order in range(1, task.count + 1, 13):
            again = decision(run, SERIES, STRATEGY, (), task.instrument.name, order)
            if again.lots is not None:
                compared += 1
                assert again.size.lots == again.lots, again
            elif again.reviews and again.reviews[0]["reason"] in ("no_size", "below_min_lot"):
                compared += 1
                assert again.size.lots == 0.0, again
            broken = {limit.key for limit in again.limits if not limit.passes}
            named = {OF_REASON[review["reason"]] for review in again.reviews if review["reason"] in OF_REASON}
            seen |= named
            assert named <= broken and (named or not broken or not again.fill), again
    assert compared > 5 and len(seen) >= 2


def test_governors_of_orders_agree_with_the_kernel():
    """Every seventeenth order; a quarter of the bars end near a release, and the feature drifts at the end."""
    rules = replace(Rules(), sizing=Sizing("fraction_at_risk", 0.02), limits=GOVERNORS)
    ends = SERIES[0].bars["ts"].array.as_unit("ns").asi8[::4]
    known = [replace(each, context=replace(each.context, releases=ends)) for each in SERIES]
    run = study.run(known, rules, STRATEGY)
    seen = set()
    for task in run.tasks:
        for order in range(1, task.count + 1, 17):
            again = decision(run, known, STRATEGY, (), task.instrument.name, order)
            broken = {limit.key for limit in again.limits if not limit.passes}
            named = {OF_GOVERNOR[review["reason"]] for review in again.reviews if review["reason"] in OF_GOVERNOR}
            seen |= named
            assert named <= broken and (named or not broken or not again.fill), again
            assert {limit.key for limit in again.limits} >= {"news", "session"}
    assert len(seen) >= 4, seen


def test_a_decision_names_the_bar_its_features_and_its_signal():
    run = study.run(SERIES[:1], replace(Rules(), sizing=Sizing("fraction_at_risk", 0.01)), STRATEGY)
    first = run.outcome.fills.iloc[0]
    again = decision(run, SERIES[:1], STRATEGY, (), "EURUSD", int(first["order_id"]))
    bars = SERIES[0].bars
    bar = int(np.flatnonzero(bars["ts"] == again.decided - np.timedelta64(1, "h"))[0])
    high = bars["high"].iloc[bar - 8 : bar].max()
    assert again.features["channel_high(8)"] == pytest.approx(high) and (bars["close"].iloc[bar] > high) == (again.signal["side"] > 0)
    assert again.fill["lots"] == first["lots"] and again.fill["ts"] == again.decided and not again.reviews
    assert again.inputs.equity == 10_000 or again.inputs.equity == Rules().account.balance


def test_a_size_by_hand():
    eurusd = instruments()["EURUSD"]
    risk = Sizing("fraction_at_risk", 0.01)
    assert sized(risk, eurusd, SizeInputs(10_000, 1.1, 1.098, 1.0, NONE, (), NONE)).lots == 0.5          # 100 at risk, 200 a lot
    assert sized(risk, eurusd, SizeInputs(10_000, 1.1, 1.0983, 1.0, NONE, (), NONE)).lots == 0.58        # 170 a lot: 0.588, rounded down
    assert sized(risk, eurusd, SizeInputs(10, 1.1, 1.098, 1.0, NONE, (), NONE)).lots == 0.0              # under the minimum lot
    assert sized(risk, eurusd, SizeInputs(10_000, 1.1, NONE, 1.0, NONE, (), 0.237)).lots == 0.23         # the signal's own lots
    assert sized(risk, eurusd, SizeInputs(-1.0, 1.1, 1.098, 1.0, NONE, (), NONE)).lots == 0.0
    assert sized(Sizing("notional", 1.0), eurusd, SizeInputs(10_000, 1.25, NONE, 1.0, NONE, (), NONE)).lots == 0.08


@pytest.mark.parametrize("instrument, order, sentence", [("USDJPY", 1, "the run does not trade USDJPY"), ("EURUSD", 0, "order 0 is not among the"), ("EURUSD", 10**6, "choose 1 to")])
def test_an_order_that_is_not_there_is_refused(instrument, order, sentence):
    run = study.run(SERIES[:1], Rules(), STRATEGY)
    with pytest.raises(BadRequest, match=sentence):
        decision(run, SERIES[:1], STRATEGY, (), instrument, order)
