"""Days of a run from its trades and from its equity path, counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.compliance import DayClock, Path
from domain.compliance.days_from_path import at_risk, days_of, risked_shares
from domain.compliance.days_from_trades import days_from_trades
from domain.errors import BadRequest
from domain.market.zones import DAY

UTC = DayClock("00:00", "UTC")


def utc(ns: np.ndarray) -> np.ndarray:
    return ns // DAY


def trades(*rows: tuple[str, str, float, float, float], risk: float = 100.0, **columns) -> pd.DataFrame:
    """``entry, exit, r, mae_r, mfe_r`` each; days of January 2024, 1 a Monday."""
    frame = pd.DataFrame(rows, columns=["entry_ts", "exit_ts", "r", "mae_r", "mfe_r"])
    for name in ("entry_ts", "exit_ts"):
        frame[name] = pd.to_datetime("2024-01-" + frame[name] + "Z", utc=True)
    frame["pnl"] = frame["r"] * risk
    return frame.assign(**{name: value for name, value in columns.items()})


def equity(rows: dict[str, float], low: float = 0.0, balance: dict[str, float] | None = None, **columns) -> Path:
    ts = pd.to_datetime(["2024-01-" + at for at in rows]).as_unit("ns").astype("int64").to_numpy()
    money = np.array(list(rows.values()))
    settled = money if balance is None else np.array([balance.get(at, value) for at, value in rows.items()])
    return Path(ts, settled, money, equity_low=money - low, initial=100.0, **columns)


def test_trades_after_each_other_are_at_their_worst_one_by_one():
    days = days_from_trades(
        trades(("02T08:00", "02T09:00", -1.0, 1.0, 0.2), ("02T10:00", "02T11:00", 2.0, 0.5, 2.0)), utc
    )
    assert (days.change[0], days.low[0], days.high[0]) == (1.0, -1.5, 1.0)  # −1, then half an R further down, then +2


def test_trades_that_overlap_are_at_their_worst_together():
    days = days_from_trades(
        trades(("02T08:00", "02T10:00", 1.0, 0.8, 1.0), ("02T09:00", "02T11:00", 1.0, 0.9, 1.5)), utc
    )
    assert (days.change[0], days.low[0], days.high[0]) == (2.0, -1.7, 2.5)


def test_a_trade_closed_at_the_instant_another_opens_was_closed_before():
    days = days_from_trades(
        trades(("02T08:00", "02T09:00", -1.0, 1.0, 0.0), ("02T09:00", "02T10:00", 1.0, 0.5, 1.0)), utc
    )
    assert days.low[0] == -1.5


def test_a_trade_within_an_instant_counts_its_excursion():
    days = days_from_trades(trades(("02T08:00", "02T08:00", 0.5, 0.7, 0.9)), utc)
    assert (days.change[0], days.low[0], days.high[0]) == (0.5, -0.7, 0.9)


def test_costs_are_part_of_the_worst_moment():
    frame = trades(("02T08:00", "02T09:00", 1.0, 0.5, 1.2), pnl_gross=110.0)
    assert days_from_trades(frame, utc).low[0] == pytest.approx(-0.6)  # ten of costs on a risk of a hundred


def test_weekdays_without_a_trade_are_days_and_weekends_are_not():
    days = days_from_trades(
        trades(("04T08:00", "04T09:00", 1.0, 0.1, 1.0), ("09T08:00", "09T09:00", -1.0, 1.0, 0.1)), utc
    )
    assert days.date.astype("datetime64[D]").astype(str).tolist() == [
        "2024-01-04",
        "2024-01-05",
        "2024-01-08",
        "2024-01-09",
    ]
    assert days.change.tolist() == [1.0, 0.0, 0.0, -1.0] and days.opened.tolist() == [1, 0, 0, 1]
    assert any("2 of 4 days closed no trade" in note for note in days.notes)


def test_a_sunday_with_a_trade_is_a_day():
    days = days_from_trades(
        trades(("05T08:00", "05T09:00", 1.0, 0.1, 1.0), ("07T23:00", "08T01:00", 1.0, 0.3, 1.0)), utc
    )
    assert days.date.astype("datetime64[D]").astype(str).tolist() == ["2024-01-05", "2024-01-07", "2024-01-08"]
    assert (
        days.change.tolist() == [1.0, 0.0, 1.0]
        and days.opened.tolist() == [1, 1, 0]
        and days.closed.tolist() == [1, 0, 1]
    )
    assert any("1 of 2 trades were held overnight" in note for note in days.notes)


def test_a_trade_held_overnight_is_open_from_the_start_of_its_last_day():
    days = days_from_trades(
        trades(("02T08:00", "03T12:00", 1.0, 0.8, 1.0), ("03T08:00", "03T09:00", -1.0, 1.0, 0.0)), utc
    )
    assert days.change.tolist() == [0.0, 0.0] and days.low.tolist() == [0.0, -1.8]


def test_the_day_clock_decides_the_day():
    frame = trades(("02T22:30", "02T23:30", 1.0, 0.1, 1.0), ("03T08:00", "03T09:00", -1.0, 1.0, 0.1))
    prague = DayClock("00:00", "Europe/Prague")  # 23:30 UTC is half past midnight there
    days = days_from_trades(frame, lambda ns: prague.resets.day[prague.day_of(ns)])
    assert days.change.tolist() == [0.0, 0.0] and days.opened.tolist() == [1, 1] and days.closed.tolist() == [0, 2]


def test_shares_are_of_the_equity_at_the_start_of_the_day():
    frame = trades(
        ("02T08:00", "02T09:00", 1.0, 0.5, 1.0),
        ("02T10:00", "02T11:00", 1.0, 0.5, 1.0),
        ("03T08:00", "03T09:00", -1.0, 1.0, 0.1),
    )
    days = days_from_trades(frame, utc, initial=1_000.0)
    assert (
        days.unit == "share"
        and days.change == pytest.approx([0.2, -100 / 1_200])
        and days.low == pytest.approx([-0.05, -100 / 1_200])
    )


def test_trades_without_excursions_have_no_known_lows():
    frame = trades(("02T08:00", "02T09:00", 1.0, np.nan, np.nan))
    days = days_from_trades(frame, utc, initial=1_000.0)
    assert (
        not days.intraday
        and days.low.tolist() == [0.0]
        and any("Lows within the day are not known" in note for note in days.notes)
    )


@pytest.mark.parametrize(
    "frame, initial, sentence",
    [
        (trades(("02T08:00", "02T09:00", np.nan, 0.1, 0.1)).assign(pnl=1.0), 0.0, "1 of 1 trades have no R, for they had no stop"),
        (
            trades(("02T08:00", "02T09:00", 1.0, 0.1, 0.1)).assign(pnl=1.0).drop(columns=["r"]),
            0.0,
            "1 of 1 trades have no R, for they come without a column r",
        ),
        (trades(("02T08:00", "02T09:00", -1.0, 1.0, 0.1)).iloc[:0], 0.0, "there are no trades"),
        (trades(("02T08:00", "02T09:00", -1.0, 1.0, 0.1)).drop(columns="exit_ts"), 0.0, "no column exit_ts"),
        (trades(("02T09:00", "02T08:00", -1.0, 1.0, 0.1)), 0.0, "ends before it begins"),
        (
            trades(("02T08:00", "02T09:00", -1.0, 1.0, 0.1), ("03T08:00", "03T09:00", 1.0, 0.1, 1.0)),
            100.0,
            "lose all of an account",
        ),
    ],
)
def test_trades_that_make_no_days_are_refused_in_words(frame, initial, sentence):
    with pytest.raises(BadRequest, match=sentence):
        days_from_trades(frame, utc, initial)


def test_days_of_a_path_start_at_the_last_row_at_or_before_the_reset():
    days = days_of(
        equity({"02T10:00": 101.0, "02T20:00": 102.0, "03T10:00": 100.0, "04T00:00": 101.0, "04T12:00": 103.02}), UTC
    )
    assert days.change == pytest.approx([0.02, 101 / 102 - 1, 0.02])  # the row at midnight is the start of the 4th
    assert days.low == pytest.approx([0.0, 100 / 102 - 1, 0.0])


def test_what_floats_at_the_end_of_a_day_is_kept():
    days = days_of(equity({"02T10:00": 98.0, "03T10:00": 99.0}, balance={"02T10:00": 104.0}), UTC)
    assert days.floating == pytest.approx([-0.06, 0.0])


def test_a_path_with_one_row_a_day_and_no_lows_knows_no_lows():
    path = equity({"02T10:00": 101.0, "03T10:00": 102.0})
    assert days_of(path, UTC).intraday
    assert not days_of(Path(path.ts, path.balance, path.equity, initial=100.0), UTC).intraday


def test_weekdays_without_a_row_did_not_change():
    days = days_of(equity({"02T10:00": 101.0, "05T10:00": 102.0, "08T10:00": 102.0}), UTC)
    assert days.change == pytest.approx([0.01, 0.0, 0.0, 102 / 101 - 1, 0.0])


def test_a_deposit_is_no_profit():
    flows = pd.DataFrame(dict(ts=pd.to_datetime(["2024-01-03T00:00Z"]), amount=[100.0]))
    days = days_of(equity({"02T10:00": 110.0, "03T10:00": 231.0}, flows=flows), UTC)
    assert days.change == pytest.approx([0.1, 0.1])  # 21 on the 210 that were there


def test_a_path_is_scaled_by_what_its_trades_risked():
    frame = trades(("02T08:00", "02T10:00", 1.0, 0.1, 1.0), ("03T08:00", "03T10:00", -0.5, 1.0, 0.1), risk=2.0).assign(
        instrument="EURUSD", side="long", lots=1.0, entry_price=1.1, exit_price=1.1
    )
    path = equity({"02T07:00": 100.0, "02T10:00": 102.0, "03T10:00": 101.0}, trades=frame)
    assert risked_shares(path) == pytest.approx([0.02, 2 / 102])
    days = days_of(path, UTC)
    scaled = at_risk(days, path, np.median([0.02, 2 / 102]) / 2)
    assert (
        scaled.change == pytest.approx(days.change / 2)
        and "The trades risked 1.98 % of equity each" in scaled.notes[-1]
    )
    with pytest.raises(BadRequest, match="no trade of the path has an R"):
        at_risk(days, equity({"02T10:00": 101.0}), 0.01)


def test_a_path_that_loses_everything_has_no_shares():
    with pytest.raises(BadRequest, match="falls to 0 or below"):
        days_of(equity({"02T10:00": 0.0, "03T10:00": 1.0}), UTC)


def test_a_sunday_evening_on_which_nothing_happened_is_no_day():
    rows = {"05T10:00": 101.0, "07T23:00": 101.0, "08T10:00": 102.0, "14T23:00": 103.0, "15T10:00": 103.0}
    days = days_of(equity(rows), UTC)
    names = days.date.astype("datetime64[D]").astype(str).tolist()
    assert "2024-01-07" not in names and "2024-01-14" in names and len(names) == 8
