"""The list of backtests: searched, tagged, marked; one is opened by a click, several are compared, tagged or deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from app.backtest.compare import MOST, OTHER
from app.kit.figures import number, plural
from app.kit.rights import allowed
from app.kit.tables import run_columns, runs_frame
from app.kit.text import literal
from app.kit.widgets import attempt, chosen_rows, go, section, table
from worker.desk import Desk

PAGE = 50
PLACE = "runs-before"       # session: the pages that were left behind, each by where it began


def view(desk: Desk, run: Any) -> None:
    """Draw the list; nothing where there is no run but the open one."""
    every = desk.run_list.count()
    if every <= (run is not None):
        return
    text, tags, favourites, several = _fields(desk, every)
    before = _before((text, tuple(tags), favourites))
    page = desk.run_list.find(text, tags, favourites, PAGE, before[-1] if before else None)
    if not page.runs:
        st.caption("No backtest fits. Change the words, the tags or the favourites.")
    elif several:
        _several(desk, page)
    else:
        _table(page, run)
    _pager(desk, page, before, text, tags, favourites)


def _fields(desk: Desk, every: int) -> tuple[str, list[str], bool, bool]:
    section("Runs", f"{plural(every, 'backtest')}, newest first; click one to open it")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        text = st.text_input("Search", key="runs-text", placeholder="Words in name, strategy, note or id", icon=":material/search:", label_visibility="collapsed", width=280)
        known = desk.run_list.tags()
        tags = st.multiselect("Tags", list(known), key="runs-tags", format_func=lambda tag: f"{tag} ({known.get(tag, 0)})", placeholder="Tags", label_visibility="collapsed", width=220) if known else []
        favourites = st.toggle("Favourites", key="runs-favourites")
        several = st.toggle("Select several", key="runs-several", help="To compare, tag or delete them; with the keyboard: arrows move, Space ticks a row.")
    return text, list(tags), favourites, several


def _before(query: tuple[Any, ...]) -> list[tuple[datetime, str]]:
    """Where the pages up to the shown one begin; another question begins at the first."""
    if st.session_state.get(PLACE, (None,))[0] != query:
        st.session_state[PLACE] = (query, [])
    return list(st.session_state[PLACE][1])


def _frame(page: Any) -> pd.DataFrame:
    frame = runs_frame(page.runs)
    return frame.assign(star=["★" if run.id in page.favourites else "" for run in page.runs], tags=[list(page.tags.get(run.id, ())) for run in page.runs])


def _shown(page: Any) -> dict[str, Any]:
    columns = {"star": st.column_config.TextColumn("★", width=28, help="Your favourites."), **run_columns()}
    if page.tags:       # in place of one that statistics show, so that no column is cut
        columns = {**{name: column for name, column in columns.items() if name != "factor"}, "tags": st.column_config.ListColumn("Tags", width=130)}
    return columns


def _table(page: Any, run: Any) -> None:
    row = table(_frame(page), _shown(page), "Backtests with equity, net result, drawdown and trades", key=f"runs-{run.id if run else ''}", pick=True, chosen=next((place for place, other in enumerate(page.runs) if run is not None and other.id == run.id), None))
    if row is not None and (run is None or page.runs[row].id != run.id):
        go("backtest", run=page.runs[row].id)


def _several(desk: Desk, page: Any) -> None:
    rows = chosen_rows(_frame(page), _shown(page), "Backtests to choose several of", key="runs-chosen")
    chosen = [page.runs[row] for row in rows]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"{plural(len(chosen), 'run')} chosen", width="content")
        if st.button("Open", icon=":material/open_in_new:", key="runs-open", disabled=len(chosen) != 1):
            go("backtest", run=chosen[0].id)
        fits = 2 <= len(chosen) <= MOST
        if st.button("Compare", icon=":material/compare_arrows:", key="runs-compare", disabled=not fits, help=None if fits else f"Choose 2 to {MOST} runs."):
            go("backtest", run=chosen[0].id, **{OTHER: ",".join(other.id for other in chosen[1:])})
        if st.button("Tag…", icon=":material/label:", key="runs-tag", **allowed(desk, "run_list.add_tag", disabled=not chosen)):
            _tag(desk, chosen)
        if st.button("Delete…", icon=":material/delete:", type="tertiary", key="runs-delete", **allowed(desk, "run_list.delete", disabled=not chosen)):
            _delete(desk, chosen)


def _pager(desk: Desk, page: Any, before: list[tuple[datetime, str]], text: str, tags: list[str], favourites: bool) -> None:
    if not before and page.last is None:
        return
    query = st.session_state[PLACE][0]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button("Newer", key="runs-newer", icon=":material/chevron_left:", type="tertiary", disabled=not before):
            st.session_state[PLACE] = (query, before[:-1])
            st.rerun()
        first = len(before) * PAGE + 1
        st.caption(f"{first:,} to {first + len(page.runs) - 1:,} of {number(desk.run_list.count(text, tags, favourites))}", width="content")
        if st.button("Older", key="runs-older", icon=":material/chevron_right:", icon_position="right", type="tertiary", disabled=page.last is None):
            st.session_state[PLACE] = (query, [*before, page.last])
            st.rerun()


@st.dialog("Tag these runs")
def _tag(desk: Desk, runs: list[Any]) -> None:
    with st.form("tag-runs", border=False):
        tag = st.selectbox(f"Tag for {plural(len(runs), 'run')}", list(desk.run_list.tags()), index=None, accept_new_options=True, placeholder="Choose or write one")
        if st.form_submit_button("Add tag", type="primary") and tag and attempt(lambda: desk.run_list.add_tag([run.id for run in runs], tag)) is not None:
            st.rerun()


@st.dialog("Delete these runs?")
def _delete(desk: Desk, runs: list[Any]) -> None:
    names = ", ".join(f"{literal(run.name or run.title)} `{run.id}`" for run in runs[:6]) + (f" and {len(runs) - 6} more" if len(runs) > 6 else "")
    trades = number(sum(run.summary["metrics"]["trades"] or 0 for run in runs))
    st.markdown(
        f"{names}: {plural(len(runs), 'run')} with {trades} trades, and what was computed from them, are removed. This cannot be undone; running the same backtest again gives the same result. "
        "Their audit events stay, with the hashes of their results; they stay counted as trials; notes on their trades stay with the settings."
    )
    if st.button(f"Delete {plural(len(runs), 'run')}", type="primary", icon=":material/delete:") and attempt(lambda: desk.run_list.delete([run.id for run in runs])) is not None:
        go("backtest")


def marks(desk: Desk, run: Any) -> None:
    """Draw the star and the tags of the open run."""
    favourite = desk.run_list.is_favourite(run.id)
    if st.button("Favourite", icon=":material/star:" if favourite else ":material/star_border:", type="tertiary", **allowed(desk, "run_list.set_favourite", help="Remove from your favourites" if favourite else "Add to your favourites")):
        desk.run_list.set_favourite(run.id, not favourite)
        st.rerun()
    tags = desk.run_list.tags_of(run.id)
    with st.popover(f"Tags: {', '.join(tags)}" if tags else "Tags", icon=":material/sell:"):
        with st.form(f"tags-{run.id}", border=False):
            chosen = st.multiselect("Tags of this run", sorted({*desk.run_list.tags(), *tags}), tags, accept_new_options=True, placeholder="Choose or write one")
            if st.form_submit_button("Save tags", type="primary", **allowed(desk, "run_list.set_tags")) and attempt(lambda: desk.run_list.set_tags(run.id, chosen)) is not None:
                st.rerun()
