"""A grid search: significance of its best combination, overfitting, and the parameter landscape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.draw import draw_chart
from app.kit.figures import number, percent, plural
from app.kit.widgets import figures, history, section
from app.sweeps import charts, panels
from app.sweeps.importance import importance
from app.sweeps.names import FIGURES, declared, form, metric_text, named, point, rounded, with_unit
from app.sweeps.parallel import parallel
from app.sweeps.slices import slices
from app.sweeps.table import combinations
from worker.desk import Desk

SIGNIFICANT = 0.95  # deflated Sharpe ratio from which on the best is significant
OVERFIT = 0.5       # PBO from which on selecting the best is no better than a random choice
COUNT = "trades"    # the metric of which more is not better
PROFIT = {"sharpe": 0.0, "net_return": 0.0, "annual_return": 0.0, "calmar": 0.0, "expectancy_r": 0.0, "profit_factor": 1.0}     # value above which a metric shows a profit
CELLS = 5_000       # of a map; a finer one is thinned

Cell = tuple[Any, Any]


def result(desk: Desk, run: Any) -> None:
    luck, over = panels.luck_of_best(desk, run), desk.sweeps.pbo(run.id)
    best = next((combination for combination in run.summary["best"] if combination["sharpe"] is not None), None)
    if best is not None and best["sharpe"] <= 0:        # the smallest loss: tests of the selection do not apply
        luck, over = replace(luck, dsr=None), None
    verdict(run, luck, over, best)
    figures(headline(run, luck, over, best))
    history(run)
    parameters = declared(desk, run.spec["strategy"])
    grid = run.summary["grid"]
    table = panels.table(desk, run.id, "sharpe")
    moving = [name for name, given in grid.items() if len(given) > 1]
    picked, by, first = None, "sharpe", None if best is None else int(best["number"])
    if len(moving) > 1:
        picked, by, first = landscape(desk, run, parameters, moving)
    elif moving:
        by = alone(desk, run, parameters, moving[0])
    rows = panels.table(desk, run.id, by)
    note = ""
    narrowed = parallel(run, rows, parameters, moving, desk.backtests.metrics()[by])
    if len(narrowed) < len(rows) and not picked:
        rows, note = narrowed, f"{len(narrowed):,} of {len(table):,} inside the ranges above"
        first = int(rows["number"].iloc[0]) if len(rows) else first
    if picked:
        for name, value in picked.items():
            rows = rows[rows[name] == value]
        note = f"{len(rows):,} in the cell {point(parameters, picked)}; click it again for all"
        first = int(rows["number"].iloc[0]) if len(rows) else first
    importance(run, parameters, "Sharpe")
    slices(run, table, parameters, moving, desk.backtests.metrics()[by], first)
    combinations(desk, run, rows, len(table), parameters, list(grid), by, first, note)


def verdict(run: Any, luck: panels.Luck, over: Any, best: Mapping[str, Any] | None) -> None:
    """The number of trials, and the significance of the best one."""
    colour, icon, word = _word(luck, over, best)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if run.synthetic:
            st.badge("synthetic", color="violet")
        st.badge(word, color=colour, icon=icon)
        st.markdown(_sentence(run, luck, best), width="stretch")
    st.caption(overfit(over, best))


def _word(luck: panels.Luck, over: Any, best: Mapping[str, Any] | None) -> tuple[Any, str, str]:
    if best is None:
        return "gray", ":material/remove:", "No result"
    if best["sharpe"] <= 0:
        return "orange", ":material/trending_down:", "No profitable combination"
    if over is not None and over.pbo >= OVERFIT:
        return "orange", ":material/close:", "Selection does not generalise (PBO ≥ 0.5)"
    if luck.dsr is None:
        return "gray", ":material/help:", "Not measurable"
    if luck.dsr < SIGNIFICANT:
        return "orange", ":material/help:", "Not significant (DSR < 0.95)"
    return "green", ":material/check:", "Significant (DSR ≥ 0.95)"


def _sentence(run: Any, luck: panels.Luck, best: Mapping[str, Any] | None) -> str:
    head = f"{plural(run.summary['combinations'], 'combination')} of {run.spec['strategy']}; **{plural(luck.trials, 'trial')}** on this data in total."
    if best is None:
        return f"{head} None has a Sharpe ratio: too few trades, or too few days."
    if best["sharpe"] <= 0:
        return f"{head} The best has a Sharpe of **{number(best['sharpe'], 2)}**."
    if luck.sharpe is None:
        return f"{head} The best has a Sharpe of {number(best['sharpe'], 2)}; too few days to test its significance."
    return f"{head} The best has a Sharpe of **{number(best['sharpe'], 2)}**; expected maximum of {luck.trials:,} zero-edge trials: {number(luck.sharpe, 2)}. Deflated Sharpe ratio {number(luck.dsr, 2)}: probability that the true Sharpe is above that."


def overfit(over: Any, best: Mapping[str, Any] | None = None) -> str:
    """The probability of backtest overfitting in plain words."""
    if best is not None and best["sharpe"] <= 0:
        return "Overfitting was not evaluated: no combination is profitable."
    if over is None:
        return "The probability of overfitting is not available: it needs at least 64 days and two combinations with trades."
    return (
        f"Probability of overfitting (PBO) {number(over.pbo, 2)}: over {over.splits:,} splits into halves, the best of one half was {times(over.pbo)} below median in the other"
        f"{'; selecting the best is then no better than a random choice' if over.pbo >= OVERFIT else ''}. It lost money there {times(over.probability_of_loss)}."
    )


def times(share: float) -> str:
    """
    >>> times(0.41), times(0.009), times(0.0)
    ('41 times in 100', '1 time in 100', 'never')
    """
    count = round(share * 100)
    return "never" if not share else f"{count} {'time' if count == 1 else 'times'} in 100" if count else "less than once in 100"


def headline(run: Any, luck: panels.Luck, over: Any, best: Mapping[str, Any] | None) -> list[tuple[str, str, str, str]]:
    spread, left = run.summary["sweep_spread"], sum(run.summary["refused"].values())
    return [
        ("Combinations", number(run.summary["combinations"]), f"{left:,} infeasible" if left else "whole grid", "Feasible combinations; infeasible ones contradict themselves, such as a fast average slower than the slow one."),
        ("Trials counted", number(luck.trials), "on this data", "Distinct trials of this strategy on this data by any user, ever: grid searches, Bayesian searches, walk-forwards and single runs, deleted ones included."),
        ("Best Sharpe", number(best["sharpe"], 2) if best else number(None), f"null max. {number(luck.sharpe, 2)}", "Of the best combination, daily, annualised. Expected maximum under the null: what the best of all trials would reach on average without any edge, given the spread of their Sharpe ratios."),
        ("Deflated Sharpe", number(luck.dsr, 2), f"threshold {SIGNIFICANT:g}", "Probability that the true Sharpe of the best is above the expected maximum of as many zero-edge trials. Source: Bailey & López de Prado (2014)."),
        ("PBO", number(over.pbo if over else None, 2), "threshold 0.5", "Probability of backtest overfitting: how often the best combination of one half of the time is below median in the other half. Source: Bailey, Borwein, López de Prado & Zhu (2017)."),
        ("Profitable share", percent(spread.get("above_zero"), 0), "Sharpe > 0", "Share of combinations with a Sharpe above 0. It is low where a strategy works in a corner of its parameters only."),
        ("Median Sharpe", number(spread.get("q50"), 2), f"{number(spread.get('q05'), 1)} … {number(spread.get('q95'), 1)}", "Median of all combinations; below it their 5–95 % range."),
    ]


# -- the landscape


def landscape(desk: Desk, run: Any, parameters: Mapping[str, Any], moving: list[str]) -> tuple[dict[str, Any] | None, str, int | None]:
    """Draw the maps; the clicked cell, the metric, and the combination that is selected first: the best of the best
    plateau."""
    metrics = desk.backtests.metrics()
    cells = st.columns(3)
    x = cells[0].selectbox("X axis", moving, 0, key=f"x-{run.id}", format_func=lambda name: named(parameters[name]))
    others = [name for name in moving if name != x]
    y = cells[1].selectbox("Y axis", others, 0, key=f"y-{run.id}-{x}", format_func=lambda name: named(parameters[name]))
    by = cells[2].selectbox("Metric", FIGURES, 0, key=f"figure-{run.id}", format_func=lambda name: metrics[name].title)
    fixed = _fixed_parameters(run, parameters, [name for name in moving if name not in (x, y)])
    cells_of = panels.heat(desk, run.id, x, y, by, tuple(fixed.items()))
    if cells_of["value"].isna().all():
        st.caption("No combination has this metric.")
        return None, by, None
    chosen = st.session_state.get(f"map-{run.id}-{x}-{y}-{by}", {}).get("selection", {}).get("cell", [])
    picked = (chosen[0]["x"], chosen[0]["y"]) if chosen else None
    level = cells_of.loc[cells_of["plateau"].idxmax()] if by != COUNT and cells_of["plateau"].notna().any() else None
    drawn, every = thinned(cells_of, level)
    drawn = drawn.assign(best=False if level is None else (drawn["x"] == level["x"]) & (drawn["y"] == level["y"]))
    left, right = st.columns(2, gap="medium")
    titles = (named(parameters[x]), named(parameters[y]))
    with left:
        section(metrics[by].title, _median(fixed, moving, parameters) + ("" if drawn["points"].max() == 1 else "; median of each cell"))
        key = f"map-{run.id}-{x}-{y}-{by}"
        draw_chart(charts.heat(drawn, "value", *titles, with_unit(metrics[by]), form(metrics[by]), picked), key=key, on_select="rerun", selection_mode="cell", alt=f"{metrics[by].title} over {titles[0]} and {titles[1]}")
    with right:
        section("Plateau", "mean less spread of a cell and its neighbours")
        draw_chart(charts.heat(drawn, "plateau", *titles, with_unit(metrics[by]), form(metrics[by]), picked), alt=f"Plateau score of {metrics[by].title} over {titles[0]} and {titles[1]}")
    st.caption(map_sentence(metrics[by], cells_of, level, parameters, x, y) + (f" Every {every} value of each parameter is drawn." if every else "") + " Click a cell to see its combinations.")
    return dict(zip((x, y), picked, strict=True)) if picked else None, by, _start(desk, run, by, fixed, level, x, y)


def _fixed_parameters(run: Any, parameters: Mapping[str, Any], others: list[str]) -> dict[str, Any]:
    """The chosen values of the parameters that are on neither axis; one that is not chosen has all its values."""
    fixed: dict[str, Any] = {}
    for place, name in enumerate(others):
        if not place % 4:
            cells = st.columns(4)
        options = [None, *run.summary["grid"][name]]
        value = cells[place % 4].selectbox(f"{named(parameters[name])}, slice", options, 0, key=f"held-{run.id}-{name}", format_func=lambda each: "all values (median)" if each is None else rounded(each))
        fixed |= {} if value is None else {name: value}
    return fixed


def _median(fixed: Mapping[str, Any], moving: list[str], parameters: Mapping[str, Any]) -> str:
    return f"at {point(parameters, fixed)}" if fixed else f"all {plural(len(moving), 'parameter')}"


def thinned(cells: pd.DataFrame, level: pd.Series | None) -> tuple[pd.DataFrame, str]:
    """At most ``CELLS`` of a map, every so many values of each axis, ``level`` among them; and how many, in words."""
    if len(cells) <= CELLS:
        return cells, ""
    every = int((len(cells) / CELLS) ** 0.5) + 1
    drawn = []
    for axis in ("x", "y"):
        values = sorted(cells[axis].unique())
        drawn.append(values[0 if level is None else values.index(level[axis]) % every :: every])
    return cells[cells["x"].isin(drawn[0]) & cells["y"].isin(drawn[1])].reset_index(drop=True), {2: "second", 3: "third"}.get(every, f"{every}th")


def map_sentence(metric: Any, cells: pd.DataFrame, level: pd.Series | None, parameters: Mapping[str, Any], x: str, y: str) -> str:
    """The best cell, and whether it is the best plateau."""
    top, low = cells.loc[cells["value"].idxmax()], cells.loc[cells["value"].idxmin()]
    if metric.key == COUNT:
        return f"Most trades: {point(parameters, {x: top['x'], y: top['y']})}, {metric_text(metric, top['value'])}; fewest: {point(parameters, {x: low['x'], y: low['y']})}, {metric_text(metric, low['value'])}."
    edge = "" if level is None or not _at_edge(cells, level) else " It is at the edge of the grid: widen the range there."
    place = {name: point(parameters, {x: cell["x"], y: cell["y"]}) for name, cell in (("top", top), ("level", level)) if cell is not None}
    if level is None:
        return f"Best cell: {place['top']}, {metric_text(metric, top['value'])}. There are too few cells for a plateau."
    if place["top"] == place["level"]:
        return f"The best cell, {place['top']} with {metric_text(metric, top['value'])}, is also the best plateau ({metric_text(metric, level['plateau'])}): neighbouring cells are {'profitable too' if profits(metric.key, level['plateau']) else 'similar'}. It is outlined.{edge}"
    return (
        f"Outlined: the best plateau, {place['level']}, {metric_text(metric, level['value'])} and {metric_text(metric, level['plateau'])} with its neighbours.{edge} "
        f"The best cell, {place['top']}, has {metric_text(metric, top['value'])}, and {metric_text(metric, top['plateau'])} with its neighbours."
    )


def profits(figure: str, value: float) -> bool:
    """Whether the metric has the value of a profit; False for metrics that do not show it."""
    return figure in PROFIT and value > PROFIT[figure]


def _at_edge(cells: pd.DataFrame, cell: pd.Series) -> bool:
    """Whether the cell is at the edge of the grid, on an axis of at least three numbers."""
    axes = [cells[axis] for axis in ("x", "y") if cells[axis].dtype.kind in "if" and cells[axis].nunique() > 2]
    return any(cell[str(axis.name)] in (axis.min(), axis.max()) for axis in axes)


def _start(desk: Desk, run: Any, by: str, fixed: Mapping[str, Any], level: pd.Series | None, x: str, y: str) -> int | None:
    rows = panels.table(desk, run.id, "sharpe" if by == COUNT else by)
    for name, value in fixed.items():
        rows = rows[rows[name] == value]
    if level is not None:
        rows = rows[(rows[x] == level["x"]) & (rows[y] == level["y"])]
    return int(rows["number"].iloc[0]) if len(rows) else None


def alone(desk: Desk, run: Any, parameters: Mapping[str, Any], name: str) -> str:
    """Draw a grid over one parameter as a curve; the chosen metric."""
    metrics = desk.backtests.metrics()
    by = st.columns(4)[0].selectbox("Metric", FIGURES, 0, key=f"figure-{run.id}", format_func=lambda key: metrics[key].title)
    rows = panels.table(desk, run.id, by)
    shown = pd.DataFrame(dict(number=rows["number"], x=rows[name], value=rows[by], best=rows.index == 0, chosen=[point(parameters, {name: value}) for value in rows[name]]))
    section(metrics[by].title, f"over {named(parameters[name])}; large dot: best")
    draw_chart(charts.slice_of(shown, named(parameters[name]), with_unit(metrics[by]), form(metrics[by])), alt=f"{metrics[by].title} over {named(parameters[name])}")
    return by
