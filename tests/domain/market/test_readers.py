from __future__ import annotations

import gzip
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import BadRequest, UnknownName
from domain.market import instrument, readers, ts_of
from domain.market.readers import stamps
from tests.domain.market.makers import H1, M1, fx_bars, ns, own_csv, texts

EURUSD = instrument("EURUSD")
HISTDATA = "20250302 170000;1.040320;1.040420;1.040290;1.040310;0\n20250302 170100;1.040280;1.040330;1.040240;1.040270;0\n"
TABBED = "DATE\tTIME\tOPEN\tHIGH\tLOW\tCLOSE\tTICKVOL\tVOL\tSPREAD\t"
MT5 = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n2023.06.19\t04:00:00\t1.10000\t1.20000\t1.00000\t1.15000\t1674\t0\t12\n2023.06.19\t05:00:00\t1.1\t1.2\t1.0\t1.1\t1062\t0\t2\n"
MT5_D1 = "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n2023.06.19\t1.1\t1.2\t1.0\t1.15\t1674\t0\t0\n2023.06.20\t1.1\t1.2\t1.0\t1.1\t1062\t0\t0\n"
COPY_RATES = "time,open,high,low,close,tick_volume,spread,real_volume\n1687147200,1.1,1.2,1.0,1.15,1674,2,0\n1687150800,1.1,1.2,1.0,1.1,1062,3,0\n"
CSV = "ts,open,high,low,close,volume,spread\n2024-07-10T10:00Z,1.1,1.2,1.0,1.15,5,0.0001\n2024-07-10T10:05Z,1.1,1.2,1.0,1.1,,\n"


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path, **limits) -> readers.RawBars:
    return readers.read(path, readers.recognise(path).format, EURUSD, **limits)


@pytest.mark.parametrize(
    ("name", "content", "result"),
    [
        ("DAT_ASCII_EURUSD_M1_202503.csv", HISTDATA, ("histdata", "EURUSD", "M1", "histdata", "bid")),
        ("GBPUSD_H1_broker.csv", MT5, ("mt5", "GBPUSD", "H1", None, "bid")),
        ("EURUSD_D1.csv", MT5_D1, ("mt5", "EURUSD", "D1", None, "bid")),
        ("rates.csv", COPY_RATES, ("mt5", None, "H1", None, "bid")),
        ("xau_usd ask.csv", CSV, ("csv", "XAUUSD", "M5", "UTC", "ask")),
        ("a.csv", "timestamp;open;high;low;close\n2024-01-01 00:00;1;2;0.5;1\n2024-01-01 00:15;1;2;0.5;1\n", ("csv", None, "M15", None, None)),
        ("b.csv", ",Open,High,Low,Close,Volume\n2017-04-19,1,2,0.5,1,0\n2017-04-20,1,2,0.5,1,0\n", ("csv", None, "D1", None, None)),
        ("c.csv", "time\topen\thigh\tlow\tclose\n1720605600000\t1\t2\t0.5\t1\n1720605900000\t1\t2\t0.5\t1\n", ("csv", None, "M5", "UTC", None)),
        ("CL=F_M30.csv", '"Date","Time","Open","High","Low","Close"\n2024.01.01,00:00,1,2,0.5,1\n', ("csv", "CL=F", "M30", None, None)),
    ],
)  # fmt: skip
def test_formats_are_recognised_with_what_can_be_guessed(tmp_path, name, content, result):
    seen = readers.recognise(put(tmp_path, name, content))
    assert (seen.format, seen.instrument, seen.timeframe, seen.clock, seen.side) == result
    assert "columns" in seen.evidence and "first row" in seen.evidence
    assert 1 <= len(seen.preview) <= 5 and all(isinstance(cell, str) for cell in seen.preview.to_numpy().ravel())


def test_importing_the_face_loads_no_library_for_files():
    seen = subprocess.run([sys.executable, "-c", "import domain.market, sys; print([m for m in ('pyarrow.csv', 'pyarrow.parquet', 'numba') if m in sys.modules])"], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "[]"


def test_histdata_is_read_on_its_wall_clock_and_without_its_empty_volume(tmp_path):
    raw = read(put(tmp_path, "DAT_ASCII_EURUSD_M1_202503.csv", HISTDATA))
    assert texts(raw.local_ns) == ["2025-03-02T17:00", "2025-03-02T17:01"] and raw.line.tolist() == [1, 2]
    assert raw.open.tolist() == [1.04032, 1.04028] and raw.volume is None and raw.clock == "histdata" and "writes 0 in every row" in raw.notes[0]


def test_metatrader_points_become_prices_and_zeros_unknown(tmp_path):
    raw = read(put(tmp_path, "x.csv", MT5))
    assert raw.spread == pytest.approx([0.00012, 0.00002]) and raw.volume.tolist() == [1674, 1062] and raw.clock is None
    assert readers.read(put(tmp_path, "y.csv", MT5), "mt5", instrument("USDJPY")).spread == pytest.approx([0.00012, 0.00002]), "a point is of the file's prices, not of a table"
    daily = read(put(tmp_path, "d.csv", MT5_D1))
    assert daily.spread is None and daily.notes == ("spread is 0 in every row: taken as not recorded",) and texts(daily.local_ns)[0] == "2023-06-19T00:00"


def test_metatrader_with_commas_and_without_brackets_is_the_same(tmp_path):
    plain = MT5.replace("<", "").replace(">", "")
    item = read(put(tmp_path, "a.csv", MT5))
    for name, content in (("b.csv", plain), ("c.csv", MT5.replace("\t", ",")), ("d.csv", plain.replace("\n", "\t\r\n"))):
        other = read(put(tmp_path, name, content))
        assert other.close.tolist() == item.close.tolist() and other.local_ns.tolist() == item.local_ns.tolist() and other.spread.tolist() == item.spread.tolist()


def test_epochs_of_metatraders_library_are_server_time(tmp_path):
    raw = read(put(tmp_path, "rates.csv", COPY_RATES))
    assert texts(raw.local_ns)[0] == "2023-06-19T04:00" and raw.clock is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("content", [HISTDATA, MT5, CSV])
def test_encodings_and_line_ends_do_not_matter(tmp_path, content, newline, encoding):
    plain = read(put(tmp_path, "plain.csv", content))
    other = read(put(tmp_path, "other.csv", content.replace("\n", newline).encode(encoding)))
    assert (plain.local_ns.tolist(), plain.close.tolist(), plain.line.tolist()) == (other.local_ns.tolist(), other.close.tolist(), other.line.tolist())


def test_archives_of_one_file_are_opened(tmp_path):
    path = put(tmp_path, "EURUSD.csv", HISTDATA)
    packed = put(tmp_path, "EURUSD.csv.gz", gzip.compress(HISTDATA.encode()))
    with zipfile.ZipFile(tmp_path / "EURUSD.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", "")
        archive.writestr("folder/EURUSD.csv", HISTDATA)
    for archived in (packed, tmp_path / "EURUSD.zip"):
        assert readers.recognise(archived).format == "histdata" and read(archived).close.tolist() == read(path).close.tolist()


def hostile(folder: Path) -> dict[str, Path]:
    with zipfile.ZipFile(folder / "two.zip", "w") as archive:
        archive.writestr("a.csv", HISTDATA)
        archive.writestr("b.csv", "report")
    with zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", HISTDATA * 100_000)
    cut = gzip.compress(HISTDATA.encode() * 1000)
    pd.DataFrame({"ts": ["x"], "open": [1.0]}).to_parquet(folder / "columns.parquet")
    good = fx_bars("2024-07-10", "2024-07-11")
    good.to_parquet(folder / "good.parquet")
    full = (folder / "good.parquet").read_bytes()
    return {
        "two.zip": folder / "two.zip",
        "bomb.zip": folder / "bomb.zip",
        "bomb.gz": put(folder, "bomb.gz", gzip.compress(HISTDATA.encode() * 100_000)),
        "nested.gz": put(folder, "nested.gz", gzip.compress(cut)),
        "cut.gz": put(folder, "cut.gz", cut[: len(cut) // 2]),
        "cut.zip": put(folder, "cut.zip", (folder / "two.zip").read_bytes()[:60]),
        "large.csv": put(folder, "large.csv", HISTDATA * 50_000),
        "many.csv": put(folder, "many.csv", HISTDATA * 2_000),
        "empty.csv": put(folder, "empty.csv", ""),
        "blank.csv": put(folder, "blank.csv", "\n\n\n"),
        "header.csv": put(folder, "header.csv", "ts,open,high,low,close\n"),
        "header.tsv": put(folder, "header.tsv", MT5.split("\n")[0] + "\n"),
        "page.csv": put(folder, "page.csv", "<!DOCTYPE html>\n<html><body>Sign in</body></html>"),
        "data.json": put(folder, "data.json", '{"ts": 1}'),
        "noise.csv": put(folder, "noise.csv", np.random.default_rng(1).bytes(10_000)),
        "pipes.csv": put(folder, "pipes.csv", CSV.replace(",", "|")),
        "commas.csv": put(folder, "commas.csv", "ts;open;high;low;close\n2024-01-01;1,1;1,2;1,0;1,1\n"),
        "all commas.csv": put(folder, "all commas.csv", "ts,open,high,low,close\n2024-01-01,1,1,1,2,1,0,1,1\n"),
        "times.csv": put(folder, "times.csv", "ts,open,high,low,close\n01/02/2024 10:00,1,2,0.5,1\n"),
        "words.csv": put(folder, "words.csv", "name,value\n2024-01-01,1\n"),
        "missing.csv": folder / "missing.csv",
        "endless.csv": put(folder, "endless.csv", CSV + "9" * 1_500_000),
        "columns.parquet": folder / "columns.parquet",
        "cut.parquet": put(folder, "cut.parquet", full[: len(full) // 2]),
        "scratched.parquet": put(folder, "scratched.parquet", full[:200] + bytes(400) + full[600:]),
        "garbage.csv": put(folder, "garbage.csv", b"ts,open,high,low,close\n" + b"\xff\x00\xfe,,,\n" * 30_000),
    }


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("two.zip", "two.zip is an archive of 2 tables (a.csv, b.csv); unpack it and import them one by one"),
        ("bomb.zip", "bomb.zip unpacks to more than 2 MB, which is the limit"),
        ("bomb.gz", "bomb.gz unpacks to more than 2 MB, which is the limit"),
        ("nested.gz", "nested.gz is an archive inside an archive; unpack it once"),
        ("cut.gz", "cut.gz is a damaged archive"),
        ("cut.zip", "cut.zip is a damaged or unusual zip archive"),
        ("large.csv", "large.csv is 5 MB; the limit is 2 MB; split it, or raise the limit in the settings"),
        ("many.csv", "many.csv has more than 3,000 rows, which is the limit"),
        ("empty.csv", "empty.csv is empty (0 bytes); export it again"),
        ("blank.csv", "blank.csv is blank: it holds nothing but empty lines. Known formats: CSV with a header"),
        ("header.csv", "header.csv has a header and no rows under it"),
        ("header.tsv", "header.tsv has a header and no rows under it"),
        ("page.csv", "page.csv is a web page (HTML), not data; download the file itself. Known formats: CSV with a header"),
        ("data.json", "data.json is JSON. Known formats"),
        ("noise.csv", "noise.csv is binary data. Known formats"),
        ("pipes.csv", "pipes.csv separates its columns with '|'; write them with a comma, a semicolon or a tab"),
        ("commas.csv", "commas.csv writes decimals with a comma (1,1); export it again with decimal points"),
        ("all commas.csv", "separates both columns and decimals with commas; export it again with decimal points"),
        ("times.csv", "times.csv writes dates as 01/02/2024, and nothing in it tells days from months"),
        ("words.csv", "words.csv is text of an unknown layout, beginning 'name,value'. Known formats"),
        ("missing.csv", "missing.csv cannot be opened: No such file or directory"),
        ("endless.csv", "endless.csv: line 4 is longer than 1 MB; this is no table of bars"),
        ("columns.parquet", "columns.parquet has no column high, low, close; it has ts, open, and bars need ts, open, high, low, close"),
        ("cut.parquet", "cut.parquet is a damaged Parquet file"),
        ("scratched.parquet", "scratched.parquet is a damaged Parquet file"),
        ("garbage.csv", "garbage.csv"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_a_sentence(tmp_path, name, sentence):
    path = hostile(tmp_path)[name]
    with pytest.raises(BadRequest) as refused:
        read(path, max_bytes=2_000_000, max_rows=3_000 if name == "many.csv" else 1_000_000)
    assert sentence in str(refused.value) and str(tmp_path) not in str(refused.value)


def test_an_unknown_format_is_given_the_nearest(tmp_path):
    with pytest.raises(UnknownName, match="no file format named 'mt6'; did you mean 'mt5'"):
        readers.read(put(tmp_path, "x.csv", CSV), "mt6", EURUSD)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2024-07-10T10:10Z,1.1,1.2,1.0", "4 values where 5 are expected"),
        ("2024-07-10T10:10Z,1.1,1.2,1.0,1.1,9", "6 values where 5 are expected"),
        ("2024-07-10T10:10Z,1.1,1.2,,1.1", "low is empty"),
        ("2024-07-10T10:10Z,1.1,abc,1.0,1.1", "high is 'abc', not a number"),
        ("2024-02-30T10:10Z,1.1,1.2,1.0,1.1", "day is out of range for month"),
        ("2024-07-10T25:10Z,1.1,1.2,1.0,1.1", "hour must be in 0..23"),
        ("yesterday,1.1,1.2,1.0,1.1", "'yesterday' is not a time written as ISO 8601"),
        ("2024-07-10T10:10,1.1,1.2,1.0,1.1", "its time has no zone and others have one"),
        ("2024-07-10T10:10Z,1.1,1.2,1.0,1.1\0", "holds a NUL byte"),
        ("0001-07-10T10:10Z,1.1,1.2,1.0,1.1", "the year 1 is not between 1900 and 2200"),
    ],
)
def test_a_malformed_line_is_counted_shown_and_never_skipped(tmp_path, line, reason):
    good = [f"2024-07-10T10:{minute:02d}Z,1.1,1.2,1.0,1.1" for minute in range(0, 50, 5)]
    raw = read(put(tmp_path, "x.csv", "\n".join(["ts,open,high,low,close", *good[:3], line, "", *good[3:]])))
    assert raw.malformed_count == 1 and raw.malformed[0] == (5, line, reason)
    assert len(raw) == 10 and raw.line.tolist() == [2, 3, 4, *range(7, 14)]


def test_blank_lines_before_and_under_the_header_do_no_harm(tmp_path):
    header, *rows = CSV.splitlines()
    raw = read(put(tmp_path, "x.csv", "\n".join(["", " ", header, "", *rows, "", ""])))
    assert raw.malformed_count == 0 and raw.line.tolist() == [5, 6]


def test_many_malformed_lines_are_all_counted_and_some_kept(tmp_path):
    bars = fx_bars("2024-07-08", "2024-07-12", M1)
    path = own_csv(tmp_path / "x.csv", bars)
    lines = path.read_text().splitlines()
    lines[1::9] = ["broken"] * len(lines[1::9])
    raw = read(put(tmp_path, "y.csv", "\n".join(lines)))
    assert raw.malformed_count == len(lines[1::9]) and len(raw.malformed) == 200 and len(raw) + raw.malformed_count == len(bars)


def test_a_file_of_nonsense_is_given_up(tmp_path):
    path = put(tmp_path, "x.csv", "ts,open,high,low,close\n2024-07-10T10:00Z,1,2,0.5,1\n" + "nonsense\n" * 12_000)
    with pytest.raises(BadRequest, match=r"x\.csv is no table of bars: 12,000 lines could not be read; the first is line 3: 1 values where 5 are expected"):
        read(path)


@settings(max_examples=40)
@given(rows=st.integers(1, 400), broken=st.sets(st.integers(0, 399), max_size=6), blank=st.sets(st.integers(0, 399), max_size=3), stamp=st.sampled_from(["%Y-%m-%dT%H:%M:%SZ", "%Y.%m.%d %H:%M", "%Y-%m-%d %H:%M:%S+02:00"]))
def test_the_fast_and_the_slow_way_read_the_same(tmp_path_factory, rows, broken, blank, stamp):
    """A broken line sends its surroundings the slow way: what is read around it must not change."""
    folder = tmp_path_factory.mktemp("read")
    bars = fx_bars("2024-07-08", "2024-07-12", M1).iloc[:rows]
    clean = own_csv(folder / "clean.csv", bars, stamp=stamp)
    lines = clean.read_text().splitlines()
    dirty = []
    for at, line in enumerate(lines):
        dirty += [""] * (at in blank and at > 0) + ["?,?"] * (at - 1 in broken) + [line]
    full, result = read(clean), read(put(folder, "dirty.csv", "\n".join(dirty)))
    assert result.malformed_count == sum(at < rows for at in broken) and result.clock == full.clock
    assert result.local_ns.tolist() == full.local_ns.tolist()
    for name in ("open", "high", "low", "close"):
        assert getattr(result, name).tolist() == getattr(full, name).tolist() == bars[name].tolist()
    assert [dirty[line - 1] for line in result.line] == lines[1:]


def test_blocks_join_without_losing_or_doubling_a_line(tmp_path, monkeypatch):
    bars = fx_bars("2024-07-08", "2024-07-11", M1)
    path = own_csv(tmp_path / "x.csv", bars)
    full = read(path)
    for size in (70_001, 4_096):
        monkeypatch.setattr("domain.market.readers.files.BLOCK", size)
        pieces = read(path)
        assert pieces.local_ns.tolist() == full.local_ns.tolist() == ts_of(bars).tolist() and pieces.line.tolist() == full.line.tolist()
        assert read(put(tmp_path, "u.csv", path.read_text().encode("utf-16"))).close.tolist() == full.close.tolist()


def test_a_clean_file_never_goes_the_slow_way(tmp_path, monkeypatch):
    monkeypatch.setattr("domain.market.readers.text._slow", None)
    for at, stamp in enumerate(("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S+02:00")):
        assert len(read(own_csv(tmp_path / f"{at}.csv", fx_bars("2024-07-08", "2024-07-12", M1), stamp=stamp))) == 5760
    for content in (HISTDATA, MT5, MT5_D1, COPY_RATES, CSV):
        assert len(read(put(tmp_path, "x.csv", content + "\n\n"))) == 2


def test_a_file_whose_later_half_has_zones_is_reported_line_by_line(tmp_path, monkeypatch):
    monkeypatch.setattr("domain.market.readers.files.BLOCK", 4_096)
    bars = fx_bars("2024-07-08", "2024-07-09", M1)
    halves = [own_csv(tmp_path / "x.csv", bars.iloc[part], stamp=stamp).read_text() for part, stamp in ((slice(0, 700), "%Y-%m-%dT%H:%M:%S"), (slice(700, None), "%Y-%m-%dT%H:%M:%SZ"))]
    raw = read(put(tmp_path, "y.csv", halves[0] + halves[1].partition("\n")[2]))
    assert len(raw) == 700 and raw.malformed_count == len(bars) - 700 and raw.malformed[0].reason == "its time has a zone and others have none"


@pytest.mark.parametrize("text", ["2023-02-29T10:00:00", "1900-02-29T10:00:00", "2024-04-31T10:00:00", "2024-13-01T10:00:00", "2024-00-01T10:00:00", "2024-01-00T10:00:00", "2024-01-01T24:00:00", "2024-01-01T10:60:00", "2024-01-01T10:00:60", "0999-01-01T10:00:00"])
def test_days_and_hours_that_do_not_exist_are_read_neither_way(text):
    assert stamps.parse_rows(np.frombuffer(text.encode(), np.uint8).reshape(1, -1), stamps.ISO) is None
    with pytest.raises(ValueError):
        stamps.parse_one(text, stamps.ISO)


def test_leap_days_exist_in_leap_years():
    for text in ("2024-02-29", "2000-02-29"):
        assert stamps.parse_rows(np.frombuffer(text.encode(), np.uint8).reshape(1, -1), stamps.ISO)[0].tolist() == [stamps.parse_one(text, stamps.ISO).ns] == [ns(text)]


@settings(max_examples=300)
@given(minutes=st.integers(-60 * 525_600, 200 * 525_600), written=st.sampled_from([(stamps.COMPACT, "%Y%m%d %H%M%S"), (stamps.ISO, "%Y-%m-%dT%H:%M:%S"), (stamps.ISO, "%Y.%m.%d %H:%M"), (stamps.ISO, "%Y-%m-%d"), (stamps.ISO, "%Y-%m-%dT%H:%M:%S.125-05:30"), (stamps.ISO, "%Y-%m-%d %H:%MZ"), (stamps.ISO, "%Y-%m-%dT%H:%M+0200")]))
def test_stamps_in_bulk_are_stamps_one_by_one(minutes, written):
    kind, form = written
    text = (pd.Timestamp("1970-01-01") + pd.Timedelta(minutes=minutes)).strftime(form)
    bulk = stamps.parse_rows(np.frombuffer(text.encode() * 3, np.uint8).reshape(3, -1), kind)
    single = stamps.parse_one(text, kind)
    assert bulk is not None and bulk[0].tolist() == [single.ns] * 3 and bulk[1] == single.aware


@settings(max_examples=200)
@given(text=st.text(alphabet="0123456789-:TZ. +", min_size=10, max_size=25), kind=st.sampled_from([stamps.COMPACT, stamps.ISO]))
def test_no_odd_stamp_is_read_in_bulk_that_is_refused_alone(text, kind):
    bulk = stamps.parse_rows(np.frombuffer(text.encode(), np.uint8).reshape(1, -1), kind)
    if bulk is not None:
        assert stamps.parse_one(text, kind) == (int(bulk[0][0]), bulk[1])


def test_parquet_of_any_time_unit_zone_and_float_is_read(tmp_path):
    bars = fx_bars("2024-07-10", "2024-07-11", H1)
    for unit, zone in (("s", "UTC"), ("us", None), ("ns", "America/New_York")):
        ts = bars["ts"].dt.as_unit(unit)
        ts = ts.dt.tz_convert(zone) if zone else ts.dt.tz_localize(None)
        path = tmp_path / f"EURUSD-{unit}.parquet"
        bars.assign(ts=ts, close=bars["close"].astype("float32"), regime="calm").to_parquet(path)
        result, raw = readers.recognise(path), read(path)
        assert (result.format, result.timeframe, result.clock, raw.clock) == ("parquet", "H1", "UTC" if zone else None, "UTC" if zone else None)
        assert "(not read: regime)" in result.evidence and raw.local_ns.tolist() == ts_of(bars).tolist() and raw.volume is None


def test_parquet_keeps_to_its_limits(tmp_path):
    fx_bars("2024-07-01", "2024-07-30", M1).to_parquet(tmp_path / "x.parquet")
    for limits, sentence in (({"max_rows": 1000}, "rows; the limit is 1,000"), ({"max_bytes": 900_000}, "the limit is 900 KB")):
        with pytest.raises(BadRequest, match=sentence):
            read(tmp_path / "x.parquet", **limits)


def test_progress_is_reported_often_and_rises_to_the_end(tmp_path):
    bars = fx_bars("2024-01-01", "2024-06-01", M1)
    path = own_csv(tmp_path / "x.csv", bars)
    reported: list[tuple[float, float, str]] = []
    begun = time.process_time()
    readers.read(path, "csv", EURUSD, lambda share, note: reported.append((time.process_time() - begun, share, note)))
    assert reported[-1][1] == 1.0 and reported[-1][2] == f"{len(bars):,} rows read" and [t[1] for t in reported] == sorted(t[1] for t in reported)
    assert max(np.diff([0.0, *(t[0] for t in reported)])) < 1.5


def test_values_are_read_to_the_last_bit(tmp_path):
    odd = ["0.1", "1.1000000000000001", "1e-5", "123456789.123456789", "2.2250738585072014e-308", "-37.63", "nan", "inf"]
    rows = "\n".join(f"2024-07-10T10:{at:02d}Z,{value},1,1,1" for at, value in enumerate(odd))
    raw = read(put(tmp_path, "x.csv", "ts,open,high,low,close\n" + rows))
    assert [repr(v) for v in raw.open.tolist()] == [repr(float(v)) for v in odd]
    assert raw.local_ns[0] == ns("2024-07-10T10:00")
