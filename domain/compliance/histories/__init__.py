"""Readers of account histories from elsewhere: which format a file has, and what it holds as a history to judge."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from domain.compliance.histories.base import HISTORY_READERS as HISTORY_READERS
from domain.compliance.histories.base import MAX_BYTES as MAX_BYTES
from domain.compliance.histories.base import MAX_ROWS as MAX_ROWS
from domain.compliance.histories.base import HistoryLimits as HistoryLimits
from domain.compliance.histories.base import Recognised as Recognised
from domain.compliance.histories.checks import Finding as Finding
from domain.compliance.histories.foreign import another_language, workbook
from domain.compliance.histories.history import History as History
from domain.compliance.histories.history import history_of as history_of
from domain.errors import BadRequest
from domain.market.readers.files import head_of
from domain.market.readers.unreadable import what_it_is
from domain.registry import discover

discover(__name__, __path__)


def recognise(path: Path | str, max_bytes: int = MAX_BYTES) -> Recognised:
    """The recognised format of a file; an unknown one is refused with a description of the content."""
    path = Path(path)
    workbook(path)
    head = head_of(path, max_bytes).decode("utf-8", "replace")
    for reader in sorted(HISTORY_READERS.values(), key=lambda reader: reader.fallback):
        if evidence := reader.recognise(head, path.name):
            return Recognised(reader.key, reader.title, reader.server_clock, f"By {evidence}.")
    another_language(head, path.name)
    raise BadRequest(
        f"{path.name} is {what_it_is(head.encode(), path.name)}. Known account histories: {known_formats()}"
    )


def known_formats() -> str:
    """The formats that can be read, as one line."""
    return "; ".join(HISTORY_READERS[key].title for key in HISTORY_READERS)


def read(
    path: Path | str,
    format: str = "",
    *,
    clock: str = "",
    currency: str = "",
    initial: float | None = None,
    known: Mapping[str, object] | None = None,
    limits: HistoryLimits = HistoryLimits(),
) -> History:
    """The history in a file, of the recognised format unless ``format`` names one; see ``history_of`` for the rest."""
    path = Path(path)
    format = format or recognise(path, limits.max_bytes).format
    statement = HISTORY_READERS[format].read(path, limits)
    return history_of(statement, format, path.name, clock=clock, currency=currency, initial=initial, known=known)
