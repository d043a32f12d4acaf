from __future__ import annotations

import time
from datetime import UTC, datetime

import numpy as np
import pytest

from domain.errors import BadRequest
from domain.market import calendar, check, content_version, instrument, ts_of
from domain.params import build, params_of
from domain.venues.synthetic import GBM, MODELS, RegimeSwitching, generate
from tests.domain.market.makers import D1, H1, H4, M1, M5, ns

EURUSD = instrument("EURUSD")
YEAR = (datetime(2023, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("model", [GBM(), RegimeSwitching()])
@pytest.mark.parametrize(("name", "timeframe"), [("EURUSD", M5), ("USDJPY", H1), ("XAUUSD", H4), ("NAS100", H1), ("ES=F", M5), ("ZC=F", D1)])
def test_bars_keep_the_contract_lie_on_ticks_and_fill_the_calendar(model, name, timeframe):
    what = instrument(name)
    bars = check(generate(model, what, timeframe, *YEAR, seed=7))
    assert ts_of(bars).tolist() == calendar(what.calendar).expected_opens(ns("2023-01-01"), ns("2024-01-01"), timeframe).tolist()
    for column in ("open", "high", "low", "close"):
        ticks = bars[column].to_numpy() / what.tick
        assert np.abs(ticks - np.rint(ticks)).max() < 1e-6 * max(1.0, ticks.max() * 1e-8)
        assert bars[column].tolist() == [round(value, what.digits) for value in bars[column]]


@pytest.mark.parametrize("model", [GBM(), RegimeSwitching()])
def test_the_same_seed_gives_the_same_bytes_and_another_other_ones(model):
    versions = [content_version(generate(model, EURUSD, M5, *YEAR, seed=seed), "EURUSD", M5, "bid") for seed in (1, 1, 2)]
    assert versions[0] == versions[1] != versions[2]


@pytest.mark.parametrize("model", [GBM(), RegimeSwitching()])
def test_a_longer_span_begins_with_the_shorter(model):
    """So that more data never rewrites the past."""
    full, part = (generate(model, EURUSD, M1, YEAR[0], end, seed=3) for end in (datetime(2023, 6, 1, tzinfo=UTC), datetime(2023, 3, 7, 11, 13, tzinfo=UTC)))
    assert len(full) > 100_000 and full.iloc[: len(part)].equals(part)


def test_geometric_brownian_motion_without_drift_is_a_martingale():
    """The mean of 600 ends, each with 60 % volatility over a year, is the beginning, within four standard errors."""
    ends = np.array([generate(GBM(volatility=0.6), EURUSD, D1, *YEAR, seed=seed)["close"].iloc[-1] for seed in range(600)])
    assert abs(ends.mean() - 1.1) < 4 * ends.std() / np.sqrt(600)


def test_drift_and_volatility_are_per_year():
    ends = np.array([generate(GBM(drift=0.3, volatility=0.01), EURUSD, D1, *YEAR, seed=seed)["close"].iloc[-1] for seed in range(20)])
    assert ends.mean() == pytest.approx(1.1 * np.exp(0.3), rel=0.01)
    returns = np.diff(np.log(generate(GBM(volatility=0.2), EURUSD, M5, *YEAR, seed=1)["close"]))
    assert returns.std() * np.sqrt(len(returns)) == pytest.approx(0.2, rel=0.02)


def test_high_and_low_are_where_a_fine_path_would_put_them():
    """The mean range of a bar of Brownian motion is sqrt(8/pi) of its volatility; ten sub-steps reach most of it and never more."""
    coarse, fine = (generate(GBM(volatility=0.2, steps=steps), EURUSD, H1, *YEAR, seed=1) for steps in (10, 200))
    ratio = [float(np.log(b["high"] / b["low"]).mean() / np.log(b["close"] / b["open"]).std()) for b in (coarse, fine)]
    assert ratio[0] < ratio[1] == pytest.approx(np.sqrt(8 / np.pi), rel=0.06) and ratio[0] > 0.75 * ratio[1]


def test_a_regime_market_has_fat_tails_clusters_gaps_and_a_spread_that_breathes():
    bars = generate(RegimeSwitching(), EURUSD, M5, *YEAR, seed=11)
    returns = np.diff(np.log(bars["close"].to_numpy()))
    assert ((returns - returns.mean()) ** 4).mean() / returns.var() ** 2 > 6
    size = np.abs(returns)
    assert np.corrcoef(size[:-12], size[12:])[0, 1] > 0.05
    shut = np.diff(ts_of(bars)) > 86_400_000_000_000
    jump = np.log(bars["open"].to_numpy()[1:] / bars["close"].to_numpy()[:-1])
    assert (jump[~shut] == 0).all() and shut.sum() > 50 and jump[shut].std() == pytest.approx(0.4 * 0.09 / np.sqrt(260), rel=0.35)
    hour = bars["ts"].dt.tz_convert("America/New_York").dt.hour
    rollover = bars.groupby(hour)["spread"].mean()
    assert rollover.idxmax() == 17 and bars["spread"].min() == pytest.approx(0.00013) and bars["spread"].max() > 0.00026
    assert (bars["volume"] >= 0).all() and bars["volume"].nunique() > 100


def test_a_regime_market_has_no_drift_on_average():
    ends = np.array([generate(RegimeSwitching(), EURUSD, H4, *YEAR, seed=seed)["close"].iloc[-1] for seed in range(300)])
    assert abs(ends.mean() - 1.1) < 4 * ends.std() / np.sqrt(300)


def test_a_first_price_can_be_given():
    assert generate(GBM(start_price=1900.0), instrument("XAUUSD"), H1, *YEAR, seed=1)["open"][0] == 1900.0


def test_every_parameter_has_bounds_a_unit_and_a_meaning():
    for name, model in MODELS.items():
        assert build(model, {}) == model() and model.__doc__, name
        assert all(p.unit and p.help and None not in (p.low, p.high) for p in params_of(model))
    with pytest.raises(BadRequest, match=r"volatility is -1\.0 p\.a\.; it must be between"):
        build(GBM, {"volatility": -1})


def test_a_span_without_a_bar_is_refused():
    with pytest.raises(BadRequest, match="the fx calendar has no H1 bar between"):
        generate(GBM(), EURUSD, H1, datetime(2024, 7, 13, tzinfo=UTC), datetime(2024, 7, 14, tzinfo=UTC), seed=1)


def test_two_years_of_five_minutes_are_quick():
    begun = time.process_time()
    generate(RegimeSwitching(), EURUSD, M5, datetime(2022, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC), seed=1)
    assert time.process_time() - begun < 1.5
