"""What real files proved: clocks, quality and resampling, on the folder that TIDEMARK_DATA names. Nothing of it is kept here but figures."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from domain.market import Timeframe, check, infer, instrument, join_ask, readers, repair, resample, ts_of
from tests.domain.market.makers import D1, H1, H4, M1, M5, ns

FOLDER = os.environ.get("TIDEMARK_DATA", "")
LATER = ns("2026-11-20")
pytestmark = [pytest.mark.data, pytest.mark.skipif(not FOLDER, reason="TIDEMARK_DATA names no folder of real data")]

HISTDATA, MT5 = "native/histdata/DAT_ASCII_EURUSD_M1_202503.csv.gz", "native/mt5/EURUSD_H1_mt5_export_2015_2023.tsv.gz"
M1_2019, M5_2019, M5_2008 = (f"fx/histdata/EURUSD_{span}.parquet" for span in ("M1_bid_utc_2019_2021", "M5_bid_utc_2019_2021", "M5_bid_utc_2008_2018"))


def read(name: str, of: str = "EURUSD") -> readers.RawBars:
    path = Path(FOLDER) / name
    return readers.read(path, readers.recognise(path).format, instrument(of))


def bars_of(name: str, timeframe: Timeframe, clock: str = "UTC", of: str = "EURUSD") -> pd.DataFrame:
    return repair(read(name, of), instrument(of), timeframe, clock, LATER)[0]


@pytest.mark.parametrize(
    ("name", "of", "timeframe", "clock", "opens", "fridays", "apart"),
    [
        (HISTDATA, "EURUSD", M1, "histdata", (4, 4), (4, 4), (3, 3)),
        (M1_2019, "EURUSD", M1, "UTC", (155, 156), (155, 156), (11, 11)),
        (M5_2019, "EURUSD", M5, "UTC", (155, 156), (155, 156), (11, 11)),
        (M5_2008, "EURUSD", M5, "UTC", (567, 571), (550, 571), (38, 38)),
        *((f"fx/mt5_h1/{pair}_H1_bid_servertime_2012_2022.parquet", pair, H1, "mt5_eu", (482, 483), (fridays, 483), (apart, 32))
          for pair, fridays, apart in (("USDJPY", 475, 31), ("AUDUSD", 473, 30), ("GBPUSD", 469, 29), ("EURGBP", 472, 31))),
        ("fx/mt5_h1/XAUUSD_H1_bid_servertime_2012_2022.parquet", "XAUUSD", H1, "mt5_eu", (505, 507), (476, 507), (33, 33)),
        ("fx/dukascopy_h1/XAGUSD_H1_bid_2011_2023.parquet", "XAGUSD", H1, "UTC", (633, 645), (614, 645), (37, 43)),
    ],
)  # fmt: skip
def test_files_tell_their_clock(name, of, timeframe, clock, opens, fridays, apart):
    best = infer(read(name, of).local_ns, timeframe, instrument(of).calendar)[0]
    assert (best.clock, best.opens, best.fridays, best.apart, best.certain) == (clock, opens, fridays, apart, True)


def test_a_broker_that_changed_its_rule_in_2020_is_found_out():
    raw = read(MT5)
    best = infer(raw.local_ns, H1, "fx")[0]
    assert (best.clock, best.opens, best.fridays, best.apart) == ("mt5_eu_us_2020", (455, 455), (451, 455), (29, 29))
    assert "one rule until 2019, another from 2020" in best.sentence and "MetaTrader, New York + 7 h" in best.sentence
    assert infer(raw.local_ns, H1, "fx", ["mt5_us", "mt5_eu"])[0].clock == "mt5_eu until 2019 then mt5_us"


@pytest.mark.parametrize(
    ("name", "of", "seen", "rows", "spread"),
    [
        ("fx/lean/oanda_eurusd_hour_bidask.zip", "EURUSD", ("lean", "EURUSD", "H1", "bid"), 74_439, 0.0001325),
        ("fx/lean/oanda_xauusd_hour_bidask.zip", "XAUUSD", ("lean", "XAUUSD", "H1", "bid"), 76_499, 0.38025),
        ("fx/lean/forex_oanda/minute/eurusd/20140508_quote.zip", "EURUSD", ("lean", "EURUSD", "M1", "bid"), 1_419, 0.0001125),
        ("native/dukascopy_csv/USA500.IDXUSD_Ticks_2023-09-04.csv", "US500", ("ticks", "US500", "M1", "bid"), 1_055, 0.505),
        ("native/truefx/usdjpy-ticks.csv", "USDJPY", ("ticks", "USDJPY", "M1", "bid"), 34, 0.0216),
        ("native/yahoo/CL=F_yfinance_history.csv.gz", "CL=F", ("yfinance", "CL=F", "D1", None), 6_443, None),
    ],
)
def test_originals_of_other_vendors_are_read(name, of, seen, rows, spread):
    result, raw = readers.recognise(Path(FOLDER) / name), read(name, of)
    assert (result.format, result.instrument, result.timeframe, result.side) == seen and (len(raw), raw.malformed_count) == (rows, 0)
    assert raw.spread is None if spread is None else np.median(raw.spread) == pytest.approx(spread, rel=0.05)


def test_bids_and_asks_of_fxcm_are_joined():
    bid, ask = (read(f"fx/fxcm_bidask/gbpusd-m1-{side}-2012.csv.gz", "GBPUSD") for side in ("bid", "ask"))
    joined = join_ask(bid, ask)
    assert len(joined) == 30_117 and not np.isnan(joined.spread).any() and np.median(joined.spread) == pytest.approx(0.0000675, rel=0.05)


def test_four_months_of_one_summer_cannot_tell_the_servers_apart():
    best = infer(read("native/mt5/EURUSD_H1_mt5_bracket_header_2000rows.csv").local_ns, H1, "fx")[0]
    assert (best.clock, best.tied, best.certain) == ("mt5_us", ("mt5_eu", "UTC+3"), False)


def test_four_hour_bars_on_utc_tie_utc_with_london():
    best = infer(read("fx/dukascopy_h1/XAUUSD_H4_bid_2007_2023.parquet", "XAUUSD").local_ns, H4, "metal")[0]
    assert (best.clock, best.tied) == ("UTC", ("Europe/London",))


def test_two_sources_on_their_clocks_show_the_same_prices_in_every_season():
    """HistData's M5 and a broker's H1: with the right clocks their hourly closes are a pip apart, also in the weeks between the clock changes."""
    left = resample(pd.concat([bars_of(M5_2008, M5), bars_of(M5_2019, M5)], ignore_index=True), M5, H1, "fx")
    right = bars_of(MT5, H1, "mt5_eu_us_2020")
    both = left.merge(right, on="ts", suffixes=("", "_right"))
    apart = np.abs(both["close"] - both["close_right"]).groupby(both["ts"].dt.strftime("%Y-%m")).median()
    assert len(both) > 40_000 and apart.max() < 0.0001
    for wrong in ("mt5_us", "mt5_eu"):
        off = left.merge(bars_of(MT5, H1, wrong), on="ts", suffixes=("", "_right"))
        years = [2016, 2017, 2018] if wrong == "mt5_us" else [2020, 2021]
        march = off[off["ts"].dt.strftime("%m-%d").between("03-16", "03-24") & off["ts"].dt.year.isin(years)]
        assert np.abs(march["close"] - march["close_right"]).median() > 0.0003


@pytest.mark.parametrize(
    ("name", "of", "timeframe", "clock", "counts"),
    [
        (M1_2019, "EURUSD", M1, "UTC", dict(spikes=36, stale=10, outside=1054, missing=8568, gaps=33, holidays=11)),
        (M5_2019, "EURUSD", M5, "UTC", dict(spikes=3, stale=1, outside=223, missing=676, gaps=10, holidays=5)),
        (M5_2008, "EURUSD", M5, "UTC", dict(spikes=19, outside=193, missing=823, gaps=46, holidays=37)),
        (HISTDATA, "EURUSD", M1, "histdata", dict(missing=133, gaps=1)),
        (MT5, "EURUSD", H1, "mt5_eu_us_2020", dict(spikes=15, outside=9, missing=30, gaps=28, holidays=24)),
        ("fx/mt5_h1/GBPUSD_H1_bid_servertime_2012_2022.parquet", "GBPUSD", H1, "mt5_eu", dict(spikes=2, outside=3, missing=121, gaps=115, holidays=40)),
        ("fx/dukascopy_h1/NAS100_H1_bid_2013_2023.parquet", "NAS100", H1, "UTC", dict(sparse=133, outside=379, missing=7348, gaps=1159, holidays=125, placeholder=1)),
        ("futures_daily/CL_D1_yahoo.csv.gz", "CL=F", D1, "UTC", dict(range=9, spikes=1, missing=10, gaps=7, holidays=241)),
        ("futures_daily/GC_D1_yahoo.csv.gz", "GC=F", D1, "UTC", dict(inverted=1, range=441, missing=16, gaps=13, holidays=240)),
        ("futures_daily/ZC_D1_yahoo.csv.gz", "ZC=F", D1, "UTC", dict(range=831, missing=45, gaps=26, holidays=231)),
    ],
)  # fmt: skip
def test_the_quality_of_files(name, of, timeframe, clock, counts):
    bars, report = repair(read(name, of), instrument(of), timeframe, clock, LATER)
    check(bars, instrument(of).negative_prices)
    assert {finding.key: finding.count for finding in report.findings if finding.count} == counts
    assert report.verdict == ("repairable" if set(counts) & {"range", "inverted"} else "clean")


def test_the_pound_fell_through_in_october_2016():
    report = repair(read("fx/mt5_h1/GBPUSD_H1_bid_servertime_2012_2022.parquet", "GBPUSD"), instrument("GBPUSD"), H1, "mt5_eu", LATER)[1]
    assert report["spikes"].examples[0] == ("2016-10-06T23:00Z", "51 × median true range")


def test_oil_closed_below_zero():
    bars = bars_of("futures_daily/CL_D1_yahoo.csv.gz", D1, of="CL=F")
    assert bars.loc[bars["ts"] == "2020-04-20", "close"].tolist() == [-37.630001]


def test_histdata_loses_an_hour_when_european_clocks_go_forward():
    ts = ts_of(bars_of(M5_2019, M5))
    for day in ("2019-03-31", "2020-03-29", "2021-03-28"):
        evening = ts[(ts >= ns(f"{day}T21:00")) & (ts < ns(f"{day}T21:00") + 4 * 3_600_000_000_000)]
        assert sorted({str(t)[11:13] for t in evening.view("datetime64[ns]")}) == ["00", "21", "22"]


def test_minutes_make_exactly_the_given_five_minutes():
    computed, given = resample(bars_of(M1_2019, M1), M1, M5, "fx", partial=True), bars_of(M5_2019, M5)
    assert len(given) == 223_899 and computed.equals(given)
    assert resample(bars_of(M1_2019, M1), M1, M5, "fx").equals(given.iloc[:-1])            # the last minute, 21:59, is not there


def test_levels_that_anyone_can_look_up():
    days = resample(bars_of(M5_2019, M5), M5, D1, "fx").set_index("ts")
    assert days.loc["2020-03-19T21:00Z", ["low", "high"]].between(1.06, 1.09).all()
    utc = bars_of(M5_2019, M5).set_index("ts").loc["2019-01-02"]
    assert [round(v, 4) for v in (utc["low"].min(), utc["high"].max(), utc["close"].iloc[-1])] == [1.1309, 1.1497, 1.1312]


def test_every_file_of_the_folder_is_read_or_refused_with_a_sentence():
    seen = {"read": 0, "refused": 0}
    for path in sorted(Path(FOLDER).rglob("*")):
        if path.is_file() and path.stat().st_size < 3_000_000:
            try:
                result = readers.recognise(path)
                readers.read(path, result.format, instrument(result.instrument or "EURUSD"))
                seen["read"] += 1
            except BadRequest as error:
                assert str(error).startswith(path.name)
                seen["refused"] += 1
    assert seen["read"] >= 80 and seen["refused"] >= 45          # .bi5 and JSON were refused before there were readers of them


def test_every_vendors_original_is_read_and_what_is_no_bars_is_named():
    """All of native/: bars are read; of what is none the sentence says what it is."""
    named = {
        "00h_ticks.bi5": "Dukascopy quoted nothing in that hour", "05h_M10_bars.csv": "holds bars of M10; the timeframes are",
        "ff_calendar_thisweek_2023-12-10.xml": "ForexFactory's week", "ff_calendar_thisweek_2026-09-13_subset.json": "ForexFactory's week",
        **{f"{what}.json": "OANDA's answer about" for what in ("accounts", "orders", "positions", "pricing", "trades", "transactions")},
    }  # fmt: skip
    refused = {}
    for path in sorted((Path(FOLDER) / "native").rglob("*")):
        if path.is_file():
            try:
                result = readers.recognise(path)
                raw = readers.read(path, result.format, instrument(result.instrument or "EURUSD"))
                assert len(raw) and raw.malformed_count == 0 and result.timeframe
            except BadRequest as error:
                refused[path.name] = str(error)
    assert refused.keys() == named.keys() and all(named[name] in sentence for name, sentence in refused.items())
