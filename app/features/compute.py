"""Compute: a set of features on stored bars, each under the price, to download."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.features import charts, request, runs
from app.features.missing import why_empty, without
from app.features.values import level, spread_of
from app.kit.draw import draw_chart
from app.kit.figures import DASH, number, percent, plural
from app.kit.rights import allowed
from app.kit.widgets import download, figures, go, section, table
from worker.desk import Desk

VIEW, KIND = "compute", "columns"
SPANS = {"500 bars": 500, "5,000": 5_000, "All": 0}
SETTLED = 0.001     # share of the value: within this a short history has converged
ROUNDING = 1e-6     # share that is shown as identical
FORMS = (("csv", "CSV", "text/csv"), ("parquet", "Parquet", "application/octet-stream"))


def render(desk: Desk) -> None:
    if not desk.data.catalogue():
        return runs.no_bars("Features need prices. Import a file, or generate synthetic ones on the Data page.")
    run, job = runs.current(desk, VIEW, KIND)
    runs.settings(runs.sentence(run) if run else "Data and features", VIEW, run, job, lambda: _form(desk, run))
    runs.body(desk, run, job, lambda run: _result(desk, run), KIND, ("Nothing computed yet", "Choose data and a feature set above. A hundred features on a year of M15 bars take a few seconds."))
    runs.earlier(desk, VIEW, desk.features.latest(KIND), run, lambda earlier: plural(len(earlier.spec["columns"]), "column"), "Columns")


def _form(desk: Desk, run: Any) -> None:
    entered = request.ask(desk, f"look-{run.id if run else 'new'}", run.spec if run else {})
    with st.container(horizontal=True, vertical_alignment="center"):
        sent = st.button("Compute", type="primary", shortcut="Ctrl+Enter", **allowed(desk, "features.submit", disabled=not entered.ready))
        st.caption(entered.note)
    if sent and entered.request is not None:
        runs.send(VIEW, partial(desk.features.submit_columns, entered.request))


def _result(desk: Desk, run: Any) -> None:
    members = {entry["instrument"]: entry for entry in run.summary["members"]}
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        name = st.segmented_control("Instrument", list(members), default=next(iter(members)), required=True, key=f"member-{run.id}", label_visibility="collapsed") if len(members) > 1 else next(iter(members))
        member = members[str(name)]
        section(f"{plural(len(member['columns']), 'column')} of {member['instrument']} {member['timeframe']}", f"{plural(member['bars'], 'bar')}, run {run.id}")
        st.space("stretch")
        _take(desk, run, member)
    empty = [column["column"] for column in member["columns"] if not column["coverage"]]
    explained = desk.features.lacked(run.id)
    _verdict(run, member, [name for name in empty if name not in explained])
    without(desk, run, empty)
    figures(_headline(member))
    picture = st.container()
    chosen = _table(run, member)
    with picture:
        _picture(desk, run, member, chosen)
    _short_histories(run, member)


def _take(desk: Desk, run: Any, member: dict[str, Any]) -> None:
    name = member["instrument"]
    with st.popover("Export", icon=":material/download:"):
        for form, label, mime in FORMS:
            download(f"Columns of {name}, {label}", f"{run.id}_{name}_columns.{form}", mime, partial(desk.features.download, run.id, name, form), f"take-{name}-{form}")
    if st.button("Check for look-ahead", icon=":material/rule:", help="Opens the look-ahead check with this data and these features."):
        go(runs.PAGE, view="look-ahead", like=run.id)
    if st.button("Delete…", icon=":material/delete:", type="tertiary", **allowed(desk, "features.delete")):
        runs.delete(desk, VIEW, run)


def _verdict(run: Any, member: dict[str, Any], unknown: list[str]) -> None:
    """Draw the verdict. ``unknown``: columns without a value that missing external data does not explain."""
    late = _unsettled(member)
    st.markdown(f"{':violet-badge[synthetic] ' if run.synthetic else ''}{_coverage(unknown, member['columns'])} {_settles(member, late)}")


def _coverage(unknown: list[str], columns: list[dict[str, Any]]) -> str:
    some = sum(bool(column["coverage"]) for column in columns)
    if not unknown:
        return "All columns have values." if some == len(columns) else f"{plural(some, 'column has', 'columns have')} values, {len(columns) - some:,} {'is' if some == len(columns) - 1 else 'are'} empty."
    return f"{plural(len(unknown), 'column is', 'columns are')} empty, because the data lacks {'its' if len(unknown) == 1 else 'their'} inputs: {', '.join(unknown[:4])}{f' and {len(unknown) - 4:,} more' if len(unknown) > 4 else ''}."


def _settles(member: dict[str, Any], late: list[str]) -> str:
    longest = max((row["history"] for row in member["sensitivity"]), default=0)
    if not longest:
        return ""
    if not late:
        return f"Values converge with ≤ {longest:,} bars of history."
    return f"With {longest:,} bars of history {plural(len(late), 'column has', 'columns have')} not converged: {', '.join(late[:3])}{f' and {len(late) - 3:,} more' if len(late) > 3 else ''}."


def _unsettled(member: dict[str, Any]) -> list[str]:
    longest = max((row["history"] for row in member["sensitivity"]), default=0)
    return [row["column"] for row in member["sensitivity"] if row["history"] == longest and not _same(row)]


def _same(row: dict[str, Any]) -> bool:
    return row["off"] is not None and row["off"] <= SETTLED


def _headline(member: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    columns = member["columns"]
    some = [column for column in columns if column["coverage"]]
    longest = max(columns, key=lambda column: column["warm_up"])
    least = min(some, key=lambda column: column["coverage"], default=None)
    return [
        ("Bars", number(member["bars"]), f"{member['edges'][0][:10]} to {member['edges'][1][:10]}", "Bars in the requested timeframe; finer ones were resampled."),
        ("Columns", number(len(columns)), f"{len(columns) - len(some):,} empty" if len(some) < len(columns) else "none empty", "An empty column needs an input that is missing: volume, other instruments, external data."),
        ("Longest warm-up", number(longest["warm_up"]), longest["column"], "Bars that pass before the column has its first value, inputs included."),
        ("Lowest coverage", percent(least["coverage"]) if least else DASH, least["column"] if least else "", "Share of the bars on which the column has a value, of those that have any."),
        ("Converges after", _settled_at(member), "bars of history", f"Shortest history with which every column has the same value as with all bars, to {percent(SETTLED)}."),
    ]


def _settled_at(member: dict[str, Any]) -> str:
    histories = sorted({row["history"] for row in member["sensitivity"]})
    at = next((history for history in histories if all(_same(row) for row in member["sensitivity"] if row["history"] == history)), None)
    return number(at) if at else f"over {histories[-1]:,}" if histories else DASH


def _table(run: Any, member: dict[str, Any]) -> str:
    """Draw the statistics of every column; the name of the chosen one."""
    section("Columns", "select one to see it under the price")
    columns = member["columns"]
    rows = [
        dict(column=column["column"], unit=column["unit"], warm_up=column["warm_up"], coverage=100 * column["coverage"], low=level(column["low"]), quarter=level(column["quarter"]), median=level(column["median"]), three_quarters=level(column["three_quarters"]), high=level(column["high"]), last=level(column["last"]))
        for column in columns
    ]  # fmt: skip
    config = st.column_config
    shown = {
        "column": config.TextColumn("Column", width=190),
        "unit": config.TextColumn("Unit", width=92),
        "warm_up": config.NumberColumn("Warm-up", format="localized", width=72, help="Bars that pass before its first value."),
        "coverage": config.NumberColumn("Coverage, %", format="%.1f", width=84, help="Share of the bars that have a value."),
        **{name: config.TextColumn(title, width=78, alignment="right") for name, title in (("low", "Lowest"), ("quarter", "25 %"), ("median", "Median"), ("three_quarters", "75 %"), ("high", "Highest"), ("last", "Last"))},
    }
    row = table(pd.DataFrame(rows), shown, "Each column's unit, warm-up, coverage, quartiles and last value", key=f"columns-{run.id}-{member['instrument']}", pick=True, row_height=26, height="auto" if len(rows) <= 11 else 324)
    wanted = st.query_params.get("column")
    first = next((column["column"] for column in columns if column["column"] == wanted), next((column["column"] for column in columns if column["coverage"]), columns[0]["column"]))
    return str(columns[row]["column"]) if row is not None else first


def _picture(desk: Desk, run: Any, member: dict[str, Any], column: str) -> None:
    about = next(entry for entry in member["columns"] if entry["column"] == column)
    quote = desk.data.instruments()[member["instrument"]]
    span = st.segmented_control("Bars", list(SPANS), default="500 bars", required=True, key=f"span-{run.id}", label_visibility="collapsed")
    section(column, f"{about['unit']}, under the close in {quote.quote}; the last bars, UTC")
    frame, bars = drawn(desk, run.id, member["instrument"], column, SPANS[str(span)])
    if not about["coverage"]:
        st.caption(f"It has no value on these bars, so only the price is drawn. {why_empty(desk, run, column)}")
    about_it = f"{column} of {member['instrument']} under its close, {spread_of(about)}"
    draw_chart(charts.beneath(frame, column, about["unit"], quote.quote, quote.digits, about["first"] or 0), alt=about_it)
    st.caption(f"{plural(len(frame), 'point')} drawn from {plural(bars, 'bar')}; extremes are kept.")


@st.cache_data(max_entries=48, show_spinner=False)
def drawn(_desk: Desk, run_id: str, instrument: str, column: str, last: int) -> tuple[pd.DataFrame, int]:
    return _desk.features.drawn(run_id, instrument, column, last)


def _short_histories(run: Any, member: dict[str, Any]) -> None:
    histories = sorted({row["history"] for row in member["sensitivity"]})
    if not histories:
        return
    section("Warm-up sensitivity", "the value at the last bar computed from the last bars alone, and its distance from the value with all bars")
    by = {(row["column"], row["history"]): row for row in member["sensitivity"]}
    rows = []
    for column in member["columns"]:
        name = column["column"]
        rows.append(dict(column=name, full=level(column["last"]), **{f"h{history}": _off(by[name, history]) for history in histories}))
    config = st.column_config
    shown = {
        "column": config.TextColumn("Column", width=190),
        "full": config.TextColumn("With all bars", width=110, alignment="right"),
        **{f"h{history}": config.TextColumn(f"{history:,} bars", width=136, alignment="right") for history in histories},
    }
    table(pd.DataFrame(rows), shown, "Each column's last value with all bars and with shorter histories", row_height=26, height="auto" if len(rows) <= 11 else 324)
    st.caption("Live trading starts with a short history: a column that has not converged will differ from the backtest.")


def _off(row: dict[str, Any]) -> str:
    """The value with a short history, and its distance from the value with all bars."""
    if row["value"] is None:
        return DASH if row["full"] is None else "no value yet"
    if row["off"] is None:
        return f"{level(row['value'])} · off"
    return "identical" if row["off"] <= ROUNDING else f"{level(row['value'])} · {percent(row['off'], 1 if row['off'] >= 0.001 else 4)}"
