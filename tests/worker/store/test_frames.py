"""Frames named by the hash of their content, in a folder or a bucket."""

from __future__ import annotations

import hashlib
import io
import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from worker.store.copies import Copies
from worker.store.frames import DAY, Frames, Lost, called, content_hash

START = datetime(2024, 1, 1, tzinfo=UTC)


def frame(rows: int = 100) -> pd.DataFrame:
    at = np.random.default_rng(7)
    words = np.array(["long", "short", "", "=1+1", "é𝄞"], dtype=object)
    return pd.DataFrame(
        {
            "ts": pd.date_range(START, periods=rows, freq="5min").as_unit("us"),
            "close": np.where(at.random(rows) < 0.1, np.nan, at.normal(size=rows)),
            "side": words[at.integers(0, 5, rows)],
            "count": at.integers(-5, 5, rows),
            "open": at.random(rows) < 0.5,
        }
    )


@pytest.fixture(params=["folder", "bucket", "bucket with copies here"])
def frames(request, tmp_path):
    copies = Copies(tmp_path / "copies", 10_000_000) if "copies" in request.param else None
    yield Frames(str(tmp_path / "frames") if request.param == "folder" else "memory://bucket/frames", copies)
    fsspec.filesystem("memory").store.clear()


def files(frames: Frames) -> list[str]:
    return sorted(name.rpartition("/")[2] for name in frames._fs.find(frames._root)) if frames._fs.exists(frames._root) else []


def test_a_frame_reads_back_as_it_was_put(frames):
    name = frames.put(frame())
    pd.testing.assert_frame_equal(frames.get(name), frame(), check_dtype=False)
    assert frames.exists(name) and frames.size(name) > 500 and not frames.exists("ab" * 32)


def test_the_name_is_the_hash_of_the_content_and_stays_it(frames):
    name = frames.put(frame())
    assert name == content_hash(frame()) == content_hash(frames.get(name)) == frames.put(frames.get(name))
    assert files(frames) == [f"{name}.parquet"]


PARQUET = [dict(), dict(compression=None), dict(compression="gzip", row_group_size=7), dict(use_dictionary=False), dict(version="1.0", coerce_timestamps="us"), dict(data_page_version="2.0")]


@pytest.mark.parametrize("how", PARQUET)
def test_the_hash_does_not_depend_on_how_parquet_was_written(how):
    sink = io.BytesIO()
    frame().to_parquet(sink, index=False, **how)
    assert content_hash(pd.read_parquet(sink)) == content_hash(frame())


SAME = {
    "time unit": lambda f: f.assign(ts=f["ts"].dt.as_unit("ns")),
    "time zone of the same moments": lambda f: f.assign(ts=f["ts"].dt.tz_convert("Asia/Tokyo")),
    "words as categories": lambda f: f.assign(side=f["side"].astype("category")),
    "words as objects": lambda f: f.assign(side=f["side"].astype(object)),
    "narrow whole numbers": lambda f: f.assign(count=f["count"].astype("int8")),
    "another index": lambda f: f.set_axis(range(50, 150)),
    "zero with a sign": lambda f: f.assign(close=f["close"].where(f["close"] != f["close"].iloc[3], f["close"].iloc[3] + -0.0)),
}
OTHER = {
    "one value": lambda f: f.assign(close=f["close"].where(f.index != 3, 9.0)),
    "a value instead of none": lambda f: f.assign(close=f["close"].fillna(0.0)),
    "the next float": lambda f: f.assign(close=np.nextafter(f["close"], 9)),
    "another moment": lambda f: f.assign(ts=f["ts"] + pd.Timedelta(1, "us")),
    "rows in another order": lambda f: f.iloc[::-1],
    "fewer rows": lambda f: f.iloc[:-1],
    "another name": lambda f: f.rename(columns={"close": "last"}),
    "columns in another order": lambda f: f[f.columns[::-1]],
    "another word": lambda f: f.assign(side=f["side"].where(f.index != 3, "flat")),
    "no word instead of an empty one": lambda f: f.assign(side=f["side"].where(f["side"] != "", None)),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_the_same_content_has_the_same_hash(change):
    assert content_hash(change(frame())) == content_hash(frame())


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER)
def test_other_content_has_another_hash(change):
    assert content_hash(change(frame())) != content_hash(frame())


def test_no_two_lists_of_words_have_one_hash():
    """Not even where a file brought zero bytes and quotes along."""
    lists = [["a\0b"], ["a", "b"], ["a", "b", ""], ["a\0b", "c"], ["a", "b\0c"], ['a","b'], [""], [None], [], ["a, b"], ["None"], ["nan"]]
    assert len({content_hash(pd.DataFrame({"words": pd.Series(words, dtype=object)})) for words in lists}) == len(lists)


@pytest.mark.parametrize("columns", [None, ["ts", "close"], ["close"]])
@pytest.mark.parametrize(("first", "last"), [(0, 100), (13, 57), (57, 57), (90, 500), (-10, 5), (200, 300)])
def test_a_span_holds_its_start_and_not_its_end(frames, monkeypatch, first, last, columns):
    monkeypatch.setattr("worker.store.frames.ROW_GROUP", 16)
    complete, (start, end) = frame(), (START + timedelta(minutes=5 * edge) for edge in (first, last))
    wanted = complete[(complete["ts"] >= start) & (complete["ts"] < end)].reset_index(drop=True)
    got = frames.get(frames.put(complete), columns, start, end)
    pd.testing.assert_frame_equal(got, wanted[columns] if columns else wanted, check_dtype=False)


def test_one_edge_is_enough(frames):
    name = frames.put(frame())
    assert len(frames.get(name, start=START + timedelta(minutes=5 * 90))) == 10 and len(frames.get(name, end=START + timedelta(minutes=5 * 90))) == 90


def test_many_may_put_the_same_frame_at_once(frames):
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(lambda _: frames.put(frame()), range(24)))
    assert len(names) == 1 and files(frames) == [f"{names.pop()}.parquet"]


def test_a_write_that_fails_leaves_no_half_frame(frames, monkeypatch):
    def broken(self, sink, **how):
        sink.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", broken)
    with pytest.raises(OSError, match="disk full"):
        frames.put(frame())
    assert not frames.exists(content_hash(frame()))


# -- files that people bring


def test_a_file_is_stored_under_the_hash_of_its_bytes(frames):
    name, size = frames.put_file([b"a,b\n", b"1,2\n"], most=8)
    assert (name, size) == (hashlib.sha256(b"a,b\n1,2\n").hexdigest(), 8) and frames.put_file([b"a,b\n1,2\n"], most=8) == (name, 8)
    with frames.open_file(name, "EURUSD.csv") as path:
        assert path.name == "EURUSD.csv" and path.read_bytes() == b"a,b\n1,2\n"
    assert not path.exists() and files(frames) == [f"{name}.bin"]


def test_a_file_that_is_too_large_is_refused_and_nothing_is_left(frames):
    taken = []

    def parts():
        for _ in range(1_000):
            taken.append(1)
            yield bytes(1_000_000)

    with pytest.raises(BadRequest, match="larger than 3 MB, the most that may be imported; split it, or raise"):
        frames.put_file(parts(), most=3_000_000)
    assert len(taken) == 4 and files(frames) == [], "and not read to its end"


def test_an_upload_that_breaks_off_leaves_nothing(frames):
    def parts():
        yield b"half"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        frames.put_file(parts(), most=100)
    assert files(frames) == []


def test_a_file_that_is_gone_is_reported_in_a_sentence(frames):
    with pytest.raises(BadRequest, match=r"the file EURUSD.csv is no longer here: .* Choose it again"), frames.open_file("ab" * 32, "EURUSD.csv"):
        pass


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", ".", "", "/", "a\0b.csv", "x" * 500 + ".csv", "\udcff.csv", "a/b\\..\\c.csv", "con:x.csv", "\n\r\t.csv", "𝄞" * 100 + ".csv"])
def test_whatever_a_file_is_called_it_lies_in_our_folder(frames, name):
    file, _ = frames.put_file([b"x"], most=8)
    with frames.open_file(file, name) as path:
        assert path.read_bytes() == b"x" and path.name == called(name) and path.parent.name.startswith("tidemark-")
        assert Path(name).suffix not in (".csv",) or path.name.endswith(".csv")


# -- sweeping


def age(frames: Frames, name: str, seconds: float) -> None:
    path = next(path for path in frames._fs.find(frames._root) if name in path)
    if frames._local:
        os.utime(path, (time.time() - seconds,) * 2)
    else:
        frames._fs.store[path].created = datetime.now(UTC) - timedelta(seconds=seconds)


def test_a_sweep_keeps_what_is_named_and_what_is_young(frames):
    named, young, old = (frames.put(frame(rows)) for rows in (10, 20, 30))
    for name in (named, old):
        age(frames, name, 7_200)
    assert frames.sweep([named], older_than=time.time() - 3_600) == 1
    assert files(frames) == sorted(f"{name}.parquet" for name in (named, young))


def test_a_sweep_leaves_a_file_a_day_to_be_imported(frames):
    today, yesterday = (frames.put_file([text], most=8)[0] for text in (b"today", b"before"))
    age(frames, today, DAY - 60)
    age(frames, yesterday, DAY + 7_200)
    assert frames.sweep([], older_than=time.time()) == 1 and files(frames) == [f"{today}.bin"]


def test_a_frame_that_is_put_again_is_young_again(frames):
    """A job that found its frame there already must still find it when it commits."""
    name = frames.put(frame())
    age(frames, name, 7_200)
    frames.put(frame())
    assert frames.sweep([], older_than=time.time() - 3_600) == 0


def test_a_sweep_of_nothing_is_nothing(tmp_path):
    assert Frames(str(tmp_path / "nowhere")).sweep([], time.time()) == 0 and Frames(str(tmp_path / "nowhere")).free() is None


# -- a frame that is lost or altered


def damage_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)


def put_another(path: Path) -> None:
    frame(101).to_parquet(path, index=False)


DAMAGE = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-40]), "emptied": lambda path: path.write_bytes(b""), "no parquet": lambda path: path.write_text("something else"),
    "a byte": damage_a_byte, "another frame": put_another, "gone": Path.unlink,
}  # fmt: skip


@pytest.mark.parametrize("read_before", [False, True], ids=["first read", "read before"])
@pytest.mark.parametrize("how", DAMAGE)
def test_a_frame_that_is_lost_or_altered_is_noticed_and_put_right(tmp_path, how, read_before):
    frames = Frames(str(tmp_path))
    name = frames.put(frame())
    frames = frames if read_before else Frames(str(tmp_path))
    path = tmp_path / name[:2] / f"{name}.parquet"
    assert not read_before or len(frames.get(name))
    DAMAGE[how](path)
    for columns in (None, ["close"]):
        with pytest.raises(Lost, match=rf"A stored table \({name[:8]}\) .*(no longer|altered).* Run the same again, or import the same file again"):
            frames.get(name, columns)
    assert frames.fault(name) == ("gone" if how == "gone" else "altered")
    assert frames.put(frame()) == name and not frames.fault(name)
    pd.testing.assert_frame_equal(frames.get(name), frame(), check_dtype=False)


def test_a_whole_frame_is_hashed_once(frames, monkeypatch):
    name = frames.put(frame())
    other = Frames(frames.url)
    other.get(name)
    monkeypatch.setattr("worker.store.frames._bytes", None)
    assert len(other.get(name, ["close"])) == len(frames.get(name)) == 100


def test_a_large_frame_is_hashed_column_by_column(frames, monkeypatch):
    monkeypatch.setattr("worker.store.intact.LARGE", 10)
    name = frames.put(frame())
    assert Frames(frames.url).fault(name) == "" and Frames(frames.url).fault("ab" * 32) == "gone"
