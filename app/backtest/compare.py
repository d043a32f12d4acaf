"""Two to six runs side by side: settings that differ first, then equity on one clock, then every metric with its difference to the first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from app.backtest.metric_table import metric_table
from app.backtest.statistics import shown
from app.kit.charts import Picture, days_format, unit, utc
from app.kit.draw import draw_chart
from app.kit.figures import DASH, THIN, clock, exact, number, percent, short, typeset, valued
from app.kit.forms import label
from app.kit.text import literal
from app.kit.theme import at, by_role, tip_time
from app.kit.widgets import attempt, download, go, section, table
from app.kit.window import taller
from worker.desk import Desk

OTHER = "with"      # query parameter: the ids of the others, with commas between
MOST = 6
LETTERS = "ABCDEF"
ROLES = ("line", "other", "up", "down", "warn", "ink")
ICONS = ("blue", "violet", "green", "orange", "yellow", "gray")
DASHES = ([1, 0], [4, 3], [1, 2], [8, 3], [6, 2, 1, 2], [2, 1])


def picker(desk: Desk, run: Any) -> None:
    """Choose runs to compare with."""
    named = [desk.backtests.find(name) for name in st.query_params.get(OTHER, "").split(",") if name]     # however old
    others = {other.id: other for other in [*desk.backtests.latest(200), *named] if other and other.id != run.id}
    if not others:
        st.caption("There is no other run yet.")
        return
    beside = [name for name in st.query_params.get(OTHER, "").split(",") if name in others]
    chosen = st.multiselect("Compare with", list(others), beside, placeholder=f"Choose up to {MOST - 1} runs", max_selections=MOST - 1, format_func=lambda key: titled(others[key]), key=f"beside-{run.id}-{','.join(beside)}", width=380)
    if chosen != beside:
        go("backtest", run=run.id, **({OTHER: ",".join(chosen)} if chosen else {}))


def titled(run: Any) -> str:
    return f"{run.name or run.title} · {run.id} · {clock(run.created_at)} · {percent(run.summary['metrics']['net_return'], 1, True)}"


def view(desk: Desk, ids: list[str]) -> None:
    beside = attempt(lambda: desk.compare.several(ids))
    if beside is None:
        return
    runs = list(beside.runs)
    _head(desk, runs)
    for sentence in beside.warnings:
        st.warning(literal(typeset(sentence)), icon=":material/warning:")
    _settings(beside.changed, runs, _titles(desk, runs))
    section("Equity", "change since the start, %, UTC")
    draw_chart(curves_chart(desk.compare.curves([run.id for run in runs]), runs), alt="Equity of the runs over their starts")
    if len(runs) == 2:
        _fills(desk, runs)
    section("All metrics", "Δ is the difference to A; of shares in percentage points")
    _metrics(desk, beside.metrics, runs)


def _head(desk: Desk, runs: list[Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(gap="xxsmall"):
            for letter, colour, run in zip(LETTERS, ICONS, runs, strict=False):
                st.markdown(f":{colour}[**{letter}**] **{literal(run.name or run.title)}** `{run.id}` · {percent(run.summary['metrics']['net_return'], 1, True)}", width="content")
        st.space("stretch")
        ids = [run.id for run in runs]
        download("CSV", f"{'_'.join(ids)}_compared.csv", "text/csv", partial(desk.compare.download_several, ids), f"take-{'-'.join(ids)}")
        if st.button("Close", icon=":material/close:", type="tertiary"):
            go("backtest", run=runs[0].id)


def _settings(changed: pd.DataFrame, runs: list[Any], titles: Mapping[str, str]) -> None:
    section("Parameter differences", "settings, data and versions in which the runs are not all alike")
    if changed.empty:
        st.caption("None: the runs have the same settings.")
        return
    config = st.column_config
    shown = pd.DataFrame({"path": changed["path"].map(lambda path: titles.get(path) or _setting(path)), **{letter: [_value(path, text) for path, text in zip(changed["path"], changed[run.id], strict=True)] for letter, run in zip(LETTERS, runs, strict=False)}})
    columns = {"path": config.TextColumn("Setting", width=190), **{letter: config.TextColumn(letter, width=110) for letter in LETTERS[: len(runs)]}}
    table(shown, columns, "Settings in which the runs differ", height=294 if len(shown) > 9 else "auto")


def _titles(desk: Desk, runs: list[Any]) -> dict[str, str]:
    """Path of a setting -> its title with its unit, of strategies and of rules."""
    own = {f"params.{param.name}": label(param.name, param.unit, param.title) for run in runs for param in desk.backtests.params(run.spec["strategy"])}
    rules = {f"{section}.{param.name}": f"{section.capitalize()}: {label(param.name, param.unit, param.title)}" for section in desk.backtests.rules() for param in desk.backtests.rule_params(section)}
    return own | rules


def curves_chart(curves: pd.DataFrame, runs: list[Any], height: int = 260) -> Picture:
    """Equity of the runs over their starts, each named by its letter at its end. ``curves``: run, ts, share."""
    layers: list[Any] = []
    tips = [alt.Tooltip("letter:N", title="run"), tip_time(), alt.Tooltip("share:Q", format="+.2%", title="since the start")]
    axis = utc(days_format(curves["ts"].sort_values()), tickCount=6)
    for letter, role, dash, run in zip(LETTERS, ROLES, DASHES, runs, strict=False):
        own = curves[curves["run"] == run.id].assign(letter=f"{letter} · {run.id}", end=letter)
        base = alt.Chart(own).transform_calculate(role=f"'{role}'")
        y = alt.Y("share:Q", axis=unit("", format="+%"))
        layers.append(base.mark_line(strokeDash=dash, strokeWidth=1.4).encode(x=at(**axis), y=y, color=by_role(), tooltip=tips))
        layers.append(alt.Chart(own.tail(1)).transform_calculate(role=f"'{role}'").mark_text(align="right", dy=-8, fontWeight=600).encode(x=at(**axis), y="share:Q", text="end:N", color=by_role()))
    return alt.layer(*layers).properties(height=taller(height))


def _fills(desk: Desk, runs: list[Any]) -> None:
    comparison = desk.compare.runs(runs[0].id, runs[1].id)
    section("First diverging fill")
    st.caption(f"{':green[:material/check:]' if comparison.same else ':gray[:material/alt_route:]'} {literal(typeset(comparison.sentence))}")


def _metrics(desk: Desk, metrics: pd.DataFrame, runs: list[Any]) -> None:
    """Draw every metric: the value of each run, and beneath the first its difference to it."""
    letters, ids, about = LETTERS[: len(runs)], [run.id for run in runs], desk.backtests.metrics()
    rows, currency = metrics.to_dict("records"), runs[0].summary["currency"]
    pip = _pip(desk, ids)
    text = {letter: [shown(row, run.summary["currency"], pip, run.id) for row in rows] for letter, run in zip(letters, runs, strict=True)}
    changes = {f"Δ {letter}": [difference(row[run_id] - row[ids[0]], row["unit"], currency, pip) for row in rows] for letter, run_id in zip(letters[1:], ids[1:], strict=True)}
    order = ["A", *(name for letter in letters[1:] for name in (letter, f"Δ {letter}"))]
    columns = {name: (name, "" if name.startswith("Δ") else runs[LETTERS.index(name)].name or runs[LETTERS.index(name)].title) for name in order}
    described = metrics.assign(definition=[about[key].definition for key in metrics["key"]], source=[about[key].source for key in metrics["key"]])
    metric_table(described.assign(**text, **changes), desk.backtests.families(), columns, "Metrics of the runs with their differences to the first")


def _pip(desk: Desk, ids: list[str]) -> float | None:
    """The pip of all the runs, where it is one."""
    pips_ = {instrument.pip for run_id in ids for instrument in desk.backtests.instruments_of(run_id)}
    return pips_.pop() if len(pips_) == 1 else None


def difference(value: float, unit_: str, currency: str, pip: float | None = None) -> str:
    """A signed difference; of shares in percentage points.

    >>> difference(0.834, "share", "USD"), difference(-1200.0, "money", "USD"), difference(float("nan"), "share", "USD")
    ('+83.4\u202fpp', '\u22121,200\u202fUSD', '\u2014')
    """
    if unit_ == "price" and pip is not None:
        return DASH if pd.isna(value) else f"{number(value / pip, 2, True)}{THIN}pips"
    if unit_ != "share":
        return valued(value, unit_, currency, True)
    return DASH if pd.isna(value) else f"{number(value * 100, 1, True)}{THIN}pp"


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
