"""A walk-forward: out-of-sample result of the selection, fold by fold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.draw import draw_chart
from app.kit.figures import number, percent, plural
from app.kit.forms import choice
from app.kit.widgets import download, figures, history, section, table
from app.sweeps import charts, panels
from app.sweeps.names import declared, named, plain, point, rounded
from worker.desk import Desk

ROBUST = 0.5    # walk-forward efficiency below which the selection is not robust


def result(desk: Desk, run: Any) -> None:
    folds = panels.folds(desk, run.id)
    parameters = declared(desk, run.spec["strategy"])
    verdict(run, folds)
    figures(headline(desk, run, folds))
    history(run)
    if folds["out_of_sample_return"].notna().any():
        _out_of_sample(desk, run, folds, parameters)
    section("Windows", "grey: in sample, blue: out of sample; UTC")
    draw_chart(charts.windows(folds), alt=f"In-sample and out-of-sample window of each of {len(folds)} folds")
    _folds(desk, run, folds, parameters)
    _drift(run, folds, parameters)


def _out_of_sample(desk: Desk, run: Any, folds: pd.DataFrame, parameters: Mapping[str, Any]) -> None:
    """Equity of the tests, and their result beside that of the fits."""
    selected = [point(parameters, {name: fold[name] for name in run.summary["grid"]}) if pd.notna(fold["number"]) else "not traded" for fold in folds.to_dict("records")]
    left, right = st.columns([5, 2], gap="medium")
    with left:
        section("Out-of-sample equity", f"{run.summary['currency']}, windows in sequence, UTC; each band is a fold")
        spans = pd.DataFrame(dict(number=folds["fold"], start=folds["test_start"], end=folds["test_end"], chosen=selected, net=folds["out_of_sample_return"]))
        curve = panels.walked(desk, run.id, run.summary["balance"])
        draw_chart(charts.walked(curve, spans, run.summary["currency"]), alt=f"Equity of {len(folds)} tests, one after the other")
    with right:
        section("In-sample vs out-of-sample", "net return p.a., compounded")
        yearly = pd.DataFrame(dict(fold=folds["fold"], fitted=folds["in_sample_yearly"], tested=folds["out_of_sample_yearly"]))
        draw_chart(charts.in_and_out_of_sample(yearly, 232), alt="Net return p.a. of each fold in and out of sample")
        st.caption(efficiency(run))


def verdict(run: Any, folds: pd.DataFrame) -> None:
    net, ratio = run.summary["metrics"]["net_return"], run.summary["efficiency"]
    tested = folds["out_of_sample_return"].dropna()
    colour, icon, word = _word(net, ratio, len(tested))
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if run.synthetic:
            st.badge("synthetic", color="violet")
        st.badge(word, color=colour, icon=icon)
        st.markdown(_sentence(run, net, ratio, tested), width="stretch")


def _word(net: float, ratio: float | None, tested: int) -> tuple[Any, str, str]:
    if not tested:
        return "gray", ":material/remove:", "No fold was traded"
    if net <= 0:
        return "orange", ":material/trending_down:", "Unprofitable out of sample"
    if ratio is None:
        return "gray", ":material/help:", "No profit in sample"
    if ratio < ROBUST:
        return "orange", ":material/help:", "WFE < 0.5"
    return "green", ":material/check:", "Robust out of sample"


def _sentence(run: Any, net: float, ratio: float | None, tested: pd.Series) -> str:
    summary = run.summary
    if not len(tested):
        return f"In none of {plural(summary['folds'], 'fold')} did a combination have {summary['objective']['fewest_trades']:,} trades. Lower the minimum, or use longer in-sample windows."
    head = f"Out-of-sample net **{percent(net, 1, True)}** over {plural(len(tested), 'fold')}, {int((tested > 0).sum())} of them profitable."
    comparison = "" if ratio is None else f" The return p.a. out of sample is {percent(ratio, 0)} of that in sample." if ratio >= 0 else " Profitable in sample, unprofitable out of sample."
    left = summary["folds"] - summary["traded"]
    return head + comparison + (f" {plural(left, 'fold')} had no combination with enough trades and were not traded." if left else "")


def efficiency(run: Any) -> str:
    ratio = run.summary["efficiency"]
    if ratio is None:
        return "Tick: in sample; bar: out of sample. Efficiency (WFE) is not available: no profit in sample."
    return f"Tick: in sample; bar: out of sample. Walk-forward efficiency (WFE) {number(ratio, 2)}: mean net per day out of sample ÷ in sample; below 0.5 most of the in-sample result is overfitting. Source: Pardo (2008)."


def headline(desk: Desk, run: Any, folds: pd.DataFrame) -> list[tuple[str, str, str, str]]:
    m, defined, w = run.summary["metrics"], desk.backtests.metrics(), run.summary["windows"]
    tested = folds["out_of_sample_return"].dropna()
    return [
        ("OOS net return", percent(m["net_return"], 1, True), f"{percent(m['annual_return'], 1, True)} p.a.", defined["net_return"].definition),
        ("WFE", number(run.summary["efficiency"], 2), "OOS ÷ IS", "Walk-forward efficiency: net per day out of sample over that in sample, of the folds that traded."),
        ("Profitable folds", f"{int((tested > 0).sum())} of {len(tested)}", f"{w['in_sample']:,} days IS, {w['out_of_sample']:,} OOS", "Out-of-sample windows with a profit after costs."),
        ("Max drawdown", percent(m["max_drawdown"]), f"longest: {number(m['longest_drawdown'])} days", defined["max_drawdown"].definition),
        ("Sharpe", number(m["sharpe"], 2), "out of sample", defined["sharpe"].definition),
        ("Profit factor", number(m["profit_factor"], 2), "profit ÷ loss", defined["profit_factor"].definition),
        ("Trades", number(m["trades"]), f"win rate {percent(m['win_rate'], 0)}", defined["trades"].definition),
        ("Trials counted", number(desk.sweeps.trials(run.id)), "on this data", "Distinct trials of this strategy on this data by any user, ever. Each combination in each window is one."),
    ]


def _folds(desk: Desk, run: Any, folds: pd.DataFrame, parameters: Mapping[str, Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        section("Folds", f"selected by {choice(run.summary['objective']['figure'])} from {plural(run.summary['combinations'], 'combination')}; days are UTC")
        st.space("stretch")
        for name, label in (("folds", "Folds, CSV"), ("fits", "All fits, CSV"), ("trades", "Trades, CSV")):
            download(label, f"{run.id}_{run.spec['strategy']}_{name}.csv", "text/csv", lambda name=name: desk.sweeps.download(run.id, name), f"walk-{name}")     # type: ignore[misc]
    names = list(run.summary["grid"])
    rows = pd.DataFrame(
        dict(
            fold=folds["fold"], **{name: folds[name].dt.strftime("%Y-%m-%d") for name in ("start", "test_start", "test_end")},
            **{name: [None if pd.isna(value) else value if isinstance(value, (int, float)) else str(value) for value in folds[name]] for name in names},
            fitted=folds["in_sample_return"] * 100, fit_sharpe=folds["in_sample_sharpe"], tested=folds["out_of_sample_return"] * 100, kept=folds["kept"], trades=folds["out_of_sample_trades"],
        )
    )  # fmt: skip
    config = st.column_config
    columns: dict[str, Any] = {
        "fold": config.NumberColumn("Fold", width=44),
        "start": config.TextColumn("IS from", width=86),
        "test_start": config.TextColumn("OOS from", width=86),
        "test_end": config.TextColumn("OOS to", width=86),
        **{name: config.Column(named(parameters[name]) if name in parameters else name, width=100) for name in names},
        "fitted": config.NumberColumn("IS, %", format="%+.1f", width=60, help="Net return of the selected combination in sample."),
        "fit_sharpe": config.NumberColumn("IS Sharpe", format="%.2f", width=74, help="Sharpe of the selected combination in sample."),
        "tested": config.NumberColumn("OOS, %", format="%+.1f", width=60, help="Net return out of sample."),
        "kept": config.NumberColumn("OOS ÷ IS", format="%.2f", width=72, help="Net return p.a. out of sample ÷ in sample."),
        "trades": config.NumberColumn("OOS trades", format="localized", width=80),
    }
    table(rows, columns, "Folds with windows, selected parameters and results in and out of sample", row_height=26, height="auto" if len(rows) <= 16 else 420)


def _drift(run: Any, folds: pd.DataFrame, parameters: Mapping[str, Any]) -> None:
    moving = [name for name, given in run.summary["grid"].items() if len(given) > 1]
    chosen = folds.dropna(subset=["number"])
    if not moving or chosen.empty:
        return
    section("Parameter stability", "jumps suggest overfitting")
    draw_chart(charts.drift(chosen, {name: named(parameters[name]) for name in moving}), alt="Selected value of each parameter in each fold")
    moved = {name: run.summary["drift"].get(name) for name in moving}
    changes = [f"{plain(parameters[name])} {percent(value, 0)}" for name, value in moved.items() if value is not None]
    still = [f"{plain(parameters[name])} {rounded(chosen[name].iloc[0])}" for name in moving if chosen[name].nunique() == 1]
    st.caption(f"Mean change between folds, in % of the range: {', '.join(changes) or 'not available'}.{' Constant: ' + ', '.join(still) + '.' if still else ''}")
