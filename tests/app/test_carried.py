"""What leaves by a page takes the last checkpoint along."""

from __future__ import annotations

import base64
import io
import zipfile
from types import SimpleNamespace

import pytest

from app.kit.carried import Carried
from app.kit.spool import spool
from tests.app.test_large_files import request
from tests.app.test_large_files import served as served
from worker.desk.checkpoints import HEADER

NOTE = "desk.example.com/audit\n12\nroot=\n\n— desk.example.com/audit signature\n"
TABLE = b"ts,pnl\n2026-03-02T00:00:00Z,1.5\n"


def carrying(downloads: str, note: str = NOTE) -> Carried:
    """Of a desk with this setting, whose last checkpoint is ``note``."""
    header = {HEADER: base64.b64encode(note.encode()).decode()} if note else {}
    carried = Carried()
    carried.carry(SimpleNamespace(settings=SimpleNamespace(audit=SimpleNamespace(downloads=downloads)), checkpoints=SimpleNamespace(latest_text=lambda: note, header=lambda: header)))
    return carried


def written(carried: Carried, name: str, content: bytes) -> tuple[str, str, bytes]:
    """Name, type and bytes of the file that leaves."""
    name, mime, write = carried.with_checkpoint(name, "text/csv", lambda path: path.write_bytes(content) and None)
    path = spool().path_of(spool().written(write))
    assert path is not None and [entry for entry in path.parent.iterdir() if entry.name.startswith(path.name)] == [path], "nothing is left beside it"
    return name, mime, path.read_bytes()


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def zipped(**files: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for name, text in files.items():
            packed.writestr(name.replace("_", "."), text)
    return content.getvalue()


def test_a_table_goes_as_it_is_or_packed_with_the_checkpoint_as_set():
    assert written(carrying("file"), "equity.csv", TABLE) == ("equity.csv", "text/csv", TABLE)
    name, mime, content = written(carrying("zip"), "equity.csv", TABLE)
    assert (name, mime) == ("equity.csv.zip", "application/zip")
    assert members(content) == {"equity.csv": TABLE, "checkpoint.txt": NOTE.encode()}
    assert members(written(carrying("zip", ""), "equity.csv", TABLE)[2]) == {"equity.csv": TABLE}, "before the first checkpoint there is none to take"


@pytest.mark.parametrize("downloads", ["file", "zip"])
def test_an_archive_takes_the_checkpoint_in_unless_it_has_its_own(downloads):
    files, bundle = zipped(model_json=b"{}"), zipped(events_jsonl=b"{}\n", checkpoints_txt=b"all")
    name, _, content = written(carrying(downloads), "model.zip", files)
    assert name == "model.zip" and members(content) == {"model.json": b"{}", "checkpoint.txt": NOTE.encode()}
    assert written(carrying(downloads), "audit.zip", bundle)[2] == bundle


def test_the_answer_names_the_checkpoint_of_the_moment_the_file_was_written(served):
    app, inner = served
    inner.files["/media/a.csv"] = spool().written(lambda path: path.write_bytes(TABLE) and None, carrying("file").header)
    inner.files["/media/b.csv"] = spool().written(lambda path: path.write_bytes(TABLE) and None, Carried().header)
    assert base64.b64decode(request(app, "GET", "/media/a.csv")[1][HEADER]).decode() == NOTE
    assert HEADER not in request(app, "GET", "/media/b.csv")[1]
