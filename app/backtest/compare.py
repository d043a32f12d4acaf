"""Two runs side by side: changed settings, both curves, every metric with its difference."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.backtest import summary
from app.kit.figures import DASH, clock, exact, percent, short, typeset, valued
from app.kit.text import literal
from app.kit.widgets import attempt, download, go, section, table
from worker.desk import Desk

OTHER = "with"      # query parameter
DECIDES = {                 # head of a path -> what differs; a difference here is no difference of the strategy
    "data": "data", "instruments": "instrument definitions", "span": "date range", "account": "account", "costs": "costs", "execution": "execution", "code": "engine version", "libraries": "libraries",
}  # fmt: skip
FIRST = ("net_return", "annual_return", "max_drawdown", "sharpe", "profit_factor", "expectancy_r", "trades", "break_even_factor")


def picker(runs: list, run: Any) -> None:
    """Choose a run to compare with."""
    others = {other.id: other for other in runs if other.id != run.id}
    if not others:
        st.caption("There is no other run yet.")
        return
    chosen = st.selectbox("Compare with", list(others), index=None, placeholder="Choose a run", format_func=lambda key: titled(others[key]), key=f"beside-{run.id}-{st.query_params.get(OTHER, '')}", width=360)
    if chosen:
        go("backtest", run=run.id, **{OTHER: chosen})


def titled(run: Any) -> str:
    return f"{run.name or run.title} · {run.id} · {clock(run.created_at)} · {percent(run.summary['metrics']['net_return'], 1, True)}"


def view(desk: Desk, run: Any, other: Any) -> None:
    comparison = attempt(lambda: desk.compare.runs(run.id, other.id))
    if comparison is None:
        return
    figures, changed = comparison.metrics, comparison.changed
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":blue[:material/horizontal_rule:] **{literal(run.name or run.title)}** `{run.id}`", width="content")
        st.markdown(f":violet[:material/more_horiz:] **{literal(other.name or other.title)}** `{other.id}`", width="content")
        st.space("stretch")
        download("CSV", f"{run.id}_{other.id}_compared.csv", "text/csv", partial(desk.run_tables.download_comparison, run.id, other.id), f"take-{run.id}-{other.id}")
        if st.button("Close", icon=":material/close:", type="tertiary"):
            go("backtest", run=run.id)
    _warning(changed)
    _headline(desk, figures, run, other)
    left, right = st.columns([5, 3], gap="medium")
    with left:
        section("Equity and drawdown", f"{run.summary['currency']}, UTC; dashed: {other.name or other.id}")
        summary.equity(desk, run, other)
    with right:
        section("Parameter differences")
        if changed.empty:
            st.caption("None: both runs have the same settings.")
        else:
            shown = changed.assign(path=changed["path"].map(_setting), **{side: [_value(path, text) for path, text in zip(changed["path"], changed[side], strict=True)] for side in ("a", "b")})
            table(shown, {"path": st.column_config.TextColumn("Setting", width=140), "a": st.column_config.TextColumn(run.id, width=96), "b": st.column_config.TextColumn(other.id, width=96)}, "Settings in which the runs differ", height=294 if len(shown) > 9 else "auto")
    section("First diverging fill")
    st.caption(f"{':green[:material/check:]' if comparison.same else ':gray[:material/alt_route:]'} {literal(typeset(comparison.sentence))}")
    section("All metrics", "Δ = B − A; of shares in percentage points")
    _table(figures, run, other)


def _warning(changed: pd.DataFrame) -> None:
    """A warning before any number: metrics on different data or costs do not compare strategies."""
    heads = {str(path).split(".")[0].split("[")[0] for path in changed["path"]}
    differ = [word for head, word in DECIDES.items() if head in heads]
    if differ:
        *first, last = differ
        st.warning(f"These runs differ in {', '.join(first)}{' and ' if first else ''}{last}. Results are not like-for-like.", icon=":material/warning:")


def _headline(desk: Desk, figures: pd.DataFrame, run: Any, other: Any) -> None:
    currency, by_key = run.summary["currency"], figures.set_index("key")
    with st.grid(len(FIRST), min_column_width=108, gap="xsmall"):
        for key in (name for name in FIRST if name in by_key.index):
            row = by_key.loc[key]
            beside = valued(row["b"], row["unit"], currency, _signed(row["unit"]))
            st.metric(row["title"], valued(row["a"], row["unit"], currency, _signed(row["unit"])), f"vs {beside}", delta_color="off", delta_arrow="off", help=desk.backtests.metrics()[key].definition)


def _table(figures: pd.DataFrame, run: Any, other: Any) -> None:
    currency = run.summary["currency"]
    text = {name: [valued(value, unit, currency, name == "difference" or _signed(unit)) for value, unit in zip(figures[name], figures["unit"], strict=True)] for name in ("a", "b", "difference")}
    config = st.column_config
    columns = {"title": config.TextColumn("Metric", width=140), "a": config.TextColumn(run.id, width=90, alignment="right"), "b": config.TextColumn(other.id, width=90, alignment="right"), "difference": config.TextColumn("Δ", width=90, alignment="right")}
    half = -(-len(figures) // 2)
    shown = figures.assign(**text)
    for column, part in zip(st.columns(2, gap="medium"), (shown.iloc[:half], shown.iloc[half:]), strict=True):
        with column:
            table(part, columns, "Metrics of both runs with their difference", row_height=26, height="content")


def _signed(unit: str) -> bool:
    return unit == "money"


def _setting(path: str) -> str:
    """
    >>> _setting("costs.swap_long"), _setting("span[0]"), _setting("data.EURUSD.version")
    ('costs · swap long', 'first bar', 'data · EURUSD · version')
    """
    if path.startswith("span["):
        return ("first bar", "last bar")[int(path[5:-1])]
    return path.removeprefix("params.").replace("_", " ").replace(".", " · ")


def _value(path: str, text: str) -> str:
    """Settings as pages show them: hashes short, days without midnight, a limit of 0 off.

    >>> _value("span[1]", "2024-01-01T00:00:00+00:00"), _value("limits.daily_loss", "0.0"), _value("account.balance", "100000.0")
    ('2024-01-01', 'off', '100,000')
    """
    if len(text) == 64 and all(letter in "0123456789abcdef" for letter in text):
        return short(text)
    if path.startswith("span["):
        return text[:16].replace("T", " ").removesuffix(" 00:00")
    if path.startswith("limits.") and text in ("0.0", "0", ""):
        return "off"
    if text == "None":
        return "the instrument's"
    try:
        return exact(float(text)) if text else DASH
    except ValueError:
        return text.replace("_", " ")
