"""Combinations in rows: the best of them to sort and filter, the selected one to backtest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.grid import FILTERS, Column, grid, right
from app.kit.widgets import attempt, download, go, section
from app.sweeps.names import metric_text, named, point
from app.sweeps.ranges import fewest_trades_for, windows_for
from worker.desk import Desk

BEST = 500      # rows shown; all of them can be exported
SHOWN = ("sharpe", "net_return", "max_drawdown", "profit_factor", "expectancy_r", "trades", "win_rate", "calmar", "annual_return")
SHORT = {"net_return": "Net, %", "annual_return": "CAGR, %", "max_drawdown": "DD, %", "profit_factor": "PF", "expectancy_r": "Exp., R", "win_rate": "Win, %", "calmar": "Calmar", "sharpe": "Sharpe", "trades": "Trades"}
WIDTHS = {"profit_factor": 56, "trades": 62, "win_rate": 62, "annual_return": 72}      # pixels
SHARES = {"net_return", "annual_return", "max_drawdown", "win_rate"}


def combinations(desk: Desk, run: Any, rows: pd.DataFrame, every: int, parameters: Mapping[str, Any], names: Sequence[str], by: str, first: int | None, note: str = "") -> int | None:
    """Draw ``rows``, the best ``BEST`` of ``every``; the number of the chosen one, ``first`` before a choice."""
    metrics = desk.backtests.metrics()
    shown = rows.head(BEST)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        section("Combinations", note or f"the best {len(shown):,} of {every:,} by {metrics[by].title if by in metrics else by}" if every > len(shown) else note or f"all {every:,}")
        st.space("stretch")
        filters = st.toggle("Filters", key="combination_filters", help=FILTERS)
        for label, form, mime in (("CSV", "csv", "text/csv"), ("Parquet", "parquet", "application/octet-stream")):
            name = f"{run.id}_{run.spec['strategy']}_combinations.{form}"
            download(f"All {every:,}, {label}", name, mime, partial(desk.backtests.download, run.id, "table", form), f"all-{form}")
    panel = st.container()
    columns: dict[str, Column] = {"number": ("#", right(0, width=50, cellClass=["ag-right-aligned-cell", "mute"]))}
    columns |= {_field(name): (_title(parameters, name), _column(rows[name])) for name in names}
    columns |= {name: (SHORT[name], right(0 if name == "trades" else 3 if name == "expectancy_r" else 1 if name in SHARES else 2, name in ("net_return", "annual_return", "expectancy_r"), width=WIDTHS.get(name, 66), headerTooltip=metrics[name].definition)) for name in SHOWN if name in rows}
    scaled = shown.assign(**{name: shown[name] * 100 for name in SHARES if name in shown})
    row = grid(scaled.rename(columns=_field), columns, f"combinations-{run.id}-{by}-{filters}-{note}", rows=12, pick=True, filters=filters)
    number = int(row["number"]) if row is not None else first
    if number is not None:
        with panel:
            _chosen(desk, run, rows, number, parameters, names, clicked=row is not None)
    return number


def _field(name: str) -> str:
    """The name without dots, which AgGrid reads as steps into an object."""
    return name.replace(".", "-")


def _title(parameters: Mapping[str, Any], name: str) -> str:
    return named(parameters[name]) if name in parameters else name


def _column(values: pd.Series) -> dict[str, Any]:
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return dict(minWidth=96, flex=1)
    integral = bool((values.dropna() % 1 == 0).all())
    return right(0 if integral else 3 if values.abs().max() < 100 else 1, minWidth=96, flex=1)


def _chosen(desk: Desk, run: Any, rows: pd.DataFrame, number: int, parameters: Mapping[str, Any], names: Sequence[str], clicked: bool) -> None:
    metrics = desk.backtests.metrics()
    row = rows[rows["number"] == number].iloc[0]
    figures = " · ".join(f"{metrics[name].title} {metric_text(metrics[name], row[name])}" for name in ("net_return", "sharpe", "max_drawdown", "trades") if pd.notna(row[name]))
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{number}** {point(parameters, {name: row[name] for name in names})}  \n:gray[{figures or 'no metrics: it was pruned, or failed'}]{'' if clicked else ' :gray[· select another below]'}", width="stretch")
        if st.button("Walk-forward around it", icon=":material/timeline:", key=f"walk-around-{run.id}", help="Optimises the values next to these, one on either side, on windows that roll forward: a year and a quarter, or less where the period is short. Every combination in each window counts as a trial."):
            _walk_forward(desk, run, number, float(row["trades"]))
        if st.button("Backtest this", type="primary", icon=":material/candlestick_chart:", key=f"test-{run.id}", help="Runs this combination as a backtest and opens it: trades, costs, robustness. It does not count as a new trial."):
            submitted = attempt(lambda: desk.backtests.submit(desk.sweeps.request_of(run.id, number)))
            _follow("backtest", submitted)


def _walk_forward(desk: Desk, run: Any, number: int, trades: float) -> None:
    """Optimise the region around the combination, on windows that fit into the period of the run."""
    request = desk.sweeps.request_of(run.id, number)
    days = (request.end - request.start).days
    windows = windows_for(days)
    objective = dict(fewest_trades=fewest_trades_for(trades, windows["in_sample"], days))
    _follow("sweeps", attempt(lambda: desk.sweeps.submit_walk_forward(request, desk.sweeps.region_of(run.id, number), windows, objective)))


def _follow(page: str, submitted: Any) -> None:
    """Open the result, or the job that makes it."""
    if submitted is not None:
        done = submitted.job.state == "done"
        go(page, **({"run": submitted.job.result["run"]} if done else {"job": submitted.job.id}))
