"""Files are named by their content, and what is not as its name says is not used."""

from __future__ import annotations

import hashlib
import time

import pandas as pd
import pytest

from worker.store.blobs import Blobs, WrongHash
from worker.store.frames import Frames


@pytest.fixture(params=["folder", "bucket"])
def url(request, tmp_path) -> str:
    return str(tmp_path / "frames") if request.param == "folder" else f"memory://{tmp_path.name}"


def path_of(blobs: Blobs, name: str) -> str:
    return f"{blobs._root}/{name[:2]}/{name}"


def test_a_file_is_named_by_its_sha256_and_comes_back(url):
    blobs = Blobs(url)
    names = blobs.put_all({"b.txt": b"tree", "a.bin": b"\0\xff"})
    assert names == {"a.bin": hashlib.sha256(b"\0\xff").hexdigest(), "b.txt": hashlib.sha256(b"tree").hexdigest()}
    assert [Blobs(url).get(name) for name in names.values()] == [b"\0\xff", b"tree"] and blobs.size(names["b.txt"]) == 4


def test_one_byte_changed_is_refused_with_both_hashes_and_stored_again(url):
    blobs = Blobs(url)
    name = blobs.put(b"tree")
    with blobs._fs.open(path_of(blobs, name), "wb") as file:
        file.write(b"tred")
    assert blobs.fault(name) == "altered"
    with pytest.raises(WrongHash, match=f"The file model.txt was altered since it was written: its SHA-256 is {hashlib.sha256(b'tred').hexdigest()[:8]}…, and {name[:8]}… was recorded, so it is not used"):
        blobs.get(name, "The file model.txt")
    assert blobs.put(b"tree") == name and blobs.get(name) == b"tree"


def test_a_file_that_is_gone_is_stated_to_be_gone(url):
    with pytest.raises(WrongHash, match=r"A stored file \(aaaaaaaa\) is no longer in the workspace"):
        Blobs(url).get("a" * 64)


def test_each_sweep_leaves_the_other_things_alone(url):
    blobs, frames, later = Blobs(url), Frames(url), time.time() + 60
    kept, left, frame = blobs.put(b"kept"), blobs.put(b"left"), frames.put(pd.DataFrame({"a": [1.0]}))
    assert frames.sweep([frame], later) == 0 and blobs.fault(left) == "", "files of models are no frames"
    assert blobs.sweep([kept], time.time() - 60) == 0, "what is young stays"
    assert blobs.sweep([kept], later) == 1 and (blobs.fault(kept), blobs.fault(left)) == ("", "gone") and frames.exists(frame)
