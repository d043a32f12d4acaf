"""The download of a table as it is drawn: an audit event, as every download."""

from __future__ import annotations

from functools import partial

import pandas as pd

from app.desk import here
from app.kit.widgets import download
from worker.desk import Desk


def download_drawn(label: str, name: str, frame: pd.DataFrame, key: str, entity: str = "audit:trail") -> None:
    """Draw the button of ``frame`` as CSV. ``name``: of the file; ``entity``: what the table is of, as ``run:ID``."""
    download(label, name, "text/csv", partial(_bytes, here(), frame, name, entity), key)


def _bytes(desk: Desk | None, frame: pd.DataFrame, name: str, entity: str) -> bytes:
    return desk.trail.table(frame, name, entity) if desk else b""
