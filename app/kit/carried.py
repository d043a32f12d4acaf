"""What a download takes along: the trail's last signed checkpoint, in the header of its answer, and in the file where that is a ZIP."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from worker.desk import Desk

CHECKPOINT, BUNDLED = "checkpoint.txt", "checkpoints.txt"
ZIP, SUFFIX = "application/zip", ".zip"
Write = Callable[[Path], None]


class Carried:
    """Of this process's desk; without one a download takes nothing along."""

    def __init__(self) -> None:
        self._desk: Desk | None = None

    def carry(self, desk: Desk) -> None:
        """From now on, the checkpoints of ``desk``."""
        self._desk = desk

    def header(self) -> Mapping[str, str]:
        return self._desk.checkpoints.header() if self._desk else {}

    def with_checkpoint(self, name: str, mime: str, write: Write) -> tuple[str, str, Write]:
        """Name, type and writer of a download: a ZIP as it is and the checkpoint in it, any other file packed with it where the settings say so."""
        if name.endswith(SUFFIX):
            return name, mime, lambda path: self._added(path, write)
        if self._desk is None or self._desk.settings.audit.downloads != "zip":
            return name, mime, write
        return f"{name}{SUFFIX}", ZIP, lambda path: self._packed(path, name, write)

    def _packed(self, path: Path, name: str, write: Write) -> None:
        alone = path.with_name(f"{path.name}file")
        try:
            write(alone)
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
                packed.write(alone, name)
        finally:
            alone.unlink(missing_ok=True)
        self._note(path)

    def _added(self, path: Path, write: Write) -> None:
        write(path)
        self._note(path)

    def _note(self, path: Path) -> None:
        """Put the checkpoint into a ZIP that has none; a bundle has all of them."""
        note = self._desk.checkpoints.latest_text() if self._desk else ""
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as packed:
            if note and not {CHECKPOINT, BUNDLED} & set(packed.namelist()):
                packed.writestr(CHECKPOINT, note)


carried = Carried()
