"""Uploads and downloads pass through the page's process without staying in its memory."""

from __future__ import annotations

import asyncio
import io
import stat
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from app.kit.spool import Spool, content, spool, uploaded
from app.large_files import LargeFiles

MB = 1_000_000


class Streamlit:
    """Stores uploads in memory and answers with them, as Streamlit does."""

    def __init__(self, status: int = 204) -> None:
        self.status, self.files, self.names = status, {}, {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "PUT":
            async with Request(scope, receive).form() as form:
                [file] = form.values()
                self.files[scope["path"]], self.names[scope["path"]] = await file.read(), file.filename
            return await Response(status_code=self.status)(scope, receive, send)
        if scope["method"] == "DELETE":
            return await Response(status_code=204)(scope, receive, send)
        await Response(self.files[scope["path"]], headers={"content-disposition": 'attachment; filename="bars.csv"'}, media_type="text/csv")(scope, receive, send)


def request(app: Any, method: str, path: str, body: Iterator[bytes] = iter(()), **headers: str) -> tuple[int, dict[str, str], Callable[[], bytes]]:
    """The status, the headers and the body of the answer to a request."""
    sent: list[Any] = []
    scope = dict(type="http", method=method, path=path, query_string=b"", headers=[(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()], http_version="1.1", extensions={})

    ended: list[bool] = []

    async def receive() -> Any:
        if ended:
            await asyncio.Event().wait()        # the client stays and listens
        part = next(body, None)
        ended.extend([True] if part is None else [])
        return dict(type="http.request", body=part or b"", more_body=part is not None)

    async def send(message: Any) -> None:
        sent.append(message | dict(body=message.get("body", b"")[:1_000]))      # as little as a client needs

    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}, lambda: b"".join(message["body"] for message in sent[1:])


def put(app: Any, path: str, parts: Iterator[bytes], name: str = "bars.csv") -> int:
    def body() -> Iterator[bytes]:
        yield f'--b\r\nContent-Disposition: form-data; name="x"; filename="{name}"\r\nContent-Type: text/csv\r\n\r\n'.encode()
        yield from parts
        yield b"\r\n--b--\r\n"

    return request(app, "PUT", path, body(), content_type="multipart/form-data; boundary=b")[0]


@pytest.fixture
def served() -> tuple[LargeFiles, Streamlit]:
    inner = Streamlit()
    return LargeFiles(inner, most=100 * MB, total=200 * MB), inner


PATH = "/_stcore/upload_file/session/one"


def test_a_large_upload_is_on_disk_and_takes_little_memory(served):
    app, inner = served
    part = bytes(range(100)) * 640
    request(app, "DELETE", "/nothing")        # what is loaded once is no part of the measure
    tracemalloc.start()
    try:
        assert put(app, PATH, (part for _ in range(200))) == 204
        assert tracemalloc.get_traced_memory()[1] < 6 * MB
    finally:
        tracemalloc.stop()
    assert len(inner.files[PATH]) < 200 and inner.names[PATH] == "bars.csv"
    with uploaded(io.BytesIO(inner.files[PATH])) as content:
        stored = app.uploads[PATH]
        assert stat.S_IMODE(stored.stat().st_mode) == 0o600 and stored.stat().st_size == 12_800_000
        assert content.read(64_000) == part
    assert not stored.exists(), "after it is read, it is removed"


@pytest.mark.parametrize("name", ["bars.csv", "ba'rs €.csv", "a%22b.csv"])
def test_the_name_stays(served, name):
    app, inner = served
    assert put(app, PATH, iter([b"a,b\n"]), name) == 204 and inner.names[PATH] == name
    with uploaded(io.BytesIO(inner.files[PATH])) as content:
        assert content.read() == b"a,b\n"


def test_too_large_broken_or_refused_uploads_leave_nothing(served):
    app, _ = served
    before = spool().size()
    assert put(LargeFiles(Streamlit(), most=MB, total=MB), PATH, (bytes(MB) for _ in range(4))) == 413
    assert request(app, "PUT", PATH, iter([b"--b\r\nrubbish"]), content_type="multipart/form-data; boundary=b")[0] == 400
    assert request(app, "PUT", PATH, iter([b"rubbish"]))[0] == 400
    assert put(LargeFiles(Streamlit(403), most=MB, total=MB), PATH, iter([bytes(1_000)])) == 403
    assert put(app, PATH, iter([b"abc"])) == 204 and request(app, "DELETE", PATH)[0] == 204
    assert spool().size() == before
    assert put(LargeFiles(Streamlit(), most=MB, total=-1), PATH, iter([b"abc"])) == 413


def test_a_ticket_cannot_be_made_up():
    own, other = Spool(), Spool()
    path = own.new()
    own.open_new(path).close()
    assert own.path_of(own.ticket(path)) == path
    for ticket in (other.ticket(path), own.ticket(path)[:-1] + b"/", own.ticket(Path("/etc/passwd")), b"", b"abc", own.ticket(path) + b" "):
        assert own.path_of(ticket) is None
    with uploaded(io.BytesIO(other.ticket(path))) as content:
        assert content.read() == other.ticket(path), "what looks like a ticket and is none is content"


def test_a_download_is_streamed_from_disk(served):
    app, inner = served

    def write(path: Path) -> None:
        with path.open("wb") as file:
            for _ in range(40):
                file.write(b"x" * MB)

    inner.files["/media/a.csv"] = spool().written(write)
    tracemalloc.start()
    try:
        status, headers, _ = request(app, "GET", "/media/a.csv", range="bytes=0-10")
        assert tracemalloc.get_traced_memory()[1] < 5 * MB
    finally:
        tracemalloc.stop()
    assert status == 200 and headers["content-length"] == str(40 * MB)
    assert headers["content-disposition"] == 'attachment; filename="bars.csv"' and headers["content-type"].startswith("text/csv")


def test_other_files_pass_as_they_are(served):
    app, inner = served
    inner.files |= {"/media/b.csv": b"a,b\n1,2\n", "/media/c.csv": b"x" * spool().ticket_size}
    for path in ("/media/b.csv", "/media/c.csv"):
        status, headers, body = request(app, "GET", path)
        assert status == 200 and body() == inner.files[path] and headers["content-length"] == str(len(inner.files[path]))


def test_an_upload_is_read_from_disk_by_every_page_and_as_often_as_it_is_requested(served):
    path = spool().new()
    with spool().open_new(path) as file:
        file.write(b"ts,side\n")
    on_disk, in_memory = io.BytesIO(spool().ticket(path)), io.BytesIO(b"ts,side\n")
    assert [content(file) for file in (on_disk, on_disk, in_memory, in_memory)] == [b"ts,side\n"] * 4
    readers = [path for path in (Path(__file__).parents[2] / "app").rglob("*.py") if "file_uploader" in path.read_text(encoding="utf-8")]
    assert len(readers) > 4 and not [path for path in readers if ".getvalue()" in path.read_text(encoding="utf-8")], "what Streamlit holds of an upload is a ticket"
