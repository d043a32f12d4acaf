"""The kill switch as a runner sees it: latched in the database, in files of the workspace, and in memory whatever is down."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from worker.store import Unit
from worker.store.session_asking import halt
from worker.store.session_halts import Halt

FILE = "HALT"
LATCHED = "HALT.latched"        # content of a file, until the database has it
EVERY = 0.5                     # seconds between two looks
LONGEST = 500                   # letters of a reason


@dataclass(frozen=True)
class FileHalt:
    """The content of a file. ``session`` empty: all of them."""

    session: str
    reason: str


class HaltSwitch:
    """Files are looked at before every order (``refusal``) and twice a second (``watch``); the content of one holds until the database has it, though it is deleted.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> switch = HaltSwitch(folder)
    >>> switch.refusal("gold"), (folder / "HALT").write_text("news\\n"), switch.refusal("gold"), (folder / "HALT").unlink(), switch.refusal("silver")
    ('', 5, 'halted: news', None, 'halted: news')
    """

    def __init__(self, home: Path) -> None:
        self._home, self._lock = home, threading.Lock()
        self._latched: tuple[Halt, ...] = ()            # in the database, as of the last look
        self._file_halts: dict[str, FileHalt] = {}            # by files, not in the database yet
        self._recorded: set[str] = set()                # scopes of files that the database has
        self._watched: set[str] = set()
        self._paths: dict[str, str] = {}
        self._recall()

    def watch(self, sessions: Iterable[str]) -> None:
        """The sessions whose files the next looks look at."""
        self._watched = set(sessions)

    def refusal(self, session: str, strategy: str = "") -> str:
        """Why no order may go out now; empty where one may."""
        self._look_at("")
        self._look_at(session)
        for file_halt in list(self._file_halts.values()):
            if file_halt.session in ("", session):
                return f"halted: {file_halt.reason}"
        for each in self._latched:
            if each.covers(session) and each.strategy in ("", strategy):
                return f"halted: {each.reason}"
        return ""

    def look_at_workspace(self) -> None:
        """At the file that halts all of them: once before the orders of one round, beside the looks of ``watch``."""
        self._look_at("")

    def unrecorded(self, session: str) -> bool:
        """Whether a file covers the session that the database does not know of yet: nothing is decided until it does."""
        self._look_at(session)
        return bool(self._file_halts) and any(file_halt.session in ("", session) for file_halt in list(self._file_halts.values()))

    def look(self) -> None:
        """At all files."""
        for session in self._with_a_folder():
            self._look_at(session)

    def record(self, unit: Unit) -> None:
        """Write the content of files as kill switches and as commands on the tapes, and read all that are latched. ``recorded`` once it is committed."""
        for file_halt in list(self._file_halts.values()):
            if not file_halt.session or unit.sessions.get(file_halt.session):
                halt(unit, f"file {FILE}", file_halt.reason, file_halt.session, by_file=True)

    def recorded(self, latched: Iterable[Halt], written: Iterable[FileHalt]) -> None:
        with self._lock:
            self._latched = tuple(latched)
            self._recorded = {each.session for each in self._latched if each.by_file}
            for file_halt in written:
                if self._file_halts.get(file_halt.session) == file_halt:
                    del self._file_halts[file_halt.session]
                    self._forget(file_halt.session)

    @property
    def unwritten(self) -> tuple[FileHalt, ...]:
        """The content of files that the database does not have."""
        return tuple(self._file_halts.values())

    # -- inside

    def _with_a_folder(self) -> set[str]:
        """The scopes that can have a file: the workspace, and the sessions that have a folder."""
        try:
            return {"", *self._watched.intersection(os.listdir(self._home / "sessions"))}
        except OSError:
            return {""}

    def _look_at(self, session: str) -> None:
        """At one file; of the workspace, where it is empty."""
        if session not in self._file_halts and session not in self._recorded and os.access(self._path(session), os.F_OK):
            with self._lock:
                self._file_halts[session] = FileHalt(session, _reason(self._path(session)))
                self._keep(self._file_halts[session])

    def _path(self, scope: str) -> str:
        if scope not in self._paths:
            self._paths[scope] = str(self._home / "sessions" / scope / FILE if scope else self._home / FILE)
        return self._paths[scope]

    def _keep(self, halt: FileHalt) -> None:
        """So that a file which is deleted while the database is away still halts after a crash; beside that file, for another process may watch another one."""
        with contextlib.suppress(OSError):
            Path(self._path(halt.session)).with_name(LATCHED).write_text(json.dumps([halt.session, halt.reason]) + "\n")

    def _forget(self, scope: str) -> None:
        with contextlib.suppress(OSError):
            Path(self._path(scope)).with_name(LATCHED).unlink(missing_ok=True)

    def _recall(self) -> None:
        for path in (self._home / LATCHED, *self._home.glob(f"sessions/*/{LATCHED}")):
            with contextlib.suppress(OSError, ValueError):
                session, reason = json.loads(path.read_text())
                self._file_halts[session] = FileHalt(session, reason)


def _reason(path: str) -> str:
    try:
        with Path(path).open(errors="replace") as file:
            return file.readline(LONGEST).strip() or f"the file {FILE}"
    except OSError:
        return f"the file {FILE}"
