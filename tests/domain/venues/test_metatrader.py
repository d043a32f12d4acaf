"""MetaTrader 5 as a source, over the double of its package: server clocks, symbols, histories that load, sign-in."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest, SourceUnavailable
from domain.market import Timeframe, instrument, ts_of
from domain.market.clock import to_utc
from domain.market.source import SOURCES, Page, Request, Span
from domain.venues import VENDORS
from domain.venues.http import Clock, Connection
from domain.venues.metatrader import specification, ticks
from domain.venues.metatrader_clock import server_clock
from domain.venues.metatrader_link import LOGIN, PASSWORD, SERVER, Link, Sending
from tests.doubles import metatrader
from worker.vendors import connection_to

HOUR, DAY, SECOND = 3_600, 86_400, 1_000_000_000
KEYS = {LOGIN: "12345678", PASSWORD: "correct", SERVER: "Double-Demo"}
NOW = int(datetime(2024, 4, 10, 12, tzinfo=UTC).timestamp())        # a Wednesday


class Slept:
    """A clock that passes only where somebody sleeps."""

    def __init__(self, now: float) -> None:
        self.now, self.slept = now, 0.0

    def sleep(self, seconds: float) -> None:
        self.slept += seconds

    def connection(self, **keys: str) -> Connection:
        clock = Clock(lambda: int((self.now + self.slept) * SECOND), lambda: self.slept, self.sleep)
        return Connection("MetaTrader 5", "", clock, lambda: 0.0, keys=KEYS | keys, tries=3)


@pytest.fixture
def package() -> Iterator[Any]:
    module = metatrader.install()
    module.terminal.now = lambda: NOW
    yield module
    metatrader.remove()


@pytest.fixture
def slept() -> Slept:
    return Slept(NOW)


def market_hours(start: datetime, end: datetime, step: int = HOUR) -> np.ndarray:
    """Opens, seconds UTC, of the bars of New York's week, Sunday 17:00 to Friday 17:00, with the US changes of 2024 by hand."""
    utc = np.arange(int(start.timestamp()), int(end.timestamp()), step)
    summer = (utc >= datetime(2024, 3, 10, 7, tzinfo=UTC).timestamp()) & (utc < datetime(2024, 11, 3, 6, tzinfo=UTC).timestamp())
    monday = (utc - np.where(summer, 4, 5) * HOUR + 7 * HOUR) // DAY        # the trading day, by the date on which it ends
    return utc[((monday + 3) % 7) < 5]      # 1 January 1970 was a Thursday


def load(terminal: Any, opens: np.ndarray, name: str = "EURUSD", timeframe: str = "H1") -> None:
    price = 1.1 + np.arange(len(opens)) * 0.00001
    terminal.load(name, timeframe, utc=opens, open=price, high=price + 0.0002, low=price - 0.0002, close=price + 0.0001, tick_volume=np.full(len(opens), 7), spread=np.full(len(opens), 12))
    terminal.quote(name, 1.1, 1.10012)


def page(slept: Slept, start: int, end: int, name: str = "EURUSD", timeframe: str = "H1", at: int = NOW) -> Page:
    request = Request(instrument(name), Timeframe.named(timeframe), Span(start * SECOND, end * SECOND), at * SECOND)
    return SOURCES["metatrader"].page(request, request.span, slept.connection())


CLOCKS = [("America/New_York", 7, "mt5_us"), ("Europe/Athens", 0, "mt5_eu"), ("UTC", 2, "UTC+2"), ("UTC", 0, "UTC")]


@pytest.mark.parametrize(("zone", "hours", "key"), CLOCKS)
def test_bars_have_their_instants_whatever_clock_the_server_keeps(package, slept, zone, hours, key):
    """Over the weeks of March in which America has summer time and Europe has not."""
    from mt5_market import ServerClock

    package.terminal.clock = ServerClock(zone, hours)
    opens = market_hours(datetime(2024, 1, 14, tzinfo=UTC), datetime(2024, 4, 10, 12, tzinfo=UTC))
    load(package.terminal, opens)
    start, end = int(datetime(2024, 3, 7, tzinfo=UTC).timestamp()), int(datetime(2024, 4, 3, tzinfo=UTC).timestamp())
    got = page(slept, start, end)
    assert (ts_of(got.bars) // SECOND).tolist() == opens[(opens >= start) & (opens < end)].tolist() and got.missing == ()
    first = got.bars.iloc[0]
    assert (first["high"] - first["low"], first["volume"], first["spread"]) == (pytest.approx(0.0004), 7.0, 0.00012)
    assert got.notes[0].startswith("server clock: ") and "weekly open" in got.notes[0] and "local double" in got.notes[1]
    assert server_clock((opens + np.array([ServerClock(zone, hours).offset(float(each)) for each in opens]).astype(int)) * SECOND, "fx").clocks[0].key == key


def test_one_week_tells_the_clock_of_its_own_days(package, slept):
    """Clocks that agree over it need not be told apart."""
    opens = market_hours(datetime(2024, 4, 3, tzinfo=UTC), datetime(2024, 4, 10, 12, tzinfo=UTC))
    load(package.terminal, opens)
    got = page(slept, NOW - 2 * DAY, NOW)
    assert (ts_of(got.bars) // SECOND).tolist() == opens[opens >= NOW - 2 * DAY].tolist() and "in 1 of 1 weeks" in got.notes[0]


def test_a_span_over_which_the_possible_clocks_differ_is_refused_and_not_guessed(package):
    """One week of history, and New York's clock changed in it: UTC+3 of today may have been UTC+2 last week."""
    now = int(datetime(2024, 3, 12, 12, tzinfo=UTC).timestamp())
    package.terminal.now = lambda: now
    load(package.terminal, market_hours(datetime(2024, 3, 6, tzinfo=UTC), datetime(2024, 3, 12, 12, tzinfo=UTC)))
    with pytest.raises(BadRequest, match=r"differ over the times requested.*open an H1 chart"):
        page(Slept(now), now - 5 * DAY, now, at=now)
    assert len(page(Slept(now), now - DAY, now, at=now).bars) == 24


def test_a_clock_that_nothing_shows_is_refused():
    monday = np.arange(20) * HOUR * SECOND + int(datetime(2024, 4, 8, 3, tzinfo=UTC).timestamp()) * SECOND
    for walls in (monday, np.zeros(0, np.int64)):
        with pytest.raises(BadRequest, match=r"cannot be determined.*open an H1 chart"):
            server_clock(walls, "fx", [NOW * SECOND], NOW * SECOND)


WINTER = market_hours(datetime(2024, 1, 14, tzinfo=UTC), datetime(2024, 3, 8, 12, tzinfo=UTC)) + 2 * HOUR      # on New York + 7 h


@pytest.mark.parametrize(("hours", "keys"), [(3, {"mt5_us"}), (2, {"mt5_eu", "UTC+2"})])
def test_the_last_price_chooses_among_clocks_that_winter_does_not_tell_apart(hours, keys):
    """On 12 March America has summer time, Europe has not."""
    now = int(datetime(2024, 3, 12, 12, tzinfo=UTC).timestamp())
    assert {each.key for each in server_clock(WINTER * SECOND, "fx").clocks} >= {"mt5_us", "mt5_eu", "UTC+2"}
    reported = server_clock(WINTER * SECOND, "fx", [(now - 30 + hours * HOUR) * SECOND], now * SECOND)
    assert {each.key for each in reported.clocks} >= keys and not {each.key for each in reported.clocks} & ({"mt5_us", "mt5_eu", "UTC+2"} - keys)


def test_a_last_price_of_friday_evening_tells_the_clock_on_sunday():
    """17 March, noon: the market is shut, and its last price was made at New York's close, 21:00 UTC."""
    sunday, close = (int(datetime(*when, tzinfo=UTC).timestamp()) for when in ((2024, 3, 17, 12), (2024, 3, 15, 20, 59, 50)))
    reported = server_clock(WINTER * SECOND, "fx", [(close + 3 * HOUR) * SECOND], sunday * SECOND)
    assert reported.clocks[0].key == "mt5_us" and reported.instant(close + 3 * HOUR) == close * SECOND and reported.wall(close * SECOND) == close + 3 * HOUR


def test_a_history_that_still_loads_is_requested_until_it_grows_no_more(package, slept):
    opens = market_hours(datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 4, 10, 12, tzinfo=UTC))
    load(package.terminal, opens)
    package.terminal.downloading |= {"copy_rates_from_pos": 1, "copy_rates_range": 1}
    start = int(datetime(2024, 2, 5, tzinfo=UTC).timestamp())
    assert len(page(slept, start, NOW).bars) == int((opens >= start).sum()) and slept.slept >= 1.0


def test_bars_before_the_terminals_history_are_named_and_so_is_what_to_do(package, slept):
    opens = market_hours(datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 4, 10, 12, tzinfo=UTC))
    load(package.terminal, opens)
    package.terminal.maxbars = 900
    start = int(datetime(2024, 2, 5, tzinfo=UTC).timestamp())
    got = page(slept, start, NOW)
    assert len(got.bars) == 900 and [(each.reason, each.span) for each in got.missing] == [("limit", Span(start * SECOND, int(opens[-900]) * SECOND))]
    assert "Max. bars in chart" in got.missing[0].sentence


def test_a_span_of_open_market_without_bars_is_named_empty(package, slept):
    opens = market_hours(datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 4, 10, 12, tzinfo=UTC))
    tuesday = int(datetime(2024, 3, 19, tzinfo=UTC).timestamp())
    load(package.terminal, opens[(opens < tuesday) | (opens >= tuesday + 6 * HOUR)])
    got = page(slept, tuesday, tuesday + 6 * HOUR)
    assert len(got.bars) == 0 and [each.reason for each in got.missing] == ["empty"]
    assert page(slept, tuesday - 3 * DAY, tuesday - 2 * DAY).missing == ()        # a Saturday


def test_a_bar_that_the_server_has_not_ended_is_open_though_our_clock_is_ahead(package, slept):
    """The server's last price is a minute before noon; by our clock it is half a minute after it."""
    opens = market_hours(datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 4, 10, 12, tzinfo=UTC))
    load(package.terminal, opens)
    package.terminal.quotes.clear()
    package.terminal.now = lambda: NOW - 60
    package.terminal.quote("EURUSD", 1.1, 1.1001)
    got = page(slept, NOW - DAY, NOW, at=NOW + 30)
    assert ts_of(got.bars)[-1] == (NOW - 2 * HOUR) * SECOND and [each.reason for each in got.missing] == ["open"]
    package.terminal.now = lambda: NOW + 1
    package.terminal.quote("EURUSD", 1.1, 1.1001)
    assert ts_of(page(slept, NOW - DAY, NOW, at=NOW + 30).bars)[-1] == (NOW - HOUR) * SECOND


def test_h4_and_d1_bars_begin_with_the_servers_day(package, slept):
    load(package.terminal, market_hours(datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 4, 10, 12, tzinfo=UTC)))
    days, quarters = (page(slept, NOW - 30 * DAY, NOW, timeframe=timeframe).bars for timeframe in ("D1", "H4"))
    hours, day = page(slept, NOW - 30 * DAY, NOW).bars, days.iloc[-1]
    inside = hours[(hours["ts"] >= day["ts"]) & (hours["ts"] < day["ts"] + pd.Timedelta(days=1))]
    assert (day["open"], day["high"], day["low"], day["close"], day["volume"]) == (inside["open"].iloc[0], inside["high"].max(), inside["low"].min(), inside["close"].iloc[-1], inside["volume"].sum())
    assert set(days["ts"].dt.hour) == {21} and set(quarters["ts"].dt.hour) == {1, 5, 9, 13, 17, 21}


def test_an_account_types_suffix_is_found_and_two_of_them_are_not_guessed(package, slept):
    from dataclasses import replace as changed

    terminal = package.terminal
    plain = terminal.symbols.pop("EURUSD")
    terminal.symbols["EURUSDm"] = changed(plain, name="EURUSDm")
    result = specification(Link(slept.connection()), instrument("EURUSD"))
    assert (result.symbol, result.digits, str(result.lot_step), result.contract) == ("EURUSDm", 5, "0.01", 100_000) and "EURUSDm" in terminal.selected
    terminal.symbols["EURUSD.a"] = changed(plain, name="EURUSD.a")
    with pytest.raises(BadRequest, match=r"EURUSDm, EURUSD\.a and does not say"):
        specification(Link(slept.connection()), instrument("EURUSD"))
    with pytest.raises(BadRequest, match="no symbol USDCHF"):
        specification(Link(slept.connection()), instrument("USDCHF"))


def test_ticks_are_quotes_in_utc_inside_the_span(package, slept):
    load(package.terminal, market_hours(datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 4, 10, 12, tzinfo=UTC)))
    package.terminal.quotes.clear()
    for second in range(5):
        package.terminal.now = lambda at=NOW + second: at
        package.terminal.quote("EURUSD", 1.1 + second / 1e5, 1.1001 + second / 1e5)
    got = ticks(Link(slept.connection()), instrument("EURUSD"), Span((NOW + 1) * SECOND, (NOW + 4) * SECOND))
    assert ((ts_of(got) - NOW * SECOND) // SECOND).tolist() == [1, 2, 3] and np.allclose(got["bid"], [1.10001, 1.10002, 1.10003], 0, 1e-9) and np.allclose(got["ask"] - got["bid"], 0.0001)


def test_elsewhere_than_on_windows_it_says_so(slept, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(BadRequest, match=r"MetaTrader 5 is available on Windows only.*this one runs linux"):
        Link(slept.connection()).ask("account_info")
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(BadRequest, match="pip install MetaTrader5"):
        Link(slept.connection()).ask("account_info")


def test_what_is_missing_is_a_sentence_the_platform_first(package):
    vendor = VENDORS["metatrader"]
    for variable in KEYS:
        with pytest.raises(BadRequest, match=f"{variable}, which is not set"):
            connection_to(vendor, {name: value for name, value in KEYS.items() if name != variable})
    assert vendor.is_double({}) and vendor.address({}) == "the module MetaTrader5 on the path" and not vendor.absent()
    metatrader.remove()
    with pytest.raises(BadRequest, match="Windows only"):
        connection_to(vendor, {})
    assert not vendor.is_double({}) and vendor.address({}) == ""


def test_a_wrong_password_is_refused_once_and_not_shown(package, slept):
    with pytest.raises(BadRequest, match=PASSWORD) as refused:
        Link(slept.connection(TIDEMARK_MT5_PASSWORD="wrong-secret")).ask("account_info")
    assert "wrong-secret" not in str(refused.value) and package.terminal.called("initialize") == 1 and slept.slept == 0
    with pytest.raises(BadRequest, match="not the number"):
        Link(slept.connection(TIDEMARK_MT5_LOGIN="me")).ask("account_info")


def test_a_terminal_that_was_restarted_is_signed_in_to_again(package, slept):
    link = Link(slept.connection())
    assert link.ask("account_info").currency == "USD"
    package.terminal.running = False
    assert link.ask("account_info").currency == "USD" and package.terminal.called("initialize") == 2
    package.terminal.gone = (-10_005, "IPC timeout")
    with pytest.raises(SourceUnavailable, match=r"IPC timeout \(-10005\), in 3 tries"):
        link.ask("account_info")


def test_an_order_that_was_given_up_or_waited_too_long_does_not_leave_later():
    now = [0.0]
    sending = Sending(lambda: now[0])
    assert not sending.give_up() and not sending.begin()
    left, late = Sending(lambda: now[0]), Sending(lambda: now[0])
    assert left.begin() and left.give_up()
    now[0] = 5.1
    assert not late.begin() and not late.give_up()


@pytest.mark.data
@pytest.mark.skipif(not os.environ.get("TIDEMARK_DATA"), reason="needs the folder named by TIDEMARK_DATA")
def test_a_brokers_own_bars_over_the_years_in_which_it_changed_its_clocks_rule(package):
    """Its export of 2015 to 2023, daylight saving on EU dates to 2019 and on US dates from 2020; the double shows it as it is written."""
    from mt5_market import ServerClock

    path = Path(os.environ["TIDEMARK_DATA"]) / "native/mt5/EURUSD_H1_mt5_export_2015_2023.tsv.gz"
    table = pd.read_csv(path, sep="\t").rename(columns=str.lower)
    wall = pd.to_datetime(table["date"] + " " + table["time"], format="mixed").to_numpy("datetime64[s]").astype(np.int64)
    package.terminal.clock = ServerClock("UTC", 0)
    package.terminal.load("EURUSD", "H1", utc=wall, **{name: table[name].to_numpy() for name in ("open", "high", "low", "close", "spread")}, tick_volume=table["tickvol"].to_numpy())
    package.terminal.now = lambda: int(wall[-1]) + HOUR + 1
    now = int(wall[-1]) - 2 * HOUR
    expected = to_utc(wall * SECOND, "mt5_eu until 2019 then mt5_us")[0] // SECOND
    for start, end in (((2019, 3, 5), (2019, 4, 5)), ((2019, 12, 20), (2020, 4, 3)), ((2023, 3, 8), (2023, 3, 30))):
        first, last = (int(datetime(*day, tzinfo=UTC).timestamp()) for day in (start, end))
        got = page(Slept(now), first, last, at=now)
        assert (ts_of(got.bars) // SECOND).tolist() == expected[(expected >= first) & (expected < last)].tolist() and len(got.bars) > 300
        assert ("one rule until 2019, another from 2020" in got.notes[0]) is (start[0] == 2019)        # three years of history show the change, or do not reach it


def test_the_double_has_the_packages_surface(package):
    """223 constants and 32 functions; fields as in its binary."""
    import mt5_constants
    import mt5_structures as structures

    assert len(mt5_constants.VALUES) == 223 and len(package.FUNCTIONS) == 32 and all(callable(getattr(package, name)) for name in package.FUNCTIONS)
    assert [len(each._fields) for each in (structures.SymbolInfo, structures.AccountInfo, structures.TradeOrder, structures.TradeDeal)] == [96, 28, 24, 18]
    assert structures.RATES.names == ("time", "open", "high", "low", "close", "tick_volume", "spread", "real_volume") and structures.RATES.itemsize == 60
    assert package.symbol_info("EURUSD") is None and package.last_error() == (-10_004, "No IPC connection")
    assert package.initialize() and package.symbol_info("NOTHING") is None and package.last_error()[0] == -4
    assert package.symbol_info("EURUSD")._asdict()["digits"] == 5
