"""Conservative, moderate and aggressive: worked by hand, with their mirror, and what they do not decide on."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from domain.backtest import study
from domain.errors import BadRequest
from domain.features import Context
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.outside.forecasts import QUANTILES
from domain.outside.timed_values import TimedValues
from domain.strategies import STRATEGIES, decide
from domain.trading.rules import Rules

EURUSD, H1 = instrument("EURUSD"), Timeframe.named("H1")
CLOSE, SPREAD = 1.25, 0.00025         # c = 0.0002
UP = (-0.004, -0.003, 0.0003, 0.0005, 0.002, 0.003, 0.004)      # q05 … q95
DOWN = tuple(-q for q in reversed(UP))


def bars_of(rows: int, spread: float = SPREAD) -> pd.DataFrame:
    ts = pd.date_range("2024-03-04", periods=rows, freq="h", tz="UTC").as_unit("ns")
    return pd.DataFrame(dict(ts=ts, open=CLOSE, high=CLOSE, low=CLOSE, close=CLOSE, spread=spread))


def context_of(*rows: tuple[float, ...] | None) -> Context:
    """One row of quantiles a bar; None for a bar without a forecast."""
    ends = Context(EURUSD, H1).ends(bars_of(len(rows)))
    known = [k for k, row in enumerate(rows) if row is not None]
    return Context(EURUSD, H1, forecasts={name: TimedValues(ends[known], np.array([rows[k][q] for k in known])) for q, name in enumerate(QUANTILES)})


def signals(name: str, *rows: tuple[float, ...] | None, spread: float = SPREAD, **params) -> pd.DataFrame:
    return decide(STRATEGIES[name](**params), bars_of(len(rows), spread), context_of(*rows)).table


@pytest.mark.parametrize(("name", "stop"), [("conservative", -0.004), ("moderate", -0.003), ("aggressive", 0.0003)])
def test_a_long_and_its_mirror(name, stop):
    """q25 = 0.0003 > c = 0.0002; q50 = 0.0005 > 2c. The stop of aggressive, C·e^q25, lies above the close here: no signal."""
    if name == "aggressive":
        assert signals(name, UP).empty and signals(name, DOWN).empty
        return
    for quantiles, side in ((UP, 1), (DOWN, -1)):
        (row,) = signals(name, quantiles, horizon=7).to_dict("records")
        assert (row["side"], row["order"], row["fraction_1"], row["fraction_2"], row["max_bars"], row["tag"]) == (side, "market", 0.5, 0.5, 7, name)
        assert [row["stop_loss"], row["target_1"], row["target_2"]] == pytest.approx([CLOSE * math.exp(side * q) for q in (stop, 0.002, 0.003)], rel=1e-15)


def test_aggressive_needs_a_quarter_below_zero():
    lower = (-0.004, -0.003, -0.001, 0.0003, 0.002, 0.003, 0.004)
    (row,) = signals("aggressive", lower).to_dict("records")
    assert row["stop_loss"] == pytest.approx(CLOSE * math.exp(-0.001), rel=1e-15)
    assert signals("moderate", lower).empty, "0.0003 is not over 2c"


@pytest.mark.parametrize(("name", "at"), [("conservative", 2), ("moderate", 3), ("aggressive", 3)])
@pytest.mark.parametrize("over", [True, False])
def test_costs_must_be_exceeded(name, at, over):
    """The threshold itself is not enough: the quantile equals 1 or 2 times spread / close."""
    c = (2 if name == "moderate" else 1) * SPREAD / CLOSE
    quantiles = [-0.004, -0.003, -0.001, -0.0005, 0.002, 0.003, 0.004]
    quantiles[at] = np.nextafter(c, 1.0) if over else c
    if at == 2:
        quantiles[3] = 0.001
    assert len(signals(name, tuple(quantiles))) == over


def test_a_bar_without_a_spread_has_the_instruments():
    assert len(signals("conservative", UP, spread=math.nan)) == 1, "0.00013 / 1.25 is under q25"
    assert signals("conservative", (*UP[:2], 0.0001, *UP[3:]), spread=math.nan).empty


@pytest.mark.parametrize("quantiles", [(*UP[:1], math.nan, *UP[2:]), (*UP[:6], 0.0025), (UP[1], UP[0], *UP[2:]), (0.0001, 0.0002, *UP[2:])], ids=("missing", "crossing above", "crossing below", "stop above the close"))
def test_no_signal(quantiles):
    assert signals("conservative", UP, None, quantiles).index.tolist() == [0]


def test_a_signal_where_it_begins_and_a_bar_without_a_forecast_is_not_true():
    assert signals("conservative", UP, UP, None, UP, DOWN, DOWN, UP).index.tolist() == [0, 3, 4, 6]


def test_without_forecasts_it_says_what_to_do():
    with pytest.raises(BadRequest, match=r"conservative reads forecast\(q.*needs forecasts, and there is none at these bars; name a model"):
        decide(STRATEGIES["conservative"](), bars_of(3), Context(EURUSD, H1))


def test_levels_are_in_order():
    with pytest.raises(BadRequest, match="stop q50, entry q25"):
        STRATEGIES["conservative"](stop="q50")


def test_half_leaves_at_each_target_and_the_rest_after_the_horizon():
    """Bought at the ask of the next open; the first target is reached inside bar 2, the second never: the rest leaves at the open of bar 1 + 3."""
    bars = bars_of(6)
    bars.loc[2, "high"] = CLOSE * math.exp(0.0025)
    run = study.run([study.Series(EURUSD, H1, bars, context=context_of(UP, *[None] * 5))], Rules(), STRATEGIES["conservative"](horizon=3))
    assert run.outcome.fills[["reason", "lots"]].to_numpy().tolist() == [["market", 1.0], ["target_1", 0.5], ["time", 0.5]]
    assert run.outcome.fills["bar_ts"].tolist() == [bars["ts"][k] for k in (1, 2, 4)]
