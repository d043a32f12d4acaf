"""Dukascopy's ticks (.bi5): an hour, a folder and a .zip made into bars, and what is wrong with them."""

from __future__ import annotations

import lzma
import os
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from domain.market import instrument, readers
from domain.market.timeframe import Timeframe
from tests.domain.market.bi5 import hour, put_hour
from tests.domain.market.makers import texts

EURUSD = instrument("EURUSD")
FIVE = "EURUSD/2018/06/05/05h_ticks.bi5"                       # 5 July
TICKS = [(1_000, 116_568, 116_573), (30_000, 116_571, 116_573), (59_999, 116_560, 116_564), (60_000, 116_570, 116_571), (299_000, 116_580, 116_590), (300_000, 116_500, 116_501)]


def read(path: Path, timeframe: str = "M1", of: str = "EURUSD") -> readers.RawBars:
    return readers.read(path, readers.recognise(path).format, instrument(of), timeframe=Timeframe.named(timeframe))


def zipped(tmp_path: Path, files: dict[str, bytes], name: str = "ticks.zip") -> Path:
    path = tmp_path / name
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in files.items():
            archive.writestr(member, data)
    return path


def test_ticks_become_bars_of_the_bid_with_their_number_and_mean_spread(tmp_path):
    path = put_hour(tmp_path, FIVE, TICKS)
    seen = readers.recognise(path)
    assert (seen.format, seen.instrument, seen.timeframe, seen.clock, seen.side) == ("bi5", "EURUSD", "M1", "UTC", "bid")
    raw = read(path, "M5")
    assert texts(raw.local_ns) == ["2018-07-05T05:00", "2018-07-05T05:05"] and raw.clock == "UTC"
    assert [raw.open[0], raw.high[0], raw.low[0], raw.close[0]] == [1.16568, 1.1658, 1.1656, 1.1658]
    assert raw.volume.tolist() == [5.0, 1.0]
    assert raw.spread.tolist() == pytest.approx([(5 + 2 + 4 + 1 + 10) / 5 * 1e-5, 1e-5], abs=1e-12)        # over ticks, not over minutes
    assert texts(read(path).local_ns) == ["2018-07-05T05:00", "2018-07-05T05:01", "2018-07-05T05:04", "2018-07-05T05:05"]
    assert raw.notes[0].startswith("6 ticks made into 2 M5 bars of the bid")


def test_days_begin_with_the_trading_day(tmp_path):
    for name in ("EURUSD/2018/06/05/20h_ticks.bi5", "EURUSD/2018/06/05/21h_ticks.bi5"):
        put_hour(tmp_path, name, TICKS)
    assert texts(read(tmp_path / "EURUSD", "D1").local_ns) == ["2018-07-04T21:00", "2018-07-05T21:00"]         # 17:00 in New York
    assert texts(read(tmp_path / "EURUSD", "H4").local_ns) == ["2018-07-05T17:00", "2018-07-05T21:00"]


def test_a_yen_pair_has_points_of_a_thousandth(tmp_path):
    path = put_hour(tmp_path, "GBPJPY/2012/11/03/00h_ticks.bi5", [(0, 132_133, 132_150)])
    raw = read(path, of="GBPJPY")
    assert (texts(raw.local_ns), raw.close[0], raw.spread[0]) == (["2012-12-03T00:00"], 132.133, pytest.approx(0.017, abs=1e-12))


def test_a_folder_and_its_zip_are_the_same_bars(tmp_path):
    hours = {"EURUSD/2018/11/31/23h_ticks.bi5": TICKS, "EURUSD/2019/00/01/00h_ticks.bi5": TICKS, "EURUSD/2019/00/01/01h_ticks.bi5": []}
    for name, ticks in hours.items():
        put_hour(tmp_path, name, ticks)
    archive = zipped(tmp_path, {f"data/{name}": hour(ticks) for name, ticks in hours.items()} | {"data/README.txt": b"x"})
    folder, packed = read(tmp_path / "EURUSD"), read(archive)
    assert texts(folder.local_ns)[0] == "2018-12-31T23:00" and texts(folder.local_ns)[-1] == "2019-01-01T00:05" and folder.malformed_count == 0
    assert all(np.array_equal(getattr(folder, name), getattr(packed, name)) for name in ("local_ns", "open", "high", "low", "close", "volume", "spread", "line"))
    assert "1 of 3 hours are empty" in folder.notes[1] and "2019-01-01T01:00Z" in folder.notes[1]
    assert readers.recognise(archive).instrument == "EURUSD" and "3 hours, 2018-12-31T23:00Z to 2019-01-01T01:00Z" in readers.recognise(tmp_path / "EURUSD").evidence
    mac = {"EURUSD/.DS_Store": b"x", "__MACOSX/EURUSD/2018/06/05/._05h_ticks.bi5": b"x", "EURUSD\\2018\\06\\05\\05h_ticks.bi5": hour(TICKS)}
    assert len(read(zipped(tmp_path, mac, "of two systems.zip"))) == 4
    part = zipped(tmp_path, {"2018/06/05/05h_ticks.bi5": hour(TICKS)}, "EURUSD.zip")        # packed inside the symbol's folder
    assert readers.recognise(part).instrument == "EURUSD" and len(read(part)) == 4


def test_a_damaged_hour_is_a_row_that_cannot_be_read(tmp_path):
    put_hour(tmp_path, FIVE, TICKS)
    for name, data in {"06": hour(TICKS)[:-9], "07": b"\xff" * 40, "08": hour([(3_600_000, 1, 2)]), "09": hour([(5, 1, 2), (4, 1, 2)]), "10": hour([(5, 0, 2)]), "11": lzma.compress(b"x" * 21, lzma.FORMAT_ALONE)}.items():
        (tmp_path / f"EURUSD/2018/06/05/{name}h_ticks.bi5").write_bytes(data)
    raw = read(tmp_path / "EURUSD")
    assert len(raw) == 4 and raw.malformed_count == 6
    assert {bad.reason for bad in raw.malformed} == {
        "it breaks off", "it is no LZMA file, or is damaged", "its ticks are not in the order of one hour", "it holds a price of 0", "its 21 bytes are no whole number of ticks of 20 bytes",
    }  # fmt: skip


def test_a_small_file_that_would_unpack_to_a_large_one_is_not_unpacked(tmp_path):
    path = put_hour(tmp_path, FIVE, TICKS)
    path.write_bytes(lzma.compress(bytes(11_000_000), lzma.FORMAT_ALONE))
    with pytest.raises(BadRequest, match="it unpacks to more than 10,000,000 bytes"):
        read(path)


@pytest.mark.parametrize(
    ("name", "ticks", "sentence"),
    [
        ("05h_ticks.bi5", TICKS, "05h_ticks.bi5 does not say of which day it is: only its folders do"),
        ("EURUSD/2018/12/05/05h_ticks.bi5", TICKS, "Dukascopy counts months from 00 to 11"),
        ("EURUSD/2018/01/30/05h_ticks.bi5", TICKS, "no hour of the calendar: months count from 00, so 01 is month 2"),
        ("EURUSD/2018/06/05/24h_ticks.bi5", TICKS, "no hour of the calendar"),
        ("EURUSD/2018/06/05/BID_candles_min_1.bi5", TICKS, "a .bi5 file that is no hour of ticks by its name"),
        (FIVE, [], "Dukascopy quoted nothing in that hour"),
    ],
)
def test_an_hour_that_is_none_is_refused_with_a_sentence(tmp_path, name, ticks, sentence):
    with pytest.raises(BadRequest, match=sentence):
        readers.recognise(put_hour(tmp_path, name, ticks))


def test_two_symbols_an_hour_twice_and_a_folder_of_nothing_are_refused(tmp_path):
    put_hour(tmp_path, FIVE, TICKS)
    put_hour(tmp_path, "GBPUSD/2018/06/05/05h_ticks.bi5", TICKS)
    (tmp_path / "empty").mkdir()
    for path, sentence in {
        tmp_path: "holds the ticks of EURUSD, GBPUSD; import the folder of one symbol at a time",
        zipped(tmp_path, {f"a/{FIVE}": hour(TICKS), f"b/{FIVE}": hour(TICKS)}): "has two files of one hour",
        tmp_path / "empty": "holds no .bi5 file; hours of ticks are laid out as SYMBOL/YYYY/MM/DD/HHh_ticks.bi5, months from 00",
    }.items():
        with pytest.raises(BadRequest, match=sentence):
            readers.recognise(path)
    with pytest.raises(BadRequest, match="import it year by year"):
        readers.recognise(tmp_path / "EURUSD", max_bytes=50)


def test_links_out_of_a_folder_are_not_followed(tmp_path):
    put_hour(tmp_path, FIVE, TICKS)
    put_hour(tmp_path, "elsewhere/2018/06/05/06h_ticks.bi5", TICKS)
    os.symlink(tmp_path / "elsewhere/2018/06/05/06h_ticks.bi5", tmp_path / "EURUSD/2018/06/05/06h_ticks.bi5")
    os.symlink(tmp_path / "elsewhere/2018/06/05", tmp_path / "EURUSD/2018/06/06")
    assert len(read(tmp_path / "EURUSD")) == 4


@pytest.mark.data
@pytest.mark.skipif(not os.environ.get("TIDEMARK_DATA"), reason="TIDEMARK_DATA names no folder of real data")
@pytest.mark.parametrize("timeframe", ["M5", "M15", "M30", "H1"])
def test_a_real_hour_equals_the_bars_that_another_program_made_of_it(timeframe):
    folder = Path(os.environ["TIDEMARK_DATA"]) / "native/bi5/limemojito/EURUSD/2018/06/05"
    raw, theirs = read(folder / "05h_ticks.bi5", timeframe), pd.read_csv(folder / f"05h_{timeframe}_bars.csv")
    assert raw.local_ns.tolist() == pd.to_datetime(theirs["Epoch Time (UTC)"]).astype("datetime64[ns]").astype("int64").tolist()
    assert all((getattr(raw, name) == (theirs[name.title()] / 1e5).to_numpy()).all() for name in ("open", "high", "low", "close"))
    ticks = pd.read_csv(folder / "05h_ticks.csv")
    bucket = pd.to_datetime(ticks["Epoch Time (UTC)"], format="ISO8601").dt.floor(f"{Timeframe.named(timeframe).minutes}min")
    grouped = (ticks["Ask"] - ticks["Bid"]).groupby(bucket)
    assert raw.volume.tolist() == grouped.size().tolist() and raw.spread == pytest.approx((grouped.mean() / 1e5).to_numpy(), abs=1e-10)
    own = read(folder / f"05h_{timeframe}_bars.csv", timeframe)
    assert np.array_equal(own.close, raw.close) and np.array_equal(own.local_ns, raw.local_ns)
