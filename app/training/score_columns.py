"""Scores as columns of a table: titles with units, places and meanings, wide enough for their titles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.training.scores import SHARES, score

LEAST, LETTER, MARGIN = 84, 6.2, 20         # pixels: of a column, of a letter of its title, and around it


def score_columns(frame: pd.DataFrame, names: Sequence[str]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The frame with shares in %, and a column of each of the scores.

    >>> shown, columns = score_columns(pd.DataFrame(dict(coverage=[0.8], auc=[0.55])), ["coverage", "auc"])
    >>> shown["coverage"].tolist(), columns["coverage"]["label"], columns["auc"]["label"]
    ([80.0], 'Coverage, %', 'ROC AUC')
    """
    shares = [name for name in names if name in SHARES]
    shown = frame.assign(**{name: 100 * frame[name].astype(float) for name in shares})
    return shown, {name: _column(name) for name in names}


def _column(name: str) -> Any:
    measured = score(name)
    unit = "%" if name in SHARES else measured.unit
    title = f"{measured.title}, {unit}" if unit and unit not in measured.title.split(",")[0].split() else measured.title
    return st.column_config.NumberColumn(title, format=f"%.{2 if name in SHARES else measured.places}f", width=width_of(title), help=measured.meaning or None)


def width_of(title: str) -> int:
    """
    >>> width_of("Brier"), width_of("Calibration error")
    (84, 125)
    """
    return max(LEAST, round(LETTER * len(title) + MARGIN))
