"""Slices through one combination: the metric over each parameter while all others stay where they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.draw import draw_chart
from app.kit.widgets import section
from app.sweeps import charts
from app.sweeps.names import form, named, point, with_unit

HEIGHT = 160        # pixels of each


def slices(run: Any, table: pd.DataFrame, parameters: Mapping[str, Any], names: Sequence[str], metric: Any, number: int | None) -> None:
    """Draw a slice for each of ``names`` through the combination ``number``; for less than two parameters nothing."""
    centre = table[table["number"] == number]
    if len(names) < 2 or centre.empty or metric.key not in table:
        return
    here = {name: centre.iloc[0][name] for name in names}
    section("Slices", f"{with_unit(metric)} through {point(parameters, here)}; large dot: this combination")
    with st.grid(min(len(names), 3), min_column_width=260, gap="small"):
        for name in names:
            shown = slice_through(table, here, name).assign(value=lambda rows: rows[metric.key], best=lambda rows: rows["number"] == number)
            shown["chosen"] = [point(parameters, {name: value}) for value in shown["x"]]
            draw_chart(charts.slice_of(shown[["number", "x", "value", "best", "chosen"]], named(parameters[name]), with_unit(metric), form(metric), HEIGHT), alt=f"{metric.title} over {named(parameters[name])}, all else as in this combination")


def slice_through(table: pd.DataFrame, here: Mapping[str, Any], name: str) -> pd.DataFrame:
    """The rows that differ from ``here`` in ``name`` alone, whose value is ``x``.

    >>> table = pd.DataFrame(dict(a=[1, 1, 2, 2], b=[5, 6, 5, 6], number=[0, 1, 2, 3]))
    >>> slice_through(table, dict(a=1, b=6), "a")["number"].tolist()
    [1, 3]
    """
    same = pd.Series(True, index=table.index)
    for other, value in here.items():
        same &= (table[other] == value) | (other == name)
    return table[same].assign(x=lambda rows: rows[name]).sort_values("x", ignore_index=True)
