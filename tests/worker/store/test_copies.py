"""What is read from a bucket is kept on this machine, and used only where it is what its name says."""

from __future__ import annotations

import os

import fsspec
import pandas as pd
import pytest

from worker.store.blobs import Blobs, WrongHash
from worker.store.copies import FRESH, Copies
from worker.store.frames import Frames, Lost
from worker.store.root import Root
from worker.trouble import BUCKET, sentence_of

URL = "memory://bucket/frames"
TABLE = pd.DataFrame({"close": [1.0, 2.0, 3.0]})


@pytest.fixture(autouse=True)
def bucket():
    yield fsspec.filesystem("memory")
    fsspec.filesystem("memory").store.clear()


def machine(folder) -> Frames:
    return Frames(URL, Copies(folder / "copies", 10_000_000))


def copies_of(folder) -> list:
    return [path for path in (folder / "copies").glob("*/*")]


def test_one_machine_reads_what_another_wrote_and_keeps_a_copy(tmp_path, bucket):
    name = machine(tmp_path / "one").put(TABLE)
    other = machine(tmp_path / "two")
    pd.testing.assert_frame_equal(other.get(name), TABLE)
    assert [path.name for path in copies_of(tmp_path / "two")] == [name]
    bucket.store.clear()
    pd.testing.assert_frame_equal(machine(tmp_path / "two").get(name), TABLE)
    assert other.fault(name) == "gone", "what is asked of the bucket is answered by the bucket"


def test_a_copy_that_was_altered_is_fetched_again(tmp_path):
    frames = machine(tmp_path)
    name = frames.put(TABLE)
    (copy,) = copies_of(tmp_path)
    TABLE.assign(close=9.0).to_parquet(copy)
    pd.testing.assert_frame_equal(machine(tmp_path).get(name), TABLE)
    copy.write_bytes(b"no table")
    pd.testing.assert_frame_equal(frames.get(name), TABLE)


@pytest.mark.parametrize(("what", "sentence"), [("altered", "was altered since it was written"), ("gone", "is no longer in the workspace")])
def test_a_frame_that_the_bucket_does_not_have_intact_is_refused_and_not_kept(tmp_path, bucket, what, sentence):
    name = machine(tmp_path / "one").put(TABLE)
    path = f"/bucket/frames/{name[:2]}/{name}.parquet"
    bucket.rm(path)
    if what == "altered":
        with bucket.open(path, "wb") as file:
            TABLE.assign(close=9.0).to_parquet(file)
    with pytest.raises(Lost, match=sentence):
        machine(tmp_path / "two").get(name)
    assert copies_of(tmp_path / "two") == []


def test_files_of_models_are_kept_and_verified_the_same_way(tmp_path, bucket):
    name = Blobs(URL).put(b"weights")
    blobs = Blobs(URL, Copies(tmp_path, 1_000))
    assert blobs.get(name) == b"weights"
    bucket.store.clear()
    assert blobs.get(name) == b"weights"
    next(tmp_path.glob("*/*")).write_bytes(b"altered")
    with pytest.raises(WrongHash, match="no longer in the workspace"):
        blobs.get(name)


def test_over_the_limit_the_copies_read_longest_ago_go_but_none_that_was_just_read(tmp_path):
    copies, source = Copies(tmp_path / "copies", 250), tmp_path / "source"
    source.write_bytes(bytes(100))
    for name in ("aa1", "bb2"):
        copies.keep(name, source)
    old = tmp_path / "copies" / "aa" / "aa1"
    os.utime(old, (old.stat().st_mtime - FRESH - 1,) * 2)
    for name in ("cc3", "dd4"):
        copies.keep(name, source)
    assert sorted(path.name for path in (tmp_path / "copies").glob("*/*")) == ["bb2", "cc3", "dd4"]


def test_a_bucket_that_does_not_answer_is_a_sentence_and_no_damage(tmp_path):
    """Nothing listens at that address."""
    root = Root.of("s3://bucket/frames", dict(AWS_ENDPOINT_URL_S3="http://127.0.0.1:1"))
    assert (root.path, root.local, root.flat) == ("bucket/frames", False, True)
    error = OSError("When reading information for key 'a' in bucket 'b': AWS Error NETWORK_CONNECTION during HeadObject operation: curlCode: 7, Couldn't connect to server")
    assert sentence_of(error).startswith(BUCKET.partition("{")[0])


def test_an_upload_that_breaks_off_leaves_nothing(tmp_path, bucket, monkeypatch):
    def broken(source, sink, length) -> None:
        sink.write(source.read(2))
        raise OSError("AWS Error NETWORK_CONNECTION")

    monkeypatch.setattr("worker.store.root.shutil.copyfileobj", broken)
    with pytest.raises(OSError, match="NETWORK"):
        machine(tmp_path).put(TABLE)
    assert not bucket.find("/bucket") and copies_of(tmp_path) == []


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_the_health_says_of_a_bucket_whether_it_answers(desk, bucket, monkeypatch):
    assert "Bucket" not in [part.part for part in desk.system.health()]
    monkeypatch.setattr(desk.jobs._context.store, "frames", Frames(URL))
    assert next(part for part in desk.system.health() if part.part == "Bucket").state == "well"
    monkeypatch.setattr(type(bucket), "exists", lambda *_: (_ for _ in ()).throw(OSError("AWS Error NETWORK_CONNECTION")))
    failed = next(part for part in desk.system.health() if part.part == "Bucket")
    assert failed.state == "failed" and "NETWORK_CONNECTION" in failed.note


@pytest.mark.skipif(not os.environ.get("TEST_BUCKET"), reason="names no S3 server: make check-bucket starts one")
def test_frames_and_files_in_a_bucket_of_a_real_server(tmp_path):
    url = f"{os.environ['TEST_BUCKET']}/{tmp_path.name}"
    frames, other = Frames(url, Copies(tmp_path / "one", 10_000_000)), Frames(url, Copies(tmp_path / "two", 10_000_000))
    name = frames.put(TABLE)
    pd.testing.assert_frame_equal(other.get(name), TABLE)
    pd.testing.assert_frame_equal(Frames(url).get(name), TABLE)
    assert other.fault(name) == "" and other.exists(name) and other.size(name) > 100 and other.fault("ab" * 32) == "gone"
    blob = Blobs(url).put(b"weights")
    assert Blobs(url, Copies(tmp_path / "two", 10_000_000)).get(blob) == b"weights" and Blobs(url).fault(blob) == ""
    file, size = frames.put_file([b"ts,close\n"], 100)
    with other.open_file(file, "bars.csv") as here:
        assert here.read_bytes() == b"ts,close\n" and size == other.incoming_bytes() == 9
    other.discard(file)
    assert other.incoming_bytes() == 0
    assert frames.sweep({name}, older_than=4e9) == 0 and frames.sweep((), older_than=4e9) == 1 and Blobs(url).sweep((), older_than=4e9) == 1
    with pytest.raises(Lost, match="no longer"):
        Frames(url).get(name)
