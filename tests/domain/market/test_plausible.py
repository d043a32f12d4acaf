"""Prices and spreads that cannot be an instrument's."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from domain.market import instrument, instruments, repair
from domain.market.plausible import USUAL_PRICE
from tests.domain.market.makers import M5, bars_at, fx_bars, raw_of, ts_of

EURUSD, OIL = instrument("EURUSD"), instrument("CL=F")
LATER = datetime(2030, 1, 1, tzinfo=UTC)
WEEK = ("2024-07-08", "2024-07-12")
PRICES = ("open", "high", "low", "close")


def scaled(factor: float, of=EURUSD):
    bars = fx_bars(*WEEK)
    return repair(bars.assign(**{name: bars[name] * factor for name in PRICES}), of, M5, "UTC", LATER)[1]


@pytest.mark.parametrize("factor", [1e-3, 1e3, 1e-5, 1e307])
def test_prices_of_another_order_of_magnitude_are_refused_with_the_usual_one(factor):
    report = scaled(factor)
    assert report.verdict == "refused" and "EURUSD usually trades at about 1.1" in report.sentence and report["magnitude"].count


def test_prices_of_another_pair_are_refused():
    """EURUSD is at 1.1, and GBPJPY at 170: 150 times as much."""
    report = scaled(1.0, of=instrument("GBPJPY"))
    assert report.verdict == "refused" and "GBPJPY usually trades at about 170" in report.sentence


@pytest.mark.parametrize("factor", [0.1, 1.0, 15.0])
def test_prices_of_a_plausible_size_are_not_findings(factor):
    assert scaled(factor)["magnitude"].count == 0


@pytest.mark.parametrize("price", [1e308, 110.3, 0.0011])
def test_a_single_bar_far_from_those_around_it_is_dropped_and_reported(price):
    bars = fx_bars(*WEEK)
    columns = {name: bars[name].to_numpy().copy() for name in PRICES}
    for values in columns.values():
        values[500] = price
    result, report = repair(raw_of(bars, **columns), EURUSD, M5, "UTC", LATER)
    assert report.verdict == "repairable" and report["magnitude"].count == 1 and len(result) == len(bars) - 1 and report.ledger["close"][0] == price


def test_prices_through_zero_stay_where_the_instrument_may_have_them():
    bars = bars_at(ts_of(fx_bars(*WEEK)), level=20.0)
    fallen = bars.assign(**{name: bars[name] - np.linspace(0, 57, len(bars)) for name in PRICES})
    assert repair(fallen, OIL, M5, "UTC", LATER)[1]["magnitude"].count == 0


@pytest.mark.parametrize(("spread", "reported"), [(13.0, 1152), (1.3e-9, 1152), (0.02, 1152), (0.0003, 0), (0.0, 0), (np.nan, 0)])
def test_spreads_in_another_unit_are_emptied_only_when_the_person_says_so(spread, reported):
    bars = fx_bars(*WEEK).assign(spread=spread)
    result, report = repair(bars, EURUSD, M5, "UTC", LATER)
    assert report["spread_size"].count == reported and report.verdict == ("repairable" if reported else "clean")
    assert not reported or (result["spread"].isna().all() and f"The median spread is {spread:g}, and the usual one of EURUSD is 0.00013" in report.sentence)


def test_a_spread_as_large_as_the_price_is_emptied_and_a_wide_one_is_listed():
    bars = fx_bars(*WEEK).assign(spread=0.0002)
    bars.loc[3, "spread"] = 0.5
    result, report = repair(bars, EURUSD, M5, "UTC", LATER)
    assert (report["spread_size"].count, report["spread_size"].did, report.verdict) == (1, "emptied", "repairable") and np.isnan(result["spread"][3])
    bars.loc[3, "spread"] = 0.009
    result, report = repair(bars, EURUSD, M5, "UTC", LATER)
    assert (report["spread_size"].count, report["spread_size"].did, report.verdict) == (1, "listed", "clean") and result["spread"][3] == 0.009


def test_every_shipped_instrument_has_a_usual_price():
    assert set(USUAL_PRICE) == set(instruments())
