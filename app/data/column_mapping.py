"""Step 2 of an import whose file no reader recognises: a person says which column is what, and keeps that under a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.data.bar_time_choice import bar_time_choice
from app.kit.figures import size, typeset
from app.kit.forms import index_of
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, first_rows, section
from worker.desk import Desk

EDITING = "import-mapping-edit"
UNMAPPED = "unmapped"
NONE = "—"
PRICES = ("open", "high", "low", "close")
KINDS = {
    "Bars": PRICES,
    "Bid and ask bars": (*PRICES, *(f"ask_{price}" for price in PRICES)),
    "Ticks (bid, ask)": ("bid", "ask"),
}
SIDES = {"": "as chosen at import", "bid": "Bid", "mid": "Mid"}
INFER = "auto-detect"
OFFERED = 4     # mappings of the same header


def needs_mapping(staged: Any) -> bool:
    """Whether the columns are to be mapped now."""
    return staged.recognised.format == UNMAPPED or st.session_state.get(EDITING) == staged.file


def map_again(staged: Any) -> None:
    """Draw the button that opens the mapping of a file that was recognised, or mapped before."""
    name = f" {literal(staged.mapping_name)}" if staged.mapping_name else ""
    if st.button(f"Change mapping{name}…" if staged.mapping else "Map columns…", icon=":material/view_column:", type="tertiary", key="import-map", help="Choose separator, decimal sign and the meaning of each column yourself."):
        st.session_state[EDITING] = staged.file
        st.rerun()


def mapping_step(desk: Desk, staged: Any) -> Any:
    """The staged file once its columns are mapped; None before."""
    section("2  Map the columns", f"{staged.name}, {size(staged.size)}")
    if staged.recognised.format == UNMAPPED:
        st.caption(f":material/info: {literal(typeset(staged.recognised.evidence.partition('. Known formats')[0].rstrip('.')))} Say which column is what; it is then checked as any other file.")
    if applied := _offered(desk, staged):
        return _done(applied)
    before = staged.mapping or attempt(lambda: desk.mappings.guess(staged)) or {}
    key = f"map-{staged.file[:8]}"
    separator, decimal, lines, kind = _layout(desk, before, key)
    preview = attempt(lambda: desk.mappings.preview(staged, separator, lines))
    if preview is None:
        return None
    first_rows(preview, "The first rows of the file, each column under its number and name", 34 + 26 * max(1, len(preview)))
    key = f"{key}-{ord(separator)}-{lines}-{len(KINDS[kind])}"
    mapping = _columns(desk, staged, before, separator, lines, KINDS[kind], key)
    if mapping is None:
        return None
    applied = attempt(lambda: desk.mappings.apply(staged, {**mapping["mapping"], "separator": separator, "decimal": decimal, "header_lines": lines}))
    return _done(_saved(desk, applied, mapping["name"])) if applied else None


def saved_mappings(desk: Desk) -> None:
    """The mappings that were kept, each with a button that deletes it; nothing while there is none."""
    kept = desk.mappings.list()
    if not kept:
        return
    with st.popover(f"Column mappings ({len(kept)})", icon=":material/view_column:", type="tertiary"):
        st.caption("Offered for files with the same header. Datasets imported by one keep it when it is deleted.")
        for stored in kept:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{literal(stored.name)}**  \n{literal(', '.join(f'{role} = {column}' for role, column in stored.mapping.get('columns', {}).items()))}".replace("_", " "))
                if st.button("Delete", icon=":material/delete:", key=f"delete-mapping-{stored.name}", type="tertiary", **allowed(desk, "mappings.delete")):
                    attempt(lambda name=stored.name: desk.mappings.delete(name))     # type: ignore[misc]
                    st.rerun()


def _done(applied: Any) -> Any:
    st.session_state.pop(EDITING, None)
    return applied


def _offered(desk: Desk, staged: Any) -> Any:
    """The file with one of the mappings that were made on the same header, where one is chosen."""
    names = [name for name in attempt(lambda: desk.mappings.offered(staged)) or [] if name != staged.mapping_name]
    if not names:
        return None
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Saved for a file with these columns:", width="content")
        for name in names[:OFFERED]:
            if st.button(f"Use {literal(name)}", icon=":material/check:", type="primary", key=f"use-mapping-{name}", **allowed(desk, "mappings.apply")):
                return attempt(lambda name=name: desk.mappings.apply(staged, name))     # type: ignore[misc]
    return None


def _layout(desk: Desk, before: Mapping[str, Any], key: str) -> tuple[str, str, int, str]:
    """Separator, decimal sign, header lines and kind of prices: each changes what is drawn below."""
    choices = desk.mappings.choices()
    a, b, c, d = st.columns(4, vertical_alignment="bottom")
    separators, decimals, kinds = list(choices["separators"]), list(choices["decimals"]), list(KINDS)
    separator = a.selectbox("Separator", separators, index_of(separators, before.get("separator", ",")), format_func=lambda sign: choices["separators"][sign].capitalize(), key=f"{key}-separator")
    decimal = b.selectbox("Decimal sign", decimals, index_of(decimals, before.get("decimal", ".")), format_func=lambda sign: choices["decimals"][sign].capitalize(), key=f"{key}-decimal")
    lines = c.number_input("Header, lines", 0, 50, int(before.get("header_lines", 1)), 1, key=f"{key}-lines", help="Lines above the first row. The last of them names the columns; 0: the file has no header.")
    roles = before.get("columns", {})
    wanted = kinds[2] if "bid" in roles else kinds[1] if "ask_open" in roles else kinds[0]
    kind = d.selectbox("Prices", kinds, kinds.index(wanted), key=f"{key}-kind", help="Bid and ask bars: the spread is the mean of ask minus bid. Ticks are made into bars.")
    return separator, decimal, int(lines), kind


def _columns(desk: Desk, staged: Any, before: Mapping[str, Any], separator: str, lines: int, prices: tuple[str, ...], key: str) -> dict[str, Any] | None:
    """The columns as sent; None until they are."""
    columns, roles, choices = desk.mappings.columns(staged, separator, lines), before.get("columns", {}), desk.mappings.choices()
    extra = () if "bid" in prices else ("volume",) if "ask_open" in prices else ("volume", "spread")
    with st.form(f"{key}-form", border=False):
        a, b, c, d, e = st.columns(5)
        entered = {"time": _column(a, "Time", columns, roles.get("time"), f"{key}-time", "The time a bar opens or closes, or its date where the time of day has its own column.")}
        entered["time_of_day"] = _column(b, "Time of day", columns, roles.get("time_of_day"), f"{key}-tod", "Only where date and time of day are two columns.")
        formats = list(choices["time_formats"])
        given = before.get("time_format", "")
        formats += [] if given in formats else [given]
        form = c.selectbox("Time format", formats, formats.index(given), format_func=lambda name: choices["time_formats"].get(name, name), accept_new_options=True, key=f"{key}-format", help="Another one can be typed as a pattern, such as %d %b %Y %H:%M.")
        clock = _clock(desk, d, before.get("clock", ""), f"{key}-clock")
        bar_time = "" if "bid" in prices else bar_time_choice(e, before.get("bar_time", ""), f"{key}-bar-time")
        for first in range(0, len(prices), 4):
            for place, role in zip(st.columns(4), prices[first : first + 4], strict=False):
                entered[role] = _column(place, _title(role, prices), columns, roles.get(role), f"{key}-{role}")
        a, b, c, d = st.columns(4)
        for place, role in zip((a, b), extra, strict=False):
            entered[role] = _column(place, _title(role, prices), columns, roles.get(role), f"{key}-{role}", "Optional.")
        units = list(choices["spread_units"])
        unit = c.selectbox("Unit of the spread", units, index_of(units, before.get("spread_unit", "price")), format_func=choices["spread_units"].__getitem__, key=f"{key}-unit") if "spread" in extra else "price"
        side = d.selectbox("Price side", list(SIDES), index_of(list(SIDES), before.get("side", "")), format_func=SIDES.__getitem__, key=f"{key}-side") if "open" in prices and "ask_open" not in prices else ""
        name = st.text_input("Save as", staged.mapping_name, max_chars=64, key=f"{key}-name", placeholder="name, optional", width=260, help="Offered again for a file with the same header. A mapping of that name is replaced.")
        sent = st.form_submit_button("Apply mapping", type="primary", **allowed(desk, "mappings.apply"))
    if not sent:
        return None
    chosen = {role: reference for role, reference in entered.items() if reference is not None}
    return dict(name=name.strip(), mapping=dict(columns=chosen, time_format=form or "", clock=clock, bar_time=bar_time, side=side, spread_unit=unit))


def _column(place: Any, title: str, columns: Mapping[str | int, str], before: str | int | None, key: str, about: str | None = None) -> str | int | None:
    options: list[Any] = [None, *columns]
    return place.selectbox(title, options, index_of(options, before), format_func=lambda reference: columns.get(reference, NONE), key=key, help=about)


def _title(role: str, prices: tuple[str, ...]) -> str:
    """
    >>> _title("open", PRICES), _title("open", KINDS["Bid and ask bars"]), _title("ask_open", KINDS["Bid and ask bars"])
    ('Open', 'Bid open', 'Ask open')
    """
    return f"Bid {role}" if role in PRICES and "ask_open" in prices else role.replace("_", " ").capitalize()


def _clock(desk: Desk, place: Any, before: str, key: str) -> str:
    clocks = {"": INFER, **desk.data.clocks()}
    options = list(clocks) + ([] if before in clocks else [before])
    return place.selectbox("Time zone", options, options.index(before), format_func=lambda name: clocks.get(name, name), accept_new_options=True, key=key, help="Time zone of its timestamps. One like Europe/Prague or UTC+2 can be typed.") or ""


def _saved(desk: Desk, applied: Any, name: str) -> Any:
    """The mapped file; its mapping is saved where a name was given."""
    if not name:
        return applied
    saved = attempt(lambda: desk.mappings.save(name, applied.mapping))
    return attempt(lambda: desk.mappings.apply(applied, saved.name)) if saved else None
