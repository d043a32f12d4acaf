"""What decides in a new session: a strategy, with or without a model, a file of signals, or a scanner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.backtest.rule_fields import model_box
from app.kit.forms import fields
from app.kit.spool import content
from app.kit.text import literal
from worker.desk import Desk

KINDS = {"strategy": "A strategy", "signals": "Signals from a file", "scanner": "A scanner"}
COLUMNS = "CSV with ts (open of the deciding bar, UTC) and side, and where wanted instrument, order, price, stop_loss, target_1 …, max_bars, tag."


@dataclass(frozen=True)
class Deciding:
    """``key``: tells forms of different choices apart. ``version``: the chosen model, None for none."""

    key: str
    strategy: str = ""
    signals: bytes = b""
    scan: str = ""
    version: Any = None

    @property
    def model(self) -> str:
        return self.version.title if self.version else ""


def shown(desk: Desk, key: str, first: Any, second: Any) -> Deciding:
    """The kind in one place, and what it asks for in the other."""
    kind = first.selectbox("Decided by", list(KINDS), key=f"{key}-decided", format_func=KINDS.__getitem__)
    if kind == "signals":
        file = second.file_uploader("Signals, CSV", type=["csv"], max_upload_size=20, key=f"{key}-signals", help=COLUMNS)
        return Deciding(kind, signals=content(file) if file else b"")
    if kind == "scanner":
        return _scanner(desk, key, second)
    strategy = second.selectbox("Strategy", list(desk.backtests.strategies()), key=f"{key}-strategy")
    return Deciding(strategy, strategy, version=model_box(desk, key, strategy, {}))


def parameters(desk: Desk, key: str, deciding: Deciding, timeframe: str) -> Mapping[str, Any]:
    """The parameters of a strategy; those that go with a model first."""
    if not deciding.strategy:
        return {}
    first = desk.models.params_with(deciding.version, deciding.strategy, timeframe) if deciding.version and timeframe else None
    return fields(desk.backtests.params(deciding.strategy), f"{key}-{deciding.strategy}{f'-{deciding.model}' if deciding.version else ''}", first)


def _scanner(desk: Desk, key: str, place: Any) -> Deciding:
    scans = {run.id: run for run in desk.scanner.latest(50)}
    if not scans:
        place.caption("No scan yet. Run one on the page Scanner: its strategies and criteria can trade here.")
        return Deciding("scanner")
    chosen = place.selectbox("Scan", list(scans), key=f"{key}-scan", format_func=lambda run: scans[run].name or scans[run].title, help="Its strategies and criteria: at every bar the proposals are traded. Instruments, costs and limits are those of the session.")
    st.caption(literal(", ".join(each["label"] for each in scans[chosen].spec["strategies"])))
    return Deciding(f"scanner-{chosen}", scan=chosen)
