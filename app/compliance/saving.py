"""Tables of compliance as files."""

from __future__ import annotations

from functools import partial
from typing import Any

from app.kit.widgets import download
from worker.desk import Desk


def csv_button(desk: Desk, run: Any, what: str) -> None:
    """A button for one table of a stored result, in full."""
    download(f"{what.capitalize()} CSV", f"{run.id}_{what}.csv", "text/csv", partial(desk.compliance.download, run.id, what), f"take-{run.id}-{what}")
