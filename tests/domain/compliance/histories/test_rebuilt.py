"""Equity between bookings from bars: by hand, and against a slow reference that walks bars and legs one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.compliance.histories import read
from domain.compliance.histories.history import path_of
from domain.compliance.histories.marks import MarketBars
from domain.compliance.histories.rebuilt import rebuilt
from domain.errors import BadRequest
from domain.market import instruments
from tests.domain.compliance.histories import statements

TABLE = instruments()
EURUSD, XAUUSD = TABLE["EURUSD"], TABLE["XAUUSD"]


def at(text):
    return pd.Timestamp(f"2024-03-04T{text}:00Z" if len(text) == 5 else f"2024-03-04T{text}Z")


def bars(rows, minutes=5, instrument=EURUSD, side="bid"):
    """``rows``: time, low, high, close, spread."""
    table = pd.DataFrame(rows, columns=["ts", "low", "high", "close", "spread"]).assign(
        ts=lambda t: [at(text) for text in t["ts"]], open=lambda t: t["close"]
    )
    return MarketBars(table, minutes, side, instrument)


def leg(side, lots, entry, entry_price, exit_, exit_price, profit, swap=0.0, costs=0.0, instrument="EURUSD"):
    return dict(
        instrument=instrument,
        side=side,
        lots=lots,
        entry_ts=at(entry),
        entry_price=entry_price,
        exit_ts=at(exit_) if exit_ else pd.NaT,
        exit_price=exit_price,
        profit=profit,
        swap=swap,
        costs=costs,
    )


def points(rows):
    """``rows``: time, balance, open."""
    table = pd.DataFrame(rows, columns=["ts", "balance", "open"]).assign(ts=lambda t: [at(text) for text in t["ts"]])
    return table.assign(equity=np.where(table["open"] == 0, table["balance"], np.nan))


NO_FLOWS = pd.DataFrame(dict(ts=pd.to_datetime([], utc=True), amount=np.empty(0)))
LONG = [leg("long", 1.0, "10:02", 1.1000, "10:12", 1.1010, 100.0)]
LONG_POINTS = points([("10:02", 10_000.0, 1), ("10:12", 10_100.0, 0)])
BARS = bars(
    [
        ("10:00", 1.0990, 1.1006, 1.1005, 0.0001),
        ("10:05", 1.0980, 1.1015, 1.1000, 0.0001),
        ("10:10", 1.0995, 1.1013, 1.1012, 0.0001),
    ]
)


def rebuild(legs, points_, market, flows=NO_FLOWS, initial=10_000.0, currency="USD"):
    return rebuilt(points_, pd.DataFrame(legs), flows, initial, currency, market)


def rows_of(result):
    return {
        row.ts.strftime("%H:%M"): (
            round(row.balance, 2),
            round(row.equity, 2),
            round(row.equity_low, 2),
            round(row.equity_high, 2),
        )
        for row in result.points.itertuples()
    }


def test_a_long_is_marked_at_the_bid_bar_by_bar():
    """100 over 0.0010 is 100,000 a unit of price. 10:05: 1.1005 - 1.1000 -> +50, low 1.0990 -> -100, high 1.1006 -> +60. 10:10: 0, -200, +150.
    10:12: closed, 10,100. 10:15: the last bar's low of 1.0995 -> -50 on the balance before it, its high +130."""
    assert rows_of(rebuild(LONG, LONG_POINTS, {"EURUSD": BARS})) == {
        "10:02": (10_000.0, 10_000.0, 10_000.0, 10_000.0), "10:05": (10_000.0, 10_050.0, 9_900.0, 10_060.0), "10:10": (10_000.0, 10_000.0, 9_800.0, 10_150.0),
        "10:12": (10_100.0, 10_100.0, 10_100.0, 10_100.0), "10:15": (10_100.0, 10_100.0, 9_950.0, 10_130.0),
    }  # fmt: skip


def test_a_short_is_marked_at_the_ask():
    """Its profit of 100 over a fall of 0.0010; the ask is the bid + 0.0001: 10:05 -> 1.1000 - 1.1006 = -60; worst at the high, 1.1007 -> -70."""
    got = rows_of(rebuild([leg("short", 1.0, "10:02", 1.1000, "10:12", 1.0990, 100.0)], LONG_POINTS, {"EURUSD": BARS}))
    assert got["10:05"] == (10_000.0, 9_940.0, 9_930.0, 10_090.0)


def test_bars_of_the_mid_price_have_half_the_spread_on_each_side():
    got = rows_of(
        rebuild(
            LONG,
            LONG_POINTS,
            {
                "EURUSD": bars(
                    [
                        ("10:00", 1.0990, 1.1006, 1.1005, 0.0002),
                        ("10:05", 1.0980, 1.1015, 1.1, 0.0002),
                        ("10:10", 1.0995, 1.1013, 1.1012, 0.0002),
                    ],
                    side="mid",
                )
            },
        )
    )
    assert got["10:05"][1:3] == (10_040.0, 9_890.0)


def test_swap_and_commission_that_are_paid_count_from_the_opening_and_received_swap_at_the_close():
    paid = rows_of(
        rebuild(
            [leg("long", 1.0, "10:02", 1.1000, "10:12", 1.1010, 100.0, swap=-3.0, costs=-7.0)],
            LONG_POINTS,
            {"EURUSD": BARS},
        )
    )
    received = rows_of(
        rebuild([leg("long", 1.0, "10:02", 1.1000, "10:12", 1.1010, 100.0, swap=3.0)], LONG_POINTS, {"EURUSD": BARS})
    )
    assert paid["10:05"][1] == 10_040.0 and received["10:05"][1] == 10_050.0


def test_the_lows_of_several_instruments_are_taken_together():
    gold = bars(
        [
            ("10:00", 2090.0, 2105.0, 2100.0, 0.2),
            ("10:05", 2080.0, 2101.0, 2100.0, 0.2),
            ("10:10", 2099.0, 2101.0, 2100.0, 0.2),
        ],
        instrument=XAUUSD,
    )
    legs = [*LONG, leg("long", 0.1, "10:02", 2100.0, "10:12", 2110.0, 100.0, instrument="XAUUSD")]
    got = rows_of(
        rebuild(legs, points([("10:02", 10_000.0, 2), ("10:12", 10_200.0, 0)]), {"EURUSD": BARS, "XAUUSD": gold})
    )
    assert got["10:10"][2] == 10_000.0 - 200.0 - 200.0, "EURUSD at its low, and 20 dollars of gold at 10 a dollar"


def test_a_withdrawal_inside_a_bar_is_in_its_low():
    flows = pd.DataFrame(dict(ts=[at("10:07")], amount=[-500.0]))
    got = rebuild(
        LONG, points([("10:02", 10_000.0, 1), ("10:07", 9_500.0, 1), ("10:12", 9_600.0, 0)]), {"EURUSD": BARS}, flows
    )
    assert rows_of(got)["10:10"] == (9_500.0, 9_500.0, 9_300.0, 9_650.0)


def test_a_small_move_is_worth_what_the_others_tell_and_without_others_the_contract():
    """The second trade moved one tick for a cent that was rounded: per lot the first says 100,000, in euros 90,000."""
    small = leg("long", 2.0, "10:02", 1.1000, "10:12", 1.10001, 2.0)
    both = points([("10:02", 10_000.0, 2), ("10:12", 10_092.0, 0)])
    got = rows_of(
        rebuild([leg("long", 1.0, "10:02", 1.1, "10:12", 1.101, 90.0), small], both, {"EURUSD": BARS}, currency="EUR")
    )
    assert got["10:05"][1] == 10_000.0 + 0.0005 * (90_000 + 180_000)
    alone = rows_of(rebuild([small], LONG_POINTS, {"EURUSD": BARS}))
    assert alone["10:05"][1] == 10_000.0 + 0.0005 * 200_000
    with pytest.raises(BadRequest, match="what a move of EURUSD is worth in EUR cannot be determined"):
        rebuild([small], LONG_POINTS, {"EURUSD": BARS}, currency="EUR")


def test_fills_outside_their_bars_are_counted():
    assert "2 of 2 entries and exits lie inside" in rebuild(LONG, LONG_POINTS, {"EURUSD": BARS}).finding.sentence
    off = [leg("long", 1.0, "10:02", 1.2000, "10:12", 1.2010, 100.0)]
    finding = rebuild(off, LONG_POINTS, {"EURUSD": BARS}).finding
    assert (
        finding.severity == "warning"
        and "2 of 2 entries and exits lie outside their bar: another clock" in finding.sentence
    )


def test_a_trade_that_is_still_open_is_marked_to_the_last_bar():
    got = rows_of(
        rebuild(
            [leg("long", 1.0, "10:02", 1.1000, None, 1.1010, 100.0)], points([("10:02", 10_000.0, 1)]), {"EURUSD": BARS}
        )
    )
    assert got["10:15"][1] == 10_120.0 and list(got) == ["10:02", "10:05", "10:10", "10:15"]


@pytest.mark.parametrize(
    ("market", "words"),
    [
        ({}, "there are no bars of EURUSD"),
        ({"EURUSD": bars([("10:05", 1.0, 1.2, 1.1, 0.0)])}, "import bars that cover them"),
        ({"EURUSD": bars([("08:00", 1.0, 1.2, 1.1, 0.0)], 240)}, "are of 240 minutes"),
    ],
)
def test_bars_that_do_not_do_are_refused(market, words):
    with pytest.raises(BadRequest, match=words):
        rebuild(LONG, LONG_POINTS, market)


def test_a_partly_closed_position_is_open_with_what_is_left():
    """The report's gold position of 0.50 closes in halves; each half has its deal's time, price and profit, and no commission."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        legs = read(statements.write(Path(folder), "mt5_html"), clock="mt5_us", known=TABLE).legs
    assert legs[["instrument", "lots", "exit_price", "profit", "swap", "costs"]].to_numpy().tolist() == [
        ["EURUSD", 1.0, 1.084, 400.0, 0.0, 0.0], ["XAUUSD", 0.25, 2130.0, -500.0, -4.5, 0.0], ["XAUUSD", 0.25, 2110.0, 0.0, 0.0, 0.0],
    ]  # fmt: skip


def reference(legs, balance_at, market, unit):
    """Equity, low and high at each bar's end, one bar and one leg at a time."""
    rows = {}
    for bar in market.bars.itertuples():
        start, end = bar.ts, bar.ts + pd.Timedelta(minutes=market.minutes)
        marks = {"equity": balance_at(end), "low": balance_at(start), "high": balance_at(start)}
        touched = False
        for item in legs:
            sign = 1.0 if item["side"] == "long" else -1.0
            quote = {
                "equity": bar.close,
                "low": bar.low if sign > 0 else bar.high,
                "high": bar.high if sign > 0 else bar.low,
            }
            for key, bid in quote.items():
                value = sign * ((bid if sign > 0 else bid + bar.spread) - item["entry_price"]) * unit * item["lots"]
                inside = (
                    item["entry_ts"] <= end < item["exit_ts"]
                    if key == "equity"
                    else item["entry_ts"] < end and item["exit_ts"] > start
                )
                marks[key] += value if inside else 0.0
                touched |= inside
        if touched:
            rows[end] = (marks["equity"], min(marks["low"], marks["equity"]), max(marks["high"], marks["equity"]))
    return rows


@pytest.mark.parametrize("seed", range(3))
def test_many_trades_equal_the_slow_reference(seed):
    rng = np.random.default_rng(seed)
    close = np.round(1.1 + np.cumsum(rng.normal(0, 3e-4, 240)), 5)
    start = pd.date_range("2024-03-04T00:00Z", periods=240, freq="5min")
    table = pd.DataFrame(
        dict(
            ts=start,
            open=close,
            high=close + rng.uniform(1e-4, 6e-4, 240),
            low=close - rng.uniform(1e-4, 6e-4, 240),
            close=close,
            spread=rng.uniform(0, 2e-4, 240),
        )
    )
    market = MarketBars(table, 5, "bid", EURUSD)
    legs = []
    for _ in range(25):
        first, length = int(rng.integers(60, 60_000)), int(rng.integers(30, 9_000))
        entry, side, lots = (
            start[0] + pd.Timedelta(seconds=first),
            rng.choice(["long", "short"]),
            float(rng.integers(1, 9)) / 10,
        )
        entry_price, exit_price = round(1.1 + rng.normal(0, 2e-3), 5), round(1.1 + rng.normal(0, 2e-3), 5)
        profit = (exit_price - entry_price) * (1 if side == "long" else -1) * 100_000 * lots
        legs.append(
            dict(
                instrument="EURUSD",
                side=side,
                lots=lots,
                entry_ts=entry,
                entry_price=entry_price,
                exit_ts=entry + pd.Timedelta(seconds=length),
                exit_price=exit_price,
                profit=profit,
                swap=0.0,
                costs=0.0,
            )
        )
    booked = pd.DataFrame([(item["exit_ts"], item["profit"]) for item in legs], columns=["ts", "profit"]).sort_values(
        "ts"
    )
    instants = sorted({item[key] for item in legs for key in ("entry_ts", "exit_ts")})

    def balance_at(ts):
        return 10_000.0 + booked[booked["ts"] <= ts]["profit"].sum()

    opened = [sum(item["entry_ts"] <= ts < item["exit_ts"] for item in legs) for ts in instants]
    points_ = pd.DataFrame(dict(ts=instants, balance=[balance_at(ts) for ts in instants], open=opened))
    result = rebuilt(points_.assign(equity=np.nan), pd.DataFrame(legs), NO_FLOWS, 10_000.0, "USD", {"EURUSD": market})
    got = result.points.set_index("ts")
    expected = reference(legs, balance_at, market, 100_000)
    assert len(expected) > 50
    for ts, values in expected.items():
        np.testing.assert_allclose(
            got.loc[ts, ["equity", "equity_low", "equity_high"]].to_numpy(float), values, atol=1e-6
        )
    path = path_of(result.points, None, NO_FLOWS, 10_000.0, "USD")
    assert path.floating and (np.diff(path.ts) > 0).all()
