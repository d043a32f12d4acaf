"""Writes signed checkpoints to the file outside the database, each once, and sees when someone else changed that file."""

from __future__ import annotations

from collections.abc import Sequence

from domain.audit.key_chain import KeyChain
from worker.checkpoints.agreement import Agreement, digest_of
from worker.checkpoints.external_file import CheckpointFile, signed_by
from worker.store import SignedCheckpoint, Store, Unit
from worker.store.checkpoints import FILE, STORED

MOST_AT_ONCE = 1_000        # checkpoints that are appended in one go
ACTOR, KIND, ENTITY = "tidemark", "checkpoint_file_changed", "audit:trail"


class Writer:
    """For the process that holds the key, while the trail agrees with the file."""

    def __init__(self, store: Store, file: CheckpointFile) -> None:
        self._store, self._file = store, file
        self._number: int | None = None     # of the last checkpoint in the file; None: to be looked up
        self._last_note = ""                # the file's last note, by our own hand
        self._gone = 0                      # number of the checkpoint that the file held before it was gone

    def write(self, chains: Sequence[KeyChain]) -> None:
        """Append what the file has not yet. OSError where it cannot be written: it is tried again, from the place where the file then ends."""
        try:
            self._number = self._find_place(chains) if self._number is None else self._number
            while self._write_some(self._number, chains):
                continue
        except OSError:
            self._number = None
            raise

    def _find_place(self, chains: Sequence[KeyChain]) -> int:
        """Go on after the file's last note; where this database does not know it, after the last checkpoint that went into a file."""
        last = self._file.last(chains)
        with self._store.unit() as unit:
            stored = unit.checkpoints.latest_of(FILE, STORED)
            row = unit.checkpoints.of_note(last.note, last.checkpoint.size) if last else None
            if row:         # a crash came between the file and its receipts
                self._receive(unit, [entry for entry in unit.checkpoints.all(stored.number if stored else row.number - 1) if entry.number <= row.number])
            if last is None and self._file.begun():
                sentence = f"The checkpoint file {self._file.path} holds no checkpoint that a key of this trail signed"
                unit.audit(ACTOR, KIND, ENTITY, event_id=f"file-foreign-{stored.number if stored else 0}", sentence=sentence)
        self._gone = stored.number if last is None and stored and stored.text == str(self._file.path) and not self._file.begun() else 0
        self._last_note = last.note if last else ""
        return row.number if row else stored.number if stored else 0

    def watch(self, agreement: Agreement) -> None:
        """An event where the file does not end as we left it: entries were removed, or added that no key of ours signed."""
        note, foreign = (agreement.last.note, agreement.last.foreign) if agreement.last else ("", 0)
        if self._number is None or (note == self._last_note and not foreign):
            return
        what = f"{foreign:,} entries that no key of this trail signed" if foreign else "another checkpoint than the last one that was appended"
        event_id = f"file-{digest_of(self._last_note + note)}-{foreign}"
        with self._store.unit() as unit:
            unit.audit(ACTOR, KIND, ENTITY, event_id=event_id, sentence=f"The checkpoint file {self._file.path} was changed: it ends with {what}")
        self._last_note = note

    def _write_some(self, after: int, chains: Sequence[KeyChain]) -> bool:
        """Rows that no key of ours signed stay where they are."""
        with self._store.read() as unit:
            waiting = unit.checkpoints.all(after, limit=MOST_AT_ONCE)
        rows = [row for row in waiting if signed_by(row.note, chains)]
        if rows:
            self._file.append([row.note for row in rows])
            self._last_note = rows[-1].note
        self._number = waiting[-1].number if waiting else after
        if rows:
            with self._store.unit() as unit:
                self._receive(unit, rows)
                if self._gone:
                    sentence = f"The checkpoint file {self._file.path} was gone or empty, and began anew; it had held checkpoint {self._gone:,}"
                    unit.audit(ACTOR, KIND, ENTITY, event_id=f"file-gone-{self._gone}", sentence=sentence)
            self._gone = 0
        return len(waiting) == MOST_AT_ONCE

    def _receive(self, unit: Unit, rows: Sequence[SignedCheckpoint]) -> None:
        for row in rows:
            unit.checkpoints.receive(row, FILE, STORED, str(self._file.path), unit.now())
