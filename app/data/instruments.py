"""Instruments: the table, one of them to edit with what would change, and its history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.address import address_value, missing
from app.kit.figures import clock, plural
from app.kit.forms import index_of
from app.kit.grid import Column, grid
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, download, go, head, section, table
from worker.desk import Desk

EXACT: dict[str, Any] = dict(valueFormatter="value == null ? '–' : Number(value).toLocaleString('en', {maximumFractionDigits: 10})", type="rightAligned")
SWAP = "Quote currency per lot and night; negative is paid."
COLUMNS: dict[str, Column] = {
    "name": ("Instrument", dict(width=90)),
    "kind": ("Kind", dict(width=60)),
    "quote": ("Quote", dict(width=78)),
    "pip": ("Pip", {**EXACT, "width": 70}),
    "tick": ("Tick", {**EXACT, "width": 74}),
    "lot_step": ("Lot step", {**EXACT, "width": 74}),
    "contract": ("Contract, units", {**EXACT, "width": 106}),
    "swap_long": ("Swap long", {**EXACT, "width": 82, "headerTooltip": SWAP}),
    "swap_short": ("Swap short", {**EXACT, "width": 84, "headerTooltip": SWAP}),
    "calendar": ("Sessions", dict(width=74)),
    "group": ("Group", dict(width=78, valueFormatter="String(value || '').replaceAll('_', ' ')")),
    "version": ("Version", {**EXACT, "minWidth": 62, "flex": 1}),
}
ROWS = (
    ("title", "kind", "base", "quote"), ("tick", "pip", "spread", "contract"), ("lot_step", "min_lot", "max_lot", "leverage"),
    ("swap_long", "swap_short", "triple_day", "calendar"), ("margin_class", "margin_per_lot", "group", "source"),
)  # fmt: skip
HELP = {
    "swap_long": SWAP, "swap_short": SWAP,
    "quote": "Prices, profit and loss, and swap are in this currency.", "tick": "Smallest price step.", "pip": "Step in which spread and slippage are given.", "spread": "Used where bars carry none.",
    "leverage": "The most allowed: notional over margin.", "triple_day": "Night on which three days of swap are booked.", "calendar": "Trading hours and holidays.",
    "group": "Instruments that [limits] sector counts together.", "source": "Where these numbers come from.", "margin_per_lot": "0: by leverage.",
}  # fmt: skip
CHOSEN = "instrument"   # query parameter


def instruments_view(desk: Desk, doing: str, switch: Callable[[], None]) -> None:
    rows = desk.instruments.table()
    edited_count = int((rows["version"] > 0).sum())
    state = f"{plural(len(rows), 'instrument')}, {edited_count} edited" if edited_count else f"{plural(len(rows), 'instrument')}, as shipped"
    head("Data", state, lambda: _actions(desk, doing))
    switch()
    if doing == "add":
        return _add(desk)
    wanted = address_value(CHOSEN)
    if wanted and wanted not in set(rows["name"]):
        missing("instrument", wanted, "Choose one in the table.")
    row = grid(rows[list(COLUMNS)], COLUMNS, f"instruments-{edited_count}-{int(rows['version'].sum())}", rows=8, pick=True, chosen=next(iter(rows.reset_index(drop=True).index[rows["name"] == wanted]), None))
    download("Instruments, CSV", "instruments.csv", "text/csv", desk.instruments.download, "instruments-csv")
    name = row["name"] if row is not None else wanted if wanted in set(rows["name"]) else ""
    if not name:
        st.caption("Choose an instrument to see all its numbers, edit them, and read its history.")
        return
    st.query_params[CHOSEN] = name
    _chosen(desk, name)


def _actions(desk: Desk, doing: str) -> None:
    if st.button("Add…", icon=":material/add:", key="instrument-add", **allowed(desk, "instruments.add", disabled=doing == "add")):
        go("data", view="instruments", do="add")
    if doing and st.button("Close", icon=":material/close:", type="tertiary"):
        go("data", view="instruments")


def _chosen(desk: Desk, name: str) -> None:
    instrument, version = desk.instruments.get(name), desk.instruments.version(name)
    section(name, f"{instrument.title} · version {version}" if version else f"{instrument.title} · as shipped")
    key = f"instrument-{name}-{version}"
    entered = _form(desk, instrument, key, "Check changes", "instruments.edit")
    if entered is not None:
        st.session_state[f"{key}-entered"] = entered
    waiting = st.session_state.get(f"{key}-entered")
    if waiting is not None:
        _confirm(desk, name, waiting, key)
    _history(desk, name)


def _form(desk: Desk, instrument: Any, key: str, button: str, verb: str) -> dict[str, Any] | None:
    """All fields of an instrument, as sent; None until they are."""
    titles, choices, entered = desk.instruments.titles(), desk.instruments.choices(), {}
    with st.form(key, border=False):
        for row in ROWS:
            for place, field in zip(st.columns(4, vertical_alignment="bottom"), row, strict=True):
                entered[field] = _field(place, titles[field], field, getattr(instrument, field), choices, f"{key}-{field}")
        entered["negative_prices"] = st.toggle(titles["negative_prices"], instrument.negative_prices, key=f"{key}-negative", help="Whether prices may fall below zero, as of some futures.")
        sent = st.form_submit_button(button, type="primary", **allowed(desk, verb))
    return entered if sent else None


def _field(place: Any, title: str, field: str, value: Any, choices: dict[str, list[str]], key: str) -> Any:
    about = HELP.get(field)
    if field in choices:
        options = list(dict.fromkeys([*choices[field], *([value] if value or field == "group" else [])]))
        return place.selectbox(title, options, index_of(options, value), key=key, help=about, accept_new_options=field == "group", format_func=lambda word: str(word).replace("_", " ") or "by kind") or ""
    if isinstance(value, float):
        return place.text_input(title, _plain(value), key=key, help=about)
    return place.text_input(title, value, key=key, help=about)


def _plain(value: float) -> str:
    """
    >>> _plain(1e-05), _plain(100000.0), _plain(-6.5)
    ('0.00001', '100000', '-6.5')
    """
    return f"{value:.10f}".rstrip("0").rstrip(".")


def _confirm(desk: Desk, name: str, entered: dict[str, Any], key: str) -> None:
    """What would change, a reason, and the button that saves it."""
    changed = attempt(lambda: desk.instruments.changes(name, entered))
    if changed is None:
        return
    if not changed:
        st.caption("Nothing would change.")
        return
    with st.container(border=True):
        _differences(desk, changed, f"{key}-differences")
        st.caption("Jobs submitted from now on use the new numbers. Runs made before keep the version they used, and so do running paper sessions.")
        why, saved = st.text_input("Reason", key=f"{key}-why", max_chars=500, placeholder="e.g. price list of the broker, November 2026"), None
        with st.container(horizontal=True):
            if st.button("Save version", type="primary", key=f"{key}-save", **allowed(desk, "instruments.edit")):
                saved = attempt(lambda: desk.instruments.edit(name, entered, why))
            if saved is not None:
                st.session_state.pop(f"{key}-entered", None)
                st.rerun()
            if st.button("Discard changes", key=f"{key}-drop"):
                st.session_state.pop(f"{key}-entered", None)
                st.rerun()


def _differences(desk: Desk, changed: dict[str, tuple[Any, Any]], key: str) -> None:
    titles, config = desk.instruments.titles(), st.column_config
    rows = pd.DataFrame([dict(field=titles[field], before=_word(old), after=_word(new)) for field, (old, new) in changed.items()])
    table(rows, {"field": config.TextColumn("Field", width=300), "before": config.TextColumn("Before", width=180), "after": config.TextColumn("After", width=180)}, "What changes: field, value before and after", key=key)


def _word(value: Any) -> str:
    return _plain(value) if isinstance(value, float) else str(value)


def _history(desk: Desk, name: str) -> None:
    rows = desk.instruments.history(name)
    section("History", f"{plural(len(rows), 'version')}, newest first; times are UTC" if rows else "as shipped, never edited")
    if not rows:
        return
    titles, config = desk.instruments.titles(), st.column_config
    shown = pd.DataFrame([
        dict(version=row["version"], at=clock(row["at"]), by=row["by"], why=row["why"], changed="added" if row["new"] else "; ".join(f"{titles[field].partition(',')[0]} {_word(old)} → {_word(new)}" for field, (old, new) in row["changed"].items()))
        for row in rows
    ])  # fmt: skip
    columns = {
        "version": config.NumberColumn("Version", width=66), "at": config.TextColumn("Saved", width=130), "by": config.TextColumn("User", width=80),
        "changed": config.TextColumn("Changed", width=380), "why": config.TextColumn("Reason", width=260),
    }  # fmt: skip
    table(shown, columns, "Versions of the instrument: when, by whom, what changed and why", key=f"history-{name}")


def _add(desk: Desk) -> None:
    """A new instrument, beginning with the numbers of another."""
    section("Add an instrument", "it begins with the numbers of another one")
    a, b, c = st.columns([1, 1, 2])
    name = a.text_input("Name", key="new-instrument-name", max_chars=32, placeholder="e.g. DAX40")
    names = list(desk.instruments.all())
    like = b.selectbox("Begin with", names, key="new-instrument-like")
    why = c.text_input("Reason", key="new-instrument-why", max_chars=500)
    entered = _form(desk, desk.instruments.get(like), f"new-{like}", "Add instrument", "instruments.add")
    added = attempt(lambda: desk.instruments.add(name, like, entered, why)) if entered is not None else None
    if added is not None:
        st.toast(f"{literal(name)} added.")
        go("data", view="instruments", instrument=name.strip())
