"""Every format of bars: recognised among all others, clean and dirty, and read to the value that its program wrote."""

from __future__ import annotations

import gzip
import zipfile
from contextlib import suppress
from pathlib import Path
from random import Random

import numpy as np
import pytest

from domain.errors import BadRequest
from domain.market import instrument, readers
from domain.market.readers.day_order import day_order
from domain.market.readers.files import head_of
from tests.domain.market.formats import PRICES, SAMPLES, Sample, history, put
from tests.domain.market.makers import texts

EURUSD = instrument("EURUSD")
OHLC = [float(price) for price in PRICES]


def read(path: Path, of: str = "EURUSD") -> readers.RawBars:
    return readers.read(path, readers.recognise(path).format, instrument(of))


def dirty(sample: Sample) -> str:
    """The same file as it comes: blank lines, a row that is no bar, separators at the end of each row, and CRLF."""
    lines = sample.text.splitlines()
    separator = max("\t;,", key=lines[-1].count)
    body = lines[sample.header :]
    return "\r\n".join(
        [
            "",
            *lines[: sample.header],
            "",
            body[0] + separator,
            "nonsense",
            *(line + separator for line in body[1:]),
            "",
            "",
        ]
    )


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample.name for sample in SAMPLES])
def test_each_format_is_recognised_by_its_reader_and_read_to_its_values(tmp_path, sample):
    path = put(tmp_path, sample.name, sample.text)
    seen, raw = readers.recognise(path), read(path)
    assert (seen.format, seen.instrument, seen.timeframe, seen.clock, seen.side) == (
        sample.format,
        sample.instrument,
        sample.timeframe,
        sample.clock,
        sample.side,
    )
    assert texts(raw.local_ns)[0] == sample.first and raw.malformed_count == 0 and len(raw) >= 5
    assert raw.open[-1] == OHLC[0] and (
        sample.format == "ticks" or [raw.high[-1], raw.low[-1], raw.close[-1]] == OHLC[1:]
    )
    assert (None if raw.spread is None else raw.spread[0]) == pytest.approx(sample.spread, abs=1e-12)
    assert (None if raw.volume is None else raw.volume[0]) == sample.volume


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample.name for sample in SAMPLES])
def test_each_format_is_known_to_one_reader_only_clean_and_dirty(tmp_path, sample):
    for text in (sample.text, dirty(sample)):
        path = put(tmp_path, sample.name, text)
        head = head_of(path, 10**6)
        claims = []
        for reader in readers.READERS.values():
            try:
                claims += [reader.key] if not reader.fallback and reader.recognise(head, sample.name) else []
            except BadRequest:
                continue
        assert (
            claims == ([] if sample.format == "csv" else [sample.format])
            and readers.recognise(path).format == sample.format
        )


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample.name for sample in SAMPLES])
def test_a_dirty_original_gives_the_same_bars_and_counts_its_broken_row(tmp_path, sample):
    clean, other = read(put(tmp_path, sample.name, sample.text)), read(put(tmp_path, sample.name, dirty(sample)))
    assert other.malformed_count == 1 and other.malformed[0].text.startswith("nonsense")
    for name in ("local_ns", "open", "high", "low", "close", "volume", "spread"):
        ours, theirs = getattr(clean, name), getattr(other, name)
        assert (ours is None) == (theirs is None) and (ours is None or ours.tolist() == theirs.tolist()), name


@pytest.mark.parametrize("version", [400, 401])
def test_metatrader_4_history_is_read_with_its_own_digits(tmp_path, version):
    for path in (
        put(tmp_path, "XAUUSD60.hst", history(version)),
        put(tmp_path, "a.hst.gz", gzip.compress(history(version))),
    ):
        seen, raw = readers.recognise(path), read(path, "XAUUSD")
        assert (seen.format, seen.instrument, seen.timeframe, seen.clock, seen.side) == (
            "hst",
            "XAUUSD",
            "H1",
            None,
            "bid",
        )
        assert (raw.open[0], raw.high[0], raw.low[0], raw.close[0], raw.volume[0]) == (
            2030.5,
            2031.75,
            2029.25,
            2030.0,
            99.0,
        )
        assert texts(raw.local_ns)[:2] == ["2024-01-08T01:00", "2024-01-08T02:00"] and len(raw) == 6
        assert raw.spread is None if version == 400 else raw.spread.tolist() == [0.25] * 6


def test_history_files_that_cannot_be_read_are_sentences(tmp_path):
    for name, content, sentence in (
        ("cut.hst", history(401)[:100], "cut off inside its header"), ("none.hst", history(401, bars=0), "has a header and no bars under it"),
        ("week.hst", history(401, period=10_080), "holds bars of 10,080 minutes; the timeframes are M1"),
    ):  # fmt: skip
        with pytest.raises(BadRequest, match=sentence):
            readers.recognise(put(tmp_path, name, content))
    torn = bytearray(history(401))
    torn[148 + 60 : 148 + 68] = b"\xff" * 8
    raw = read(put(tmp_path, "torn.hst", bytes(torn)), "XAUUSD")
    assert raw.line.tolist() == [1, 3, 4, 5, 6] and raw.malformed == (
        (2, "time -1", "its time is not between 1970 and 2200"),
    )
    raw = read(put(tmp_path, "x.hst", history(401) + b"half a record"), "XAUUSD")
    assert len(raw) == 6 and "13 bytes behind the last whole record" in raw.notes[0]


HEADER = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"


@pytest.mark.parametrize(
    ("price", "points", "spread"),
    [
        ("1.0945", 2, 0.0002),
        ("1.09451", 13, 0.00013),
        ("16800.25", 150, 1.5),
        ("2034.123", 250, 0.25),
        ("145.123", 12, 0.012),
        ("450", 2, 2.0),
    ],
)
@pytest.mark.parametrize("of", ["EURUSD", "XAUUSD", "USDJPY"])
def test_a_point_is_the_last_decimal_of_the_files_own_prices(tmp_path, of, price, points, spread):
    rows = "".join(
        f"2024.01.08\t{hour:02d}:00:00\t{price}\t{price}\t{price}\t{price}\t100\t0\t{points}\n" for hour in range(1, 5)
    )
    raw = read(put(tmp_path, "x.csv", HEADER + rows), of)
    assert raw.spread.tolist() == [spread] * 4


def test_decimals_are_those_of_the_whole_file_not_of_its_first_row(tmp_path):
    rows = "".join(f"{1704675600 + 3600 * at},1.1,1.1,1.1,{1.1 if at < 5 else 1.10007},100,13,0\n" for at in range(6))
    assert read(
        put(tmp_path, "x.csv", "time,open,high,low,close,tick_volume,spread,real_volume\n" + rows)
    ).spread == pytest.approx([0.00013] * 6)


def test_a_spread_that_is_not_whole_is_in_price_units_already(tmp_path):
    rows = "".join(f"{1704675600 + 3600 * at},1.1,1.10002,1.09998,1.10001,100,0.00013,0\n" for at in range(4))
    raw = read(put(tmp_path, "x.csv", "time,open,high,low,close,tick_volume,spread,real_volume\n" + rows))
    assert raw.spread.tolist() == [0.00013] * 4 and "not in whole points" in raw.notes[0]


def test_times_with_a_comma_and_ticks_with_one_side_carry_the_other_on(tmp_path):
    rows = [
        "2024.01.08\t00:00:01.100\t1.10000\t1.10010\t\t\t6",
        "2024.01.08\t00:00:02.100\t1.10004\t\t\t\t2",
        "2024.01.08\t00:00:59.100\t\t1.10008\t\t\t4",
        "2024.01.08\t00:01:00.000\t1.09990\t\t\t\t2",
    ]
    raw = read(put(tmp_path, "t.csv", "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\n" + "\n".join(rows)))
    assert (raw.open.tolist(), raw.high.tolist(), raw.low.tolist(), raw.close.tolist()) == (
        [1.1, 1.0999],
        [1.10004, 1.0999],
        [1.1, 1.0999],
        [1.10004, 1.0999],
    )
    assert raw.volume.tolist() == [3.0, 1.0] and raw.spread == pytest.approx(
        [(0.0001 + 0.00006 + 0.00004) / 3, 0.00018]
    )


def test_ticks_of_many_blocks_are_the_bars_of_one(tmp_path, monkeypatch):
    generator = np.random.default_rng(3)
    bids = np.round(1.1 + np.cumsum(generator.normal(0, 1e-5, 3000)), 5)
    lines = [
        f"20240108 {at // 3600:02d}{at // 60 % 60:02d}{at % 60:02d}{at % 1000:03d},{bid:.5f},{bid + 0.0001:.5f},0"
        for at, bid in enumerate(bids)
    ]
    path = put(tmp_path, "DAT_ASCII_EURUSD_T_202401.csv", "\n".join(lines))
    full = read(path)
    assert (
        len(full) == 50
        and full.open.tolist() == bids[::60].tolist()
        and full.close.tolist() == bids[59::60].tolist()
        and full.volume.tolist() == [60.0] * 50
    )
    assert full.high.tolist() == bids.reshape(50, 60).max(axis=1).tolist() and full.spread == pytest.approx(0.0001)
    monkeypatch.setattr("domain.market.readers.files.BLOCK", 4_096)
    pieces = read(path)
    reversed_ = read(put(tmp_path, "DAT_ASCII_EURUSD_T_202402.csv", "\n".join(lines[::-1])))
    for other in (pieces, reversed_):
        assert all(
            getattr(other, name).tolist() == getattr(full, name).tolist()
            for name in ("local_ns", "open", "high", "low", "close", "volume")
        )
        assert other.spread == pytest.approx(full.spread)


def test_a_file_with_its_newest_rows_first_is_turned_around_and_says_so(tmp_path):
    rows = [f"2024-01-08 {hour:02d}:00,1.1,1.2,1.0,1.{hour:02d}" for hour in range(20)]
    forwards, backwards = (
        read(put(tmp_path, f"{name}.csv", "ts,open,high,low,close\n" + "\n".join(part)))
        for name, part in (("a", rows), ("b", rows[::-1]))
    )
    assert readers.recognise(tmp_path / "b.csv").timeframe == "H1"
    assert (
        backwards.local_ns.tolist() == forwards.local_ns.tolist()
        and backwards.close.tolist() == forwards.close.tolist()
    )
    assert (
        backwards.line.tolist() == list(range(21, 1, -1))
        and "newest rows first" in backwards.notes[-1]
        and forwards.notes == ()
    )


@pytest.mark.parametrize(
    ("dates", "kind"),
    [
        ([(13, 1, 2024)], "DD.MM.YYYY"),
        ([(1, 13, 2024)], "MM/DD/YYYY"),
        ([(1, 2, 2024), (2, 2, 2024), (5, 2, 2024)], "DD.MM.YYYY"),
        ([(2, 1, 2024), (2, 2, 2024), (2, 5, 2024)], "MM/DD/YYYY"),
        ([(5, 2, 2024), (2, 2, 2024), (1, 2, 2024)], "DD.MM.YYYY"),
        ([(6, 7, 2024)], "MM/DD/YYYY"),  # 6 July 2024 is a Saturday
        ([(1, 2, 2024)], None),  # a Thursday, or a Tuesday
        ([(2, 2, 2024)], "DD.MM.YYYY"),  # the same day either way
        ([(13, 13, 2024)], None),
    ],
)
def test_the_dates_of_a_file_say_which_number_is_the_day(dates, kind):
    assert day_order(dates) == kind


def test_day_and_month_are_distinguished_by_the_whole_file_or_not_at_all(tmp_path):
    head = "ts,open,high,low,close\n"
    day = "".join(f"01/02/2024 {hour:02d}:{minute:02d},1.1,1.2,1.0,1.1\n" for hour in range(24) for minute in range(60))
    with pytest.raises(
        BadRequest, match=r"x\.csv writes dates as 01/02/2024, and nothing in it tells days from months"
    ):
        read(put(tmp_path, "x.csv", head + day))
    next_days = "".join(f"{first}/02/2024 10:00,1.1,1.2,1.0,1.1\n" for first in ("02", "05", "13"))
    raw = read(put(tmp_path, "y.csv", head + day + next_days))
    assert texts(raw.local_ns)[0] == "2024-02-01T00:00" and texts(raw.local_ns)[-1] == "2024-02-13T10:00"
    assert "read as DD.MM.YYYY" in readers.recognise(tmp_path / "y.csv").evidence
    raw = read(
        put(tmp_path, "z.csv", head + day + "01/03/2024 10:00,1.1,1.2,1.0,1.1\n01/04/2024 10:00,1.1,1.2,1.0,1.1\n")
    )
    assert texts(raw.local_ns)[-1] == "2024-01-04T10:00" and "dates are read as month, day, year" in raw.notes[0]
    dotted = read(put(tmp_path, "d.csv", head + "01.08.2024 10:00,1.1,1.2,1.0,1.1\n01.13.2024 10:00,1.1,1.2,1.0,1.1\n"))
    assert texts(dotted.local_ns) == ["2024-01-08T10:00", "2024-01-13T10:00"] and dotted.malformed_count == 0


def archive(path: Path, **members: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return path


def test_the_one_table_of_an_archive_is_read_whatever_is_packed_beside_it(tmp_path):
    table = next(sample for sample in SAMPLES if sample.name.startswith("DAT_ASCII_EURUSD_M1")).text
    official = archive(
        tmp_path / "HISTDATA.zip",
        **{
            "DAT_ASCII_EURUSD_M1_202401.csv": table,
            "DAT_ASCII_EURUSD_M1_202401.txt": "Gap of 90s found between 20240101170000",
        },
    )
    macos = archive(
        tmp_path / "Archive.zip",
        **{
            "EURUSD_bid.csv": "ts,open,high,low,close\n2024-01-08,1,2,0.5,1\n",
            "__MACOSX/._EURUSD_bid.csv": b"\0\5\x16\7",
            ".DS_Store": b"\0\0\0\1Bud1",
            "._x.csv": b"\0",
        },
    )
    assert (readers.recognise(official).format, readers.recognise(official).instrument, len(read(official))) == (
        "histdata",
        "EURUSD",
        6,
    )
    assert (readers.recognise(macos).side, readers.recognise(macos).instrument, len(read(macos))) == (
        "bid",
        "EURUSD",
        1,
    ), "the name inside counts"
    lean = archive(
        tmp_path / "20240108_quote.zip",
        **{
            "20240108_eurusd_minute_quote.csv": next(
                s for s in SAMPLES if s.name == "20240108_eurusd_minute_quote.csv"
            ).text
        },
    )
    assert readers.recognise(lean).instrument == "EURUSD" and texts(read(lean).local_ns)[0] == "2024-01-08T00:00"


def test_what_is_not_a_table_is_named_with_what_to_do(tmp_path):
    cases = {
        "book.xlsx": (archive(tmp_path / "book.xlsx", **{"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>"}), "is an Excel workbook; save it as CSV"),
        "old.xls": (put(tmp_path, "old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)), r"is an Excel workbook of the old kind \(\.xls\); save it as CSV"),
        "table.ods": (archive(tmp_path / "table.ods", **{"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<x/>"}), "is an OpenDocument spreadsheet; save it as CSV"),
        "two.zip": (archive(tmp_path / "two.zip", **{"a.csv": "x", "b.csv": "y"}), r"is an archive of 2 tables \(a\.csv, b\.csv\); unpack it"),
        "00h_ticks.bi5": (put(tmp_path, "00h_ticks.bi5", b"]\0\0\0\4" + bytes(100)), r"does not say of which day it is: only its folders do"),
        "one side.csv": (put(tmp_path, "one side.csv", "20240108 000003;1.306600;0\n20240108 000004;1.306700;0\n"), "ticks of one side; download its M1 bars"),
        "20240108_eurusd_tick_quote.csv": (put(tmp_path, "20240108_eurusd_tick_quote.csv", "8715,1.39101,1.39114\n15681,1.39102,1.39116\n"), "holds LEAN's tick data; the finest bars here are M1"),
        "tickers.csv": (put(tmp_path, "tickers.csv", "Price,Close,Close,High,High,Low,Low,Open,Open\nTicker,ES=F,NQ=F,ES=F,NQ=F,ES=F,NQ=F,ES=F,NQ=F\nDate,,,,,,,,\n2024-01-02,1,2,1,2,1,2,1,2\n"), "holds the bars of ES=F, NQ=F; save one ticker a file"),
    }  # fmt: skip
    for name, (path, sentence) in cases.items():
        with pytest.raises(BadRequest, match=sentence) as refused:
            readers.recognise(path)
        assert name in str(refused.value)


def test_the_list_of_known_formats_is_one_readable_line():
    assert (
        readers.known_formats().startswith("CSV with a header") and len(readers.known_formats()) < 330 and "HistData" in readers.known_formats()
    )


@pytest.mark.parametrize(
    "rubbish",
    [b"\xff\xfe\x00" * 20_000, b"\0" * 300_000, b'"' * 200_000, b"1,2,3,4,5\n" + b"\x80" * 500_000],
    ids=["bytes", "nul", "quotes", "long"],
)
def test_binary_rubbish_after_good_rows_is_counted_never_a_recursion(tmp_path, rubbish):
    good = "".join(f"2024-01-08 {hour:02d}:00,1.1,1.2,1.0,1.1\n" for hour in range(24))
    raw = read(put(tmp_path, "x.csv", f"ts,open,high,low,close\n{good}".encode() + rubbish))
    assert len(raw) == 24 and 1 <= raw.malformed_count <= 2


def test_short_lines_before_a_very_long_one_are_no_deep_recursion(tmp_path):
    good = "".join(f"2024-01-08 {at // 60:02d}:{at % 60:02d},1.1,1.2,1.0,1.1\n" for at in range(1440))
    raw = read(put(tmp_path, "x.csv", "ts,open,high,low,close\n" + good + "x" * 900_000))
    assert len(raw) == 1440 and raw.malformed_count == 1


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample.name for sample in SAMPLES])
def test_a_name_that_says_ask_is_never_overruled_by_what_its_format_usually_quotes(tmp_path, sample):
    seen = readers.recognise(put(tmp_path, sample.name.replace("BID", "").replace("Bid", "").replace("MID", "") + " ask.csv", sample.text))
    both = sample.format in ("ticks", "bid_ask") or "quote" in sample.name or sample.name == "eurusd.csv"
    assert seen.format == sample.format and seen.side == ("bid" if both else "ask"), "a file with both sides is read as bids and a spread"


def test_no_damaged_original_is_anything_but_bars_or_a_sentence(tmp_path):
    random = Random(5)
    originals = [(sample.name, sample.text.encode()) for sample in SAMPLES] + [
        ("a.hst", history(400)),
        ("b.hst", history(401)),
    ]
    odd = (b'"', b"\n", b",", b";", b"\r", b"\0", b"\xff", b"9" * 30, b'"' * 300, b"e999", b",,,,", b"\n" * 5)
    for _ in range(150):
        name, data = random.choice(originals)
        for _ in range(random.randint(1, 5)):
            at = random.randrange(len(data) + 1)
            data = random.choice(
                (
                    data[:at] + random.choice(odd) + data[at:],
                    data[:at] + data[at + random.randint(1, 30) :],
                    data[:at],
                    data[:at] + random.choice(originals)[1][:200] + data[at:],
                )
            )
        with suppress(BadRequest):
            read(put(tmp_path, name, data))
