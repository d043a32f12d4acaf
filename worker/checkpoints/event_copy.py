"""``[audit] jsonl``: every event is appended to a file after its commit, in its exact bytes, a line an event; never twice, none left out."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from worker.checkpoints import durable
from worker.store import Store

PAGE = 5_000
BLOCK = 1_048_576       # bytes that are read at once, from the end


class EventCopy:
    """For the process that holds the key's lease: two would write each line twice."""

    def __init__(self, store: Store, path: Path) -> None:
        self._store, self._path = store, path
        self._seq: int | None = None        # of the last event in the file

    def step(self) -> int:
        """Append what was committed since; returns how many events. After an error the place is looked up anew."""
        written = 0
        try:
            self._seq = self._place() if self._seq is None else self._seq
            while bodies := self._bodies(self._seq):
                durable.append(self._path, "".join(f"{body}\n" for body in bodies).encode())
                self._seq += len(bodies)
                written += len(bodies)
        except OSError:
            self._seq = None
            raise
        return written

    def _bodies(self, after: int) -> list[str]:
        with self._store.read() as unit:
            return unit.checkpoints.bodies(after, PAGE)

    def _place(self) -> int:
        """The number of the newest event of this database that is in the file. What a crash cut off in its last line is removed.

        Events that only the file has, because the database was restored from a backup, stay in it.
        """
        if not self._path.exists():
            return 0
        self._cut_torn_line()
        with self._store.read() as unit:
            for line in _lines_from_end(self._path):
                if seq := unit.checkpoints.seq_of(_id_of(line), line.decode(errors="replace")):
                    return seq
        return 0

    def _cut_torn_line(self) -> None:
        with self._path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            end = size
            while end:
                first = max(end - BLOCK, 0)
                file.seek(first)
                newline = file.read(end - first).rfind(b"\n")
                if newline >= 0:
                    end = first + newline + 1
                    break
                end = first
            if end < size:
                file.truncate(end)
                os.fsync(file.fileno())


def _lines_from_end(path: Path) -> Iterator[bytes]:
    """The whole lines of a file, the last first."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        rest = b""
        while end:
            first = max(end - BLOCK, 0)
            file.seek(first)
            rest, *lines = (file.read(end - first) + rest).split(b"\n")
            yield from (line for line in reversed(lines) if line)
            end = first
        if rest:
            yield rest


def _id_of(line: bytes) -> str:
    try:
        body = json.loads(line)
        return str(body["event_id"])
    except (ValueError, KeyError, TypeError):
        return ""
