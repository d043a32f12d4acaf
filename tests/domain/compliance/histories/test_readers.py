"""Which format a statement has, and what each reader takes from it."""

from __future__ import annotations

import math

import pytest

from domain.compliance.histories import HISTORY_READERS, HistoryLimits, read, recognise
from domain.errors import BadRequest
from domain.market import instruments
from tests.domain.compliance.histories import statements

CLOCK = {key: "" if key.startswith("tidemark") else "UTC+2" for key in statements.FILES}


def statement(folder, format):
    return HISTORY_READERS[format].read(statements.write(folder, format), HistoryLimits())


def history(folder, format, **more):
    more = dict(clock=CLOCK[format], currency="" if format.startswith(("mt4_html", "mt5")) else "USD") | more
    return read(statements.write(folder, format), known=instruments(), **more)


def test_every_format_has_a_file_here():
    assert set(statements.FILES) == set(HISTORY_READERS)


@pytest.mark.parametrize("format", statements.FILES)
def test_each_file_is_recognised_by_its_own_reader_and_by_no_other(format, tmp_path):
    from domain.market.readers.files import head_of

    path = statements.write(tmp_path, format)
    assert recognise(path).format == format and recognise(path).server_clock == (not format.startswith("tidemark"))
    head = head_of(path, 1_000_000).decode()
    assert [key for key, reader in HISTORY_READERS.items() if reader.recognise(head, path.name)] == [format]


def test_a_metatrader_4_statement_is_read_with_its_bookings(tmp_path):
    """By hand from the file: 10,000 in; +500 - 7; -1,000 - 3.50 - 1.25 - 4.75; -200 out; +20 - 1.40 + 0.15."""
    parts = statement(tmp_path, "mt4_html")
    assert [(trade.ticket, trade.symbol, trade.side, trade.lots, round(trade.net, 2)) for trade in parts.trades] == [
        ("102", "eurusd.p", "long", 1.0, 493.0), ("103", "xauusd", "short", 0.5, -1009.5), ("107", "eurusd.p", "short", 0.2, 18.75),
    ]  # fmt: skip
    assert (
        parts.trades[1].open_price == 2110.0
        and parts.trades[1].stop_loss == 2130.0
        and math.isnan(parts.trades[0].stop_loss)
    )
    assert [(change.kind, change.amount) for change in parts.changes if change.kind != "trade"] == [
        ("flow", 10_000.0),
        ("flow", -200.0),
        ("credit", 50.0),
    ]
    assert parts.cancelled == 1 and (parts.currency, parts.account) == ("USD", "7001234")
    assert (parts.stated.balance, parts.stated.equity, parts.stated.credit, parts.stated.floating) == (
        9302.25,
        9352.25,
        50.0,
        0.0,
    )


def test_open_trades_of_a_statement_are_kept_apart(tmp_path):
    path = statements.written(tmp_path, "s.htm", statements.MT4.replace("OPEN_TRADES", statements.ONE_OPEN))
    parts = HISTORY_READERS["mt4_html"].read(path, HistoryLimits())
    assert len(parts.trades) == 3 and [
        (trade.ticket, trade.closed, round(trade.net, 2)) for trade in parts.open_trades
    ] == [("108", -1, -20.7)]


@pytest.mark.parametrize("format", ["mt5_html", "mt5_csv"])
def test_a_metatrader_5_report_has_its_balance_from_the_deals_and_its_trades_from_the_positions(format, tmp_path):
    """XAUUSD closed in halves, at 10:00 and at 11:00: one position, but two bookings."""
    path = history(tmp_path, format)
    assert [(row.instrument, row.side, row.lots, row.pnl) for row in path.trades.itertuples()] == [
        ("EURUSD", "long", 1.0, 393.0),
        ("XAUUSD", "short", 0.5, -508.0),
    ]
    assert path.points["ts"].dt.strftime("%d %H:%M").tolist() == [
        "04 08:00",
        "04 13:00",
        "05 07:00",
        "06 08:00",
        "06 09:00",
        "07 10:00",
        "07 12:00",
    ]
    assert path.points["balance"].tolist() == [9996.5, 10393.0, 10391.25, 9886.0, 9885.0, 9785.0, 9783.0]
    assert (
        path.flows["amount"].tolist() == [-100.0]
        and path.initial == 10_000.0
        and (path.currency, path.account) == ("USD", "7005678")
    )


def test_a_semicolon_file_with_decimal_commas_reads_the_same(tmp_path):
    other = statements.written(tmp_path, "other.csv", statements.mt5_csv(";", ",").encode("utf-8-sig"))
    assert read(other, clock="UTC+2").points.equals(history(tmp_path, "mt5_csv").points)


def test_a_report_in_utf_8_reads_like_the_one_in_utf_16(tmp_path):
    other = statements.written(tmp_path, "other.html", statements.mt5_html())
    assert read(other, clock="UTC+2").points.equals(history(tmp_path, "mt5_html").points)


def test_a_report_without_positions_has_its_trades_put_together_from_deals(tmp_path):
    """The gold position leaves in halves: two trades, each with half of the entry's commission of 1.75."""
    path = statements.written(
        tmp_path, "netting.html", statements.mt5_html(positions=()).replace("Positions", "Nothing")
    )
    got = read(path, clock="UTC+2", known=instruments())
    assert [(row.instrument, row.lots, round(row.pnl, 3)) for row in got.trades.itertuples()] == [
        ("EURUSD", 1.0, 393.0), ("XAUUSD", 0.25, -0.875 - 0.75 - 4.5 - 500.0), ("XAUUSD", 0.25, -0.875 - 1.0),
    ]  # fmt: skip
    assert "first in, first out" in sentences(got)["matched"]


def test_a_metatrader_4_table_and_an_mql5_signal_are_read(tmp_path):
    assert history(tmp_path, "mt4_csv").points["balance"].tolist() == [10_000.0, 10_493.0, 10_493.0, 9483.5]
    signal = history(tmp_path, "mql5_signal_csv")
    assert signal.points["balance"].tolist() == [10_000.0, 10_000.0, 10_493.0, 10_539.5] and signal.points[
        "open"
    ].tolist() == [1, 2, 1, 0]


def test_myfxbook_writes_the_month_first_and_profit_net_of_costs(tmp_path):
    """0.20 lots of GBPUSD, 1.30377 to 1.30451: 0.00074 x 20,000 = 14.80; less 1.51 commission is the 13.29 that it writes."""
    got = history(tmp_path, "myfxbook_csv")
    trade = got.trades[got.trades["instrument"] == "GBPUSD"].iloc[0]
    assert (round(trade.pnl_gross, 2), trade.costs, trade.pnl) == (14.80, 1.51, 13.29)
    assert str(trade.entry_ts) == "2024-03-14 07:15:00+00:00" and len(got.trades) == 2 and got.initial == 10_000.0


def test_our_own_trades_keep_their_first_stops_and_utc(tmp_path):
    got = history(tmp_path, "tidemark_trades", initial=10_000.0)
    assert (
        got.clock == "UTC"
        and got.trades["stop_loss"].tolist() == [1.07, 1.10]
        and got.trades["pnl"].tolist() == [491.5, -103.5]
    )
    assert got.points["balance"].tolist() == [10_000.0, 10_491.5, 10_491.5, 10_388.0] and "stops" in got.knows


def test_our_own_curve_knows_its_equity(tmp_path):
    got = history(tmp_path, "tidemark_equity")
    assert (
        got.knows == ("balance", "equity", "equity_low")
        and got.path().floating
        and got.path().equity_low.tolist() == [99_900.0, 99_000.0, 100_100.0]
    )


def test_a_gap_in_a_curve_is_a_finding(tmp_path):
    rows = [f"2026-03-02T{hour:02d}:00:00Z,100000,100000" for hour in (*range(6), *range(14, 24))]
    got = read(statements.written(tmp_path, "equity.csv", "\n".join(["ts,balance,equity", *rows]) + "\n"), clock="UTC", initial=100_000.0, currency="USD")
    assert sentences(got)["gaps"].startswith("The equity has gaps, and what happened in them was not judged: no row between 2026-03-02T05:00:00Z and 2026-03-02T14:00:00Z")
    assert "gaps" not in sentences(history(tmp_path, "tidemark_equity"))


def sentences(got):
    return {finding.key: finding.sentence for finding in got.findings}


def refusal(folder, name, content, **more):
    with pytest.raises(BadRequest) as error:
        read(statements.written(folder, name, content), **(dict(clock="UTC+2") | more))
    assert str(error.value)[0] != " " and str(error.value).count("\n") == 0
    return str(error.value)


def test_a_report_in_another_language_says_what_to_do(tmp_path):
    russian = statements.mt5_html()
    for english, other in {
        "Trade History Report": "Отчет",
        "Positions": "Позиции",
        "Orders": "Ордера",
        "Deals": "Сделки",
        "Time": "Время",
        "Symbol": "Символ",
        "Type": "Тип",
        "Volume": "Объем",
        "Profit": "Прибыль",
    }.items():
        russian = russian.replace(english, other)
    sentence = refusal(tmp_path, "r.html", b"\xff\xfe" + russian.encode("utf-16-le"))
    assert "in another language" in sentence and "Время" in sentence and "English" in sentence
    half = statements.mt5_html().replace("<b>Time</b>", "<b>Heure</b>")
    assert "only reports in English can be read" in refusal(tmp_path, "h.html", half)
    german = statements.MT4_HTML.replace("Open Time", "Eröffnung")
    assert "only statements in English can be read" in refusal(tmp_path, "g.htm", german)


def test_a_workbook_is_refused_by_its_name(tmp_path):
    assert "save the report as HTML" in refusal(tmp_path, "ReportHistory.xlsx", b"PK\x03\x04 anything")


def test_a_tester_report_and_other_pages_are_refused(tmp_path):
    assert "strategy tester" in refusal(
        tmp_path, "t.html", statements.mt5_html().replace("Trade History Report", "Strategy Tester Report")
    )
    assert "a web page" in refusal(
        tmp_path, "p.html", "<!DOCTYPE html><html><body><table><tr><td>Hello</td></tr></table></body></html>"
    )
    assert "Known account histories" in refusal(tmp_path, "x.csv", "a,b\n1,2\n")
    assert "is empty" in refusal(tmp_path, "e.csv", b"")


@pytest.mark.parametrize(
    ("format", "before", "after", "words"),
    [
        ("mt4_html", "<td class=mspt>500.00</td>", "<td class=mspt>abc</td>", "its profit is 'abc', which is not a number"),
        ("mt4_html", "2024.03.06 03:50:15", "2024.02.30 03:50:15", "its close time is '2024.02.30 03:50:15', which is not a time"),
        ("mt4_html", "<td>balance</td><td colspan=10 align=left>Withdrawal", "<td>mystery</td><td colspan=10 align=left>Withdrawal", "its type is 'mystery'"),
        ("mt4_csv", "buy,1.00,eurusd", "buy,-1.00,eurusd", "its volume is '-1.00', which is not above zero"),
        ("mt4_csv", "2024.03.04 15:13:15", "2024.03.03 15:13:15", "closes before it opens"),
        ("myfxbook_csv", "03/13/2024 13:02", "13/03/2024 13:02", "some dates with the day first and others with the month first"),
        ("tidemark_equity", "2024-03-04T11:00:00Z", "2024-03-04T10:00:00Z", "its time is not after that of the row before"),
        ("tidemark_equity", "99500.0,99000.0", "nan,99000.0", "its equity is 'nan', which is not a number"),
        ("tidemark_equity", "99500.0,99000.0", "99500.0,99900.0", "equity_low is 99900, above the equity of 99500"),
        ("tidemark_trades", "1,a,EURUSD,long", "1,a,EURUSD,up", "its side is 'up', which is not long or short"),
        ("mql5_signal_csv", "Sell;0.50", "Sell;0,5", "one has a decimal point and the other a decimal comma"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_refused_with_its_place(format, before, after, words, tmp_path):
    name, content = statements.FILES[format]
    text = content.decode()
    assert before in text
    more = dict(clock=CLOCK[format], currency="USD", initial=10_000.0 if "trades" in format else None)
    assert words in refusal(tmp_path, name, text.replace(before, after, 1), **more)


def test_times_of_a_server_are_never_taken_for_utc(tmp_path):
    sentence = refusal(tmp_path, "s.htm", statements.MT4_HTML, clock="")
    assert "does not say which clock" in sentence and "mt5_us" in sentence
    assert "no clock named" in refusal(tmp_path, "s.htm", statements.MT4_HTML, clock="Europe/Pargue")
    assert "leave the clock out" in refusal(
        tmp_path, "equity.csv", statements.EQUITY_CSV, clock="mt5_us", currency="USD"
    )


def test_the_currency_is_the_files_or_given(tmp_path):
    assert "give it, such as USD" in refusal(tmp_path, "s.csv", statements.MT4_CSV)
    assert "leave the currency out" in refusal(tmp_path, "s.htm", statements.MT4_HTML, currency="EUR")
    assert "three letters" in refusal(tmp_path, "s.csv", statements.MT4_CSV, currency="dollars")
