"""Files on their way in: which paths a page opens, that refused ones do not stay, and how much may wait."""

from __future__ import annotations

import io
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import BadRequest
from worker.desk import Desk

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
ROWS = "ts,open,high,low,close\n2024-01-02T10:00:00Z,1.1,1.2,1.0,1.15\n2024-01-02T10:05:00Z,1.1,1.2,1.0,1.15\n"


def reached(desk: Desk, host: str = "0.0.0.0", **data: object) -> Desk:
    """The desk as a page has it that listens on ``host``."""
    settings = replace(desk.settings, app=replace(desk.settings.app, host=host), data=replace(desk.settings.data, **data))
    return Desk(desk.data._context.store, settings, send=lambda *words: False)


def bars(path: Path, text: str = ROWS) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def waiting(desk: Desk) -> list[Path]:
    folder = Path(desk.data._context.store.frames.url) / "incoming"
    return sorted(folder.iterdir()) if folder.exists() else []


def test_on_loopback_a_page_opens_any_file_and_elsewhere_none(desk, tmp_path):
    path = bars(tmp_path / "bars.csv")
    assert reached(desk, "127.0.0.1").data.stage_path(str(path)).name == "bars.csv" and reached(desk, "::1").data.may_open_paths()
    far = reached(desk)
    for door in (far.data, far.outside):
        assert not door.may_open_paths()
        for text in (path, tmp_path / "nosuch.csv", "/etc/passwd", "/dev/zero"):
            with pytest.raises(BadRequest, match=r"cannot be opened: this page is reached from other machines, .* and there are none. Upload the file"):
                door.stage_path(str(text))
    assert far.data.stage_path(str(path), own_rights=True).size == path.stat().st_size, "the terminal reads what the person may read"


def test_named_folders_may_be_opened_and_nothing_leads_out_of_them(desk, tmp_path):
    inside, outside = bars(tmp_path / "ticks" / "a.csv"), bars(tmp_path / "ticks2" / "b.csv")
    (tmp_path / "ticks" / "link.csv").symlink_to(outside)
    far = reached(desk, folders=f"{tmp_path}/nowhere, {tmp_path / 'ticks'}")
    assert far.data.may_open_paths() and far.data.stage_path(str(inside)).name == "a.csv"
    for text in (outside, tmp_path / "ticks" / "link.csv", tmp_path / "ticks" / ".." / "ticks2" / "b.csv"):
        with pytest.raises(BadRequest, match=f"files under .*{tmp_path}/nowhere, {tmp_path}/ticks may be opened"):
            far.data.stage_path(str(text))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "into.csv").symlink_to(inside)
    assert far.data.stage_path(str(tmp_path / "folder" / "into.csv")).name == "a.csv", "a link is where it leads"


def test_what_waits_is_for_its_owner_only_whatever_the_umask(desk, tmp_path):
    before = os.umask(0)
    try:
        desk.data.stage_path(str(bars(tmp_path / "bars.csv")))
    finally:
        os.umask(before)
    assert [stat.S_IMODE(path.stat().st_mode) for path in waiting(desk)] == [0o600] and stat.S_IMODE(waiting(desk)[0].parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("content", [b"<html>Sign in", b"\x89PNG\r\n\x1a\n\0\0", b"a secret\n" * 50], ids=["page", "picture", "text"])
def test_a_refused_file_does_not_stay_and_counts_for_a_day(desk, tmp_path, content):
    small = reached(desk, "127.0.0.1", staged_mb=1)
    (tmp_path / "x.csv").write_bytes(content + b" " * 600_000)
    for door in (small.data, small.outside):
        with pytest.raises(BadRequest):
            door.stage_path(str(tmp_path / "x.csv"))
        assert waiting(desk) == []
        if door is small.data:
            assert small.data._context.quota.refused == len(content) + 600_000
    with pytest.raises(BadRequest, match=r"files that wait for their import, and those refused today, may take 1 MB together, and bars.csv is too much"):
        small.data.stage_upload("bars.csv", (ROWS + "\n" * 500_000).encode())


def test_what_is_discarded_makes_room_again(desk, tmp_path):
    small = reached(desk, "127.0.0.1", staged_mb=1)
    first = small.data.stage_upload("a.csv", (ROWS + "\n" * 700_000).encode())
    second = (ROWS + "\n" * 600_000).encode()
    with pytest.raises(BadRequest, match="may take 1 MB together"):
        small.data.stage_upload("b.csv", second)
    small.data.discard(first)
    assert waiting(desk) == [] and small.data.stage_upload("b.csv", second).size == len(second)


def test_an_upload_is_read_part_by_part_from_where_it_lies(desk):
    class Parts(io.BytesIO):
        largest = 0

        def read(self, size: int | None = -1) -> bytes:
            assert size is not None and size > 0, "the whole file is never asked for at once"
            self.largest = max(self.largest, size)
            return super().read(size)

    content = Parts((ROWS + "\n" * 3_000_000).encode())
    content.seek(0, os.SEEK_END)
    staged = desk.data.stage_upload("a.csv", content)
    assert staged.size == len(content.getvalue()) == waiting(desk)[0].stat().st_size and content.largest <= 1 << 20


def test_a_pipe_that_takes_the_place_of_a_file_is_no_file(desk, tmp_path):
    from worker.desk.incoming import of_this_machine

    path = bars(tmp_path / "bars.csv")
    source = of_this_machine(str(path), desk.settings)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(BadRequest, match="is a folder or a device"):
        list(source.parts)
