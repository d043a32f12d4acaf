from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.market import CHECKS, Report, calendar, check, frame, gap_map, inspect, instrument, repair, ts_of
from domain.market.gaps import missing_bars
from domain.market.readers import BadLine
from domain.market.zones import HOUR
from tests.domain.market.makers import D1, H1, H4, M1, M5, bars_at, fx_bars, ns, raw_of, wall

EURUSD, OIL = instrument("EURUSD"), instrument("CL=F")
LATER = datetime(2030, 1, 1, tzinfo=UTC)
WEEK = ("2024-07-08", "2024-07-12")


def mended(raw, timeframe=M5, clock="UTC", at=LATER, of=EURUSD, **options):
    bars, report = repair(raw, of, timeframe, clock, at, **options)
    check(bars, of.negative_prices)
    assert [finding.key for finding in report.findings] == list(CHECKS)
    return bars, report


def changed(column: str, row: int, value: float, bars: pd.DataFrame | None = None):
    bars = fx_bars(*WEEK) if bars is None else bars
    values = bars[column].to_numpy().copy()
    values[row] = value
    return raw_of(bars, **{column: values})


def test_good_bars_are_clean_and_come_back_the_same():
    bars = fx_bars(*WEEK)
    result, report = mended(bars)
    assert result.equals(bars) and report.verdict == "clean" and report.sentence == "No issues found." and report.ledger.empty
    assert (report.rows_read, report.rows_kept, report.start, report.end) == (len(bars), len(bars), "2024-07-08T00:00Z", "2024-07-11T23:55Z")


@pytest.mark.parametrize(
    ("raw", "key", "did", "left"),
    [
        (changed("close", 7, np.nan), "prices", "dropped", -1),
        (changed("open", 7, 0.0), "prices", "dropped", -1),
        (changed("low", 7, -1.0), "prices", "dropped", -1),
        (changed("high", 7, np.inf), "prices", "dropped", -1),
        (changed("high", 7, 0.5), "inverted", "dropped", -1),
        (changed("open", 7, 1.2), "range", "widened", 0),
        (changed("close", 7, 1.0), "range", "widened", 0),
        (replace(raw_of(fx_bars(*WEEK)), malformed=(BadLine(9, "x", "why"),), malformed_count=3), "malformed", "dropped", 0),
    ],
)
def test_what_is_broken_is_mended_reported_and_in_the_ledger(raw, key, did, left):
    bars, report = mended(raw)
    count = 3 if key == "malformed" else 1
    assert (report[key].count, report[key].did, report[key].severity) == (count, did, "broken") and report[key].examples
    assert len(bars) == len(raw) + left and report.verdict == "repairable" and len(report.ledger) == 1
    assert report.ledger["action"][0] == did and report.ledger["line"][0] == 9


def test_a_widened_bar_includes_its_open_and_close_and_the_ledger_has_the_old_range():
    raw = changed("open", 7, 1.2)
    bars, report = mended(raw)
    assert bars["high"][7] == 1.2 and bars["low"][7] == raw.low[7]
    assert report.ledger["high"][0] == raw.high[7] and report.ledger["ts"][0] == bars["ts"][7]


def test_rows_out_of_order_are_sorted():
    bars = fx_bars(*WEEK)
    order = np.r_[np.arange(10), [20], np.arange(10, 20), np.arange(21, len(bars))]
    result, report = mended(raw_of(bars.iloc[order].reset_index(drop=True)))
    assert result.equals(bars) and report["order"].count == 10 and report["order"].did == "sorted"


def test_a_repeated_bar_is_merged_and_conflicting_ones_become_one_bar():
    bars = fx_bars(*WEEK)
    again = bars.iloc[[0, 1, 1, 2, 3, 3, 3]].reset_index(drop=True)
    again.loc[5, ["open", "high", "low", "close"]] = [1.11, 1.2, 1.05, 1.15]
    again.loc[6, ["open", "close"]] = [1.12, 1.13]
    raw = raw_of(pd.concat([again, bars.iloc[4:]], ignore_index=True))
    result, report = mended(raw)
    assert len(result) == len(bars) and (report["duplicates"].count, report["conflicts"].count) == (1, 2)
    expected = [bars["open"][3], 1.2, 1.05, 1.13]
    assert result.loc[3, ["open", "high", "low", "close"]].tolist() == expected
    assert report.ledger["line"].tolist() == [4, 6, 7, 8] and set(report.ledger["action"]) == {"merged"}
    assert report["conflicts"].examples[0].what == "lines 6 and 7 differ"


def test_a_file_that_is_mostly_copies_is_refused_and_one_joined_to_itself_is_repaired():
    bars = fx_bars(*WEEK)
    _, twice = mended(raw_of(pd.concat([bars] * 2, ignore_index=True)))
    assert twice.verdict == "repairable" and twice["duplicates"].count == len(bars)
    _, copies = mended(raw_of(pd.concat([bars] * 3, ignore_index=True)))
    assert copies.verdict == "refused" and f"{2 * len(bars):,} of {3 * len(bars):,} rows repeat another row" in copies.sentence


def test_of_conflicting_bars_first_and_last_are_those_of_the_file():
    bars = pd.concat([fx_bars("2024-01-01", "2024-06-01")] * 3, ignore_index=True)
    number = 1.0 + np.random.default_rng(1).permutation(len(bars)) / 1e6
    shuffled = bars.assign(open=number, high=2.0, low=1.0, close=number).sample(frac=1.0, random_state=1).reset_index(drop=True)
    result = repair(raw_of(shuffled), EURUSD, M5, "UTC", LATER)[0].set_index("ts")
    assert result["open"].equals(shuffled.groupby("ts")["open"].first()) and result["close"].equals(shuffled.groupby("ts")["close"].last())


def test_unknown_values_do_not_make_bars_differ():
    bars = fx_bars(*WEEK).assign(spread=np.nan)
    result, report = mended(raw_of(pd.concat([bars.iloc[:1], bars], ignore_index=True)))
    assert report["duplicates"].count == 1 and report["conflicts"].count == 0 and result["spread"].isna().all()


@pytest.mark.parametrize("value", [-0.1, np.inf, -np.inf])
@pytest.mark.parametrize("column", ["spread", "volume"])
def test_an_impossible_spread_or_volume_becomes_unknown_and_is_listed(column, value):
    bars = fx_bars(*WEEK).assign(**{column: np.arange(len(fx_bars(*WEEK))) * 1e-6})
    result, report = mended(changed(column, 7, value, bars))
    assert np.isnan(result[column][7]) and report[column].count == 1 and report[column].did == "emptied" and report.verdict == "repairable"
    assert report.ledger[column][0] == value and result[column].notna().sum() == len(bars) - 1


def test_a_spread_of_zero_is_a_spread():
    result, report = mended(fx_bars(*WEEK).assign(spread=0.0))
    assert report.verdict == "clean" and (result["spread"] == 0).all()


def test_negative_prices_are_for_instruments_that_may_have_them():
    bars = bars_at(calendar("cme").expected_opens(ns("2020-04-20"), ns("2020-04-22"), M5), level=-37.63)
    assert mended(bars, of=OIL)[1].verdict == "clean"
    assert repair(bars, EURUSD, M5, "UTC", LATER)[1].verdict == "refused"


@pytest.mark.parametrize(
    ("at", "known_until", "left"),
    [("2024-07-11T23:59", None, 1), ("2024-07-12T00:00", None, 0), ("2024-07-12T09:00", ns("2024-07-11T23:54"), 2), ("2024-07-11T23:00", None, 12)],
)
def test_a_bar_that_had_not_ended_is_dropped(at, known_until, left):
    bars, report = mended(fx_bars(*WEEK), at=ns(at), known_until=known_until)
    assert report["unfinished"].count == left and len(bars) == len(fx_bars(*WEEK)) - left
    if left == 1:
        assert report.sentence == "1 incomplete bar dropped." and report.ledger["reason"][0] == "it ends after 2024-07-11T23:59Z"


def test_a_daily_bar_ends_with_its_session():
    days = fx_bars("2024-07-01", "2024-07-12", D1)
    assert mended(days, D1, at=ns("2024-07-11T20:59"))[1]["unfinished"].count == 2
    assert mended(days, D1, at=ns("2024-07-11T21:00"))[1]["unfinished"].count == 1


def test_times_off_the_grid_are_dropped():
    bars = fx_bars(*WEEK)
    ts = ts_of(bars).copy()
    ts[[5, 9]] += [60 * 10**9, 1]
    _, report = mended(raw_of(bars, local_ns=ts))
    assert report["grid"].count == 2 and report.ledger["line"].tolist() == [7, 11]


def test_a_zone_half_an_hour_off_keeps_its_own_grid():
    bars = bars_at(calendar("fx").expected_opens(ns("2024-07-08"), ns("2024-07-12"), H1) + HOUR // 2)
    assert mended(bars, H1)[1]["grid"].count == 0


@pytest.mark.parametrize(("computed", "requested", "what"), [(H1, M5, "bars are H1 apart, not M5"), (M5, H4, "bars are M5 apart, not H4"), (H1, H4, "bars are H1 apart, not H4"), (D1, H1, "bars are D1 apart, not H1")])
def test_the_wrong_timeframe_is_refused(computed, requested, what):
    _, report = repair(fx_bars("2024-06-03", "2024-07-12", computed), EURUSD, requested, "UTC", LATER)
    assert report.verdict == "refused" and report.sentence.startswith(f"Refused: {what}; choose that timeframe, or resample.")


def test_a_time_the_clock_cannot_read_is_dropped_with_its_line():
    bars = bars_at(np.arange(ns("2024-03-08"), ns("2024-03-12"), HOUR))
    _, report = mended(bars, H1, "America/New_York")
    assert report["clock"].count == 1 and report["clock"].examples[0].what == "line 51" and pd.isna(report.ledger["ts"][0])


def test_years_beyond_the_calendar_are_unreadable():
    bars = fx_bars(*WEEK)
    ts = ts_of(bars).copy()
    ts[:2] = ns("1901-01-01"), ns("2190-01-01")
    assert mended(raw_of(bars, local_ns=ts))[1]["clock"].count == 2


def test_a_clock_is_read_before_anything_else():
    bars = fx_bars(*WEEK)
    result, report = mended(raw_of(bars, local_ns=wall(ts_of(bars), "America/New_York", 7)), clock="mt5_us")
    assert result.equals(bars) and report.clock == "mt5_us"


def test_spikes_are_kept_and_listed_largest_first():
    bars = fx_bars("2024-07-01", "2024-07-12")
    bars.loc[500, "high"] += 0.01
    bars.loc[900, "low"] -= 0.03
    result, report = mended(bars)
    assert result.equals(bars) and report["spikes"].count == 2 and report["spikes"].did == "kept" and report.verdict == "clean"
    assert [example.ts for example in report["spikes"].examples] == [f"{bars['ts'][row]:%Y-%m-%dT%H:%MZ}" for row in (900, 500)]


def test_a_move_that_stays_is_no_spike():
    bars = fx_bars("2024-07-01", "2024-07-12")
    bars.loc[500:, ["open", "high", "low", "close"]] += 0.03
    bars.loc[500, "low"] = bars["close"][499]
    assert mended(bars)[1]["spikes"].count == 0


@pytest.mark.parametrize(("still", "runs"), [(14, 0), (15, 1), (40, 1)])
def test_prices_that_stand_still_are_listed(still, runs):
    bars = fx_bars("2024-07-10", "2024-07-11", M1)
    bars.loc[100 : 100 + still - 1, ["open", "high", "low", "close"]] = bars["close"][99]
    report = mended(bars, M1)[1]
    assert report["stale"].count == runs and (not runs or report["stale"].examples[0].what == f"{still} bars in a row")


@pytest.mark.parametrize(("lost", "gaps"), [(5, 0), (6, 1)])
def test_quiet_minutes_are_missing_bars_and_longer_ones_a_gap(lost, gaps):
    bars = fx_bars("2024-07-10", "2024-07-11", M1)
    report = mended(bars.drop(range(100, 100 + lost)).reset_index(drop=True), M1)[1]
    assert (report["missing"].count, report["gaps"].count) == (lost, gaps)
    assert not gaps or report["gaps"].examples == (("2024-07-10T01:39Z", "6 bars missing after it"),)


def test_the_weekend_is_no_gap_but_a_late_start_is():
    bars = fx_bars("2024-07-03", "2024-07-17", H1)
    assert mended(bars, H1)[1]["missing"].count == 0
    monday = bars[(bars["ts"] < "2024-07-06") | (bars["ts"] >= "2024-07-08")].reset_index(drop=True)
    assert mended(monday, H1)[1]["missing"].count == 3


def test_holidays_are_named_and_not_counted_as_gaps():
    bars = fx_bars("2023-12-18", "2024-01-06", H1)
    thin = bars[(bars["ts"] < "2023-12-26T03:00Z") | (bars["ts"] >= "2023-12-26T07:00Z")].reset_index(drop=True)
    report = mended(thin, H1)[1]
    assert report["missing"].count == report["gaps"].count == 0 and report["outside"].count == 0
    assert report["holidays"].examples == (("2023-12-25", "Christmas: shut"), ("2023-12-26", "Boxing Day: 4 bars fewer"), ("2024-01-01", "New Year: shut"))


def test_missing_days_of_daily_bars_are_found_and_us_holidays_are_not_among_them():
    days = fx_bars("2024-05-20", "2024-06-10", D1, "cme")
    lost = days.drop(index=[3, days.index[days["ts"] == "2024-05-26T22:00Z"][0]]).reset_index(drop=True)
    report = mended(lost, D1, of=OIL)[1]
    assert report["gaps"].count == 1 and report["holidays"].examples == (("2024-05-27", "Memorial Day: 1 bar fewer"),)


def test_bars_outside_every_session_are_listed():
    bars = bars_at(np.arange(ns("2024-07-12T12:00"), ns("2024-07-15T12:00"), HOUR))
    report = mended(bars, H1)[1]
    assert report["outside"].count == 48 and report["outside"].examples[0] == ("2024-07-12T21:00Z", "the fx calendar is shut")


@pytest.mark.parametrize(("volume", "reported"), [(np.full(1152, 60.0), 1), (np.r_[np.full(700, 60.0), np.arange(452.0)], 1), (np.arange(1152.0), 0), (np.full(1152, np.nan), 0)])
def test_a_volume_that_never_changes_is_noted(volume, reported):
    report = mended(fx_bars(*WEEK).assign(volume=volume))[1]
    assert report["placeholder"].count == reported and report.verdict == "clean"


@pytest.mark.parametrize(("share", "verdict"), [(0.1, "repairable"), (0.3, "refused")])
def test_too_much_broken_is_refused(share, verdict):
    bars = fx_bars(*WEEK)
    high = bars["high"].to_numpy().copy()
    high[: int(share * len(bars))] = 0.5
    report = repair(raw_of(bars, high=high), EURUSD, M5, "UTC", LATER)[1]
    assert report.verdict == verdict and (verdict != "refused" or "345 of 1,152 rows are broken, and 20% is the most" in report.sentence)


def test_nothing_left_is_refused():
    empty = np.empty(0)
    report = repair(frame(np.empty(0, np.int64), open=empty, high=empty, low=empty, close=empty), EURUSD, M5, "UTC", LATER)[1]
    assert report.verdict == "refused" and report.sentence.startswith("Refused: of 0 rows no bar is left.")


def test_inspect_finds_the_same_and_does_nothing():
    raw = changed("high", 7, 0.5)
    report, (_, after) = inspect(raw, EURUSD, M5, "UTC", LATER), repair(raw, EURUSD, M5, "UTC", LATER)
    assert [(f.key, f.count, f.examples) for f in report.findings] == [(f.key, f.count, f.examples) for f in after.findings]
    assert report["inverted"].did == "none" and report.ledger.empty and report.verdict == "repairable" and report.sentence == "1 bar with high below low, 1 missing bar listed."


def test_a_report_survives_json():
    raw = replace(changed("high", 7, 0.5), notes=("spread is 0 in every row",), malformed=(BadLine(3, "x", "y"),), malformed_count=9)
    report = repair(raw, EURUSD, M5, "UTC", LATER)[1]
    assert Report.from_json(json.loads(json.dumps(report.to_json()))) == report
    assert report.notes == ("spread is 0 in every row", "the first 1 malformed lines are in the ledger, 8 more are only counted")


def slowly_missing(ts: list[int], step: int, name: str) -> list[int]:
    market, lost = calendar(name), []
    for before, after in pairwise(ts):
        candidate = before + step
        while candidate + step <= after:
            if any(market.is_open(candidate + part * step // 5) for part in range(5)):
                lost.append(candidate)
            candidate += step
    return lost


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), name=st.sampled_from(["fx", "metal", "grain"]), timeframe=st.sampled_from([M5, H1]))
def test_missing_bars_are_those_a_slow_search_finds(seed, name, timeframe):
    random = np.random.default_rng(seed)
    ts = calendar(name).expected_opens(ns("2024-07-04T00:00"), ns("2024-07-09T12:00"), timeframe)
    ts = ts[np.sort(random.choice(len(ts), len(ts) // 2, replace=False))]
    assert missing_bars(ts, timeframe, calendar(name)).opens.tolist() == slowly_missing(ts.tolist(), timeframe.nanoseconds, name)


def test_a_gap_of_years_is_counted_without_being_listed():
    ts = np.array([ns("1999-01-04T00:00"), ns("2024-07-10T00:00")])
    missing = missing_bars(ts, M1, calendar("fx"))
    assert len(missing.opens) == 1 and missing.bars[0] == len(calendar("fx").expected_opens(ts[0], ts[1], M1)) - 1


def test_the_gap_map_counts_bars_and_holes_by_weekday_and_hour():
    bars = fx_bars("2024-07-08", "2024-07-13", M5).assign(spread=0.0002)
    holes = bars.drop(range(24, 30)).reset_index(drop=True)
    cells = gap_map(holes, M5, "fx")
    assert len(cells) == 168 and cells["missing"].sum() == 6 and cells["bars"].sum() == len(holes)
    assert cells.loc[(cells["weekday"] == 0) & (cells["hour"] == 2), ["bars", "missing", "spread_mean", "spread_median"]].values.tolist() == [[6, 6, 0.0002, 0.0002]]
    assert cells.loc[cells["weekday"] == 5, "bars"].sum() == 0 and cells.loc[cells["weekday"] == 5, "spread_mean"].isna().all()


@settings(max_examples=60)
@given(seed=st.integers(0, 10**9))
def test_whatever_is_done_to_bars_repair_mends_and_mending_again_changes_nothing(seed):
    """Rows shuffled, doubled, cut, with any value spoilt: what comes back keeps the contract, and is clean."""
    random = np.random.default_rng(seed)
    bars = fx_bars("2024-07-09", "2024-07-10").assign(volume=1.0, spread=0.0001)
    rows = random.choice(len(bars), int(random.integers(1, 2 * len(bars))))
    spoilt = bars.iloc[rows if random.random() < 0.5 else np.sort(rows)].reset_index(drop=True)
    values = {name: spoilt[name].to_numpy().copy() for name in ("open", "high", "low", "close", "volume", "spread")}
    for column in values.values():
        hit = random.random(len(column)) < 0.05
        column[hit] = random.choice([np.nan, np.inf, -np.inf, -1.0, 0.0, 0.9, 1.0, 1.3], hit.sum())
    local = ts_of(spoilt) + np.where(random.random(len(spoilt)) < 0.02, 7 * 10**9, 0)
    result, report = repair(raw_of(spoilt, local_ns=local, **values), EURUSD, M5, "UTC", LATER, worst=1.0)
    check(result)
    again, second = repair(result, EURUSD, M5, "UTC", LATER, worst=1.0)
    assert again.equals(result) and sum(f.count for f in second.findings if f.severity == "broken" and f.key not in ("timeframe", "sparse")) == 0
    gone = sum(report[key].count for key in ("prices", "inverted", "magnitude", "grid", "unfinished"))
    merged = report["duplicates"].count + report["conflicts"].count
    assert len(result) == len(spoilt) - gone - merged and (report.ledger["action"] == "dropped").sum() == gone


@pytest.mark.parametrize("name", ["fx", "metal"])
@pytest.mark.parametrize("surroundings", ["2026-03-08", "2026-11-01"])
def test_a_weekend_in_which_clocks_change_is_no_gap(name, surroundings):
    """Bars of four hours count from the trading day, so their grid moves by an hour."""
    market, middle = calendar(name), pd.Timestamp(surroundings).value
    opens = market.expected_opens(middle - 5 * 24 * HOUR, middle + 5 * 24 * HOUR, H4)
    assert len(opens) > 30 and missing_bars(opens, H4, market).bars.sum() == 0
    assert missing_bars(np.delete(opens, 10), H4, market).bars.sum() == 1
