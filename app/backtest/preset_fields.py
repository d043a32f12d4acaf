"""Presets of a strategy's parameters, and what to read before they are run."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.kit.figures import typeset
from app.kit.text import literal
from worker.desk import BacktestRequest, Desk

NO_PRESET = "No preset"


def preset_box(desk: Desk, key: str, strategy: str) -> Any:
    """The chosen preset; None for none. Nothing is drawn for a strategy that has none."""
    presets = desk.backtests.presets(strategy)
    if not presets:
        return None
    chosen = st.selectbox("Preset", [NO_PRESET, *presets], key=f"{key}-preset-{strategy}", width=200, format_func=lambda name: presets[name].title if name in presets else name, help="\n\n".join(f"**{preset.title}** {preset.about}" for preset in presets.values()))
    return presets.get(chosen)


def cautions(desk: Desk, strategy: str, request: BacktestRequest | None, preset: Any) -> None:
    """Warnings with their numbers, of the entered parameters, and of a preset on other bars than its own."""
    for sentence in desk.backtests.cautions(strategy, request.params if request else {}):
        st.warning(literal(typeset(sentence)), icon=":material/warning:")
    if preset and request and request.timeframe != preset.timeframe:
        st.caption(f"The preset {preset.title} is set for {preset.timeframe} bars; these are {request.timeframe}.")
