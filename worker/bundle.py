"""A bundle of the audit trail written to a ZIP file: rows stream from the database to the disk, however many they are."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import uuid
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import IO, Any

from domain.audit import Record, bundle
from domain.audit.bundle import RANGE, SELECTION, WHOLE, Scope
from domain.audit.merkle import Node
from domain.audit.verifier import text as verifier
from domain.audit.verifier.verify import COLUMNS
from domain.errors import BadRequest
from worker.bundle_evidence import Evidence
from worker.store import Filter, Unit

Progress = Callable[[float, str], None]
STEP = 2_000            # rows between two reports of progress
MOST_NODES = 200_000    # nodes of the tree that are kept in memory


@dataclass
class Written:
    """What was written: rows, the first and last of them, the last checkpoint, and the file's size and SHA-256."""

    scope: str = WHOLE
    rows: int = 0
    first: int = 0
    last: int = 0
    checkpoint: dict[str, Any] = field(default_factory=dict)
    bytes: int = 0
    sha256: str = ""


def write(unit: Unit, path: Path, wanted: Filter, evidence: Evidence, about: dict[str, Any], progress: Progress = lambda share, note: None) -> Written:
    """Write the bundle of the rows that fit ``wanted``; ``unit`` reads one consistent state. BadRequest where no row fits.

    No filter: the whole trail. ``since`` and ``until`` alone: the first to the last row of that time, with all between.
    Anything else: the rows that fit, each with its own proof.
    """
    with _beside(path) as part:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
            written = _Writer(archive, unit, evidence).write(wanted, about, progress)
        written.bytes, written.sha256 = part.stat().st_size, _sha256(part)
    return written


class _Writer:
    def __init__(self, archive: zipfile.ZipFile, unit: Unit, evidence: Evidence) -> None:
        self._archive, self._unit, self._evidence = archive, unit, evidence
        self._node, self._points = _remembering(unit.trail.node), evidence.points
        self._files: dict[str, dict[str, Any]] = {}

    def write(self, wanted: Filter, about: dict[str, Any], progress: Progress) -> Written:
        head, _ = self._unit.trail.head()
        last = max((point.checkpoint for point in self._points), key=lambda point: point.size, default=None)
        size = last.size if last else head
        root = last.root if last else bytes.fromhex(self._unit.trail.root(head))
        kind, records, count = _selected(self._unit, wanted, head)
        ends = self._rows(kind, records, size, count, progress)
        if not ends.rows and kind != WHOLE:
            raise BadRequest("no event fits; nothing was written. Ask for another period or entity")
        scope = Scope(kind, ends.first.seq if ends.first else 0, ends.last.seq if ends.last else 0, ends.rows, size, root)
        self._rest(scope, [record for record in (ends.first, ends.covered) if record], about)
        checkpoint = dict(size=last.size, root=last.root.hex(), seconds=last.seconds) if last else {}
        return Written(kind, scope.rows, scope.first, scope.last, checkpoint)

    def _rows(self, kind: str, records: Iterable[Record], size: int, count: int, progress: Progress) -> _Ends:
        """events.jsonl goes straight into the archive; what is written beside it waits on the disk."""
        ends = _Ends()
        with tempfile.TemporaryFile() as views, tempfile.TemporaryFile() as paths:
            views.write(f"{COLUMNS}\n".encode())
            with self._file("events.jsonl") as bodies:
                for record in records:
                    bodies.write(_bytes(f"{record.body}\n"))
                    views.write(_bytes(f"{bundle.csv_line(record)}\n"))
                    if kind == SELECTION:
                        paths.write(f"{bundle.path_line(record, size, self._node)}\n".encode())
                    ends.take(record, size)
                    if ends.rows % STEP == 0:
                        progress(0.9 * ends.rows / max(count, ends.rows), f"{ends.rows:,} of {count:,} events")
            self._copy("events.csv", views)
            if kind == SELECTION:
                self._copy("paths.jsonl", paths)
        return ends

    def _rest(self, scope: Scope, ends: Sequence[Record], about: dict[str, Any]) -> None:
        proofs = bundle.proofs(scope, ends, self._points, self._node)
        self._text("checkpoints.txt", bundle.checkpoints(self._points))
        self._text("proofs.json", json.dumps(proofs, indent=1))
        self._text("public_key.txt", bundle.public_key(self._evidence.keys))
        self._text("verify.py", verifier().decode())
        self._text("manifest.json", json.dumps(bundle.manifest(scope, about, self._files), indent=1, ensure_ascii=False))

    def _text(self, name: str, text: str) -> None:
        with self._file(name) as file:
            file.write(_bytes(text))

    def _copy(self, name: str, source: IO[bytes]) -> None:
        source.seek(0)
        with self._file(name) as file:
            for part in iter(lambda: source.read(1 << 20), b""):
                file.write(part)

    @contextmanager
    def _file(self, name: str) -> Iterator[_Hashed]:
        with self._archive.open(name, "w", force_zip64=True) as file:
            hashed = _Hashed(file)
            yield hashed
        self._files[name] = dict(bytes=hashed.size, sha256=hashed.hasher.hexdigest())


@dataclass
class _Ends:
    """Of the rows so far: how many, the first, the last, and the last that the tree of the proofs covers."""

    rows: int = 0
    first: Record | None = None
    last: Record | None = None
    covered: Record | None = None

    def take(self, record: Record, size: int) -> None:
        self.rows += 1
        self.first, self.last = self.first or record, record
        if record.seq <= size:
            self.covered = record


class _Hashed:
    """A file whose bytes are counted and hashed as they are written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.size, self.hasher = file, 0, hashlib.sha256()

    def write(self, content: bytes) -> None:
        self.size += len(content)
        self.hasher.update(content)
        self._file.write(content)


def _selected(unit: Unit, wanted: Filter, head: int) -> tuple[str, Iterable[Record], int]:
    """The kind of bundle, its rows oldest first, and about how many."""
    filters = {name for name, value in asdict(wanted).items() if value}
    if not filters:
        return WHOLE, takewhile(lambda record: record.seq <= head, unit.trail.all()), head
    if filters <= {"since", "until"}:
        first = next(iter(unit.trail.all(wanted)), None)
        last = next(iter(unit.trail.page(wanted, 1)), None)
        if first is None or last is None:
            return RANGE, (), 0
        return RANGE, takewhile(lambda record: record.seq <= last.seq, unit.trail.all(after=first.seq - 1)), last.seq - first.seq + 1
    return SELECTION, unit.trail.all(wanted), unit.trail.count(wanted)


def _remembering(node: Node) -> Node:
    """The same nodes, each read from the database once."""
    known: dict[tuple[int, int], bytes] = {}

    def read(level: int, position: int) -> bytes:
        key = (level, position)
        if key not in known:
            if len(known) >= MOST_NODES:
                known.clear()
            known[key] = node(level, position)
        return known[key]

    return read


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A file that takes the place of ``path`` when all of it is written."""
    if path.is_dir():
        raise BadRequest(f"{path} is a folder; name a file, such as {path / 'audit.zip'}")
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.part")
    with ExitStack() as after:
        after.callback(part.unlink, missing_ok=True)
        yield part
        os.replace(part, path)
