"""A run split by the regime known at the time."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.backtest import charts as pictures
from app.backtest.running import begin, under_way
from app.kit.bands import left_out, thinned
from app.kit.draw import draw_chart
from app.kit.figures import money, percent, plural
from app.kit.widgets import download, section, table
from worker.desk import Desk
from worker.desk.splits import UNKNOWN

JOB = "labels"      # query parameter: the job that labels the run's bars
SPLIT = "split"     # the job that splits the run by them
LATER = 5           # bars: the delay that the sentence states


def pick(desk: Desk, run: Any, key: str, none: str = "") -> Any:
    """The regimes to split the run by; None where ``none`` is chosen, or there are none."""
    choices = desk.splits.choices(run.id)
    if not choices:
        return None
    several = len({choice.instrument for choice in choices}) > 1
    options = ([None] if none else []) + choices
    about = "Rules, and models fitted on the same bars: see Regimes on the Features page."
    return st.selectbox("Regimes", options, key=key, width=320, format_func=lambda choice: none if choice is None else f"{choice.title}{f' of {choice.instrument}' if several else ''}", help=about)


def ready(desk: Desk, run: Any, chosen: Any) -> bool:
    """Whether the run's bars have these labels; if not, a job labels them once and is shown."""
    if desk.splits.labelled_by(run.id, chosen.by, chosen.instrument) is not None:
        return True
    job = desk.jobs.get(st.query_params.get(JOB, ""))
    if job and job.title.startswith(f"{desk.regimes.title(chosen.by)} · {chosen.instrument} ") and under_way(desk, JOB):
        return False
    begin(JOB, partial(desk.splits.submit_for, run.id, chosen.by, chosen.instrument))
    return False


def view(desk: Desk, run: Any, chosen: Any) -> None:
    if chosen is None:
        st.caption("The data of this run was deleted, so its bars cannot be labelled. Import it again.")
        return
    if not ready(desk, run, chosen):
        return
    divided, currency = desk.splits.finished(run.id, chosen.by, chosen.instrument), run.summary["currency"]
    if divided is None:
        job = desk.jobs.get(st.query_params.get(SPLIT, ""))
        if not (job and job.title == f"{desk.regimes.title(chosen.by)} · {run.title}" and under_way(desk, SPLIT)):
            begin(SPLIT, partial(desk.splits.submit_split, run.id, chosen.by, chosen.instrument))
        return
    if divided.table.empty:
        st.caption("None of this run's bars has a regime.")
        return
    st.markdown(_verdict(divided, currency))
    left, right = st.columns([1, 2], gap="medium")
    shown = divided.table.rename(columns=dict(regime="group", expectancy_r="r_mean"))
    with left:
        section("Net PnL", f"{currency}, of the trades entered in each regime")
        draw_chart(pictures.group_bars(shown, currency), alt="Net of the trades entered in each regime")
    with right:
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            section("By regime", "as known at the time")
            st.space("stretch")
            download("CSV", f"{run.id}_{run.spec['strategy']}_regimes.csv", "text/csv", partial(desk.splits.download_split, run.id, chosen.by, chosen.instrument), f"take-regimes-{run.id}")
        percents = {name: shown[source] * 100 for name, source in (("of", "share"), ("won", "win_rate"), ("fall", "max_drawdown"))}
        table(shown.assign(**percents), _columns(currency), "Trades, net and equity of each regime", row_height=26)
        st.caption(_footnote(divided))
    left, right = st.columns([3, 2], gap="medium")
    order = divided.table["regime"].tolist()
    with left:
        section("Equity by regime", f"{currency}, of each regime alone; one scale")
        draw_chart(pictures.equity_rows(divided.curves, order, currency), alt="Equity of each regime alone over time")
    with right:
        section("Sensitivity to detection lag", f"{currency}, net PnL of its trades by bars of delay")
        draw_chart(pictures.late_rows(divided.late, [name for name in order if name in set(divided.late["regime"])], currency), alt="Net PnL of each regime's trades by the delay with which the regime is known")


def bands(desk: Desk, run: Any, chosen: Any) -> tuple[pd.DataFrame, list[str], str] | None:
    """The bands behind the equity chart, the names of the regimes, and the caption; None where none is chosen, or they
    are not labelled yet."""
    if chosen is None or not ready(desk, run, chosen):
        return None
    names = desk.splits.names_of(run.id, chosen.by, chosen.instrument)
    shown, size = _bands(desk, run.id, chosen.by, chosen.instrument)
    caption = f"{plural(len(shown), 'band')}: {chosen.title.lower() if not chosen.fitted else chosen.title} of {chosen.instrument}, known at the close of each bar.{thinned(size)}{left_out(names)}"
    return shown, names, caption


@st.cache_data(max_entries=32, show_spinner=False)
def _bands(_desk: Desk, run_id: str, by: str, instrument: str) -> tuple[pd.DataFrame, int]:
    return _desk.splits.bands_of(run_id, by, instrument)


def _verdict(divided: Any, currency: str) -> str:
    traded = divided.table[divided.table["trades"] > 0]
    if traded.empty:
        return "No trade was entered in any regime."
    labelled = traded[traded["regime"] != UNKNOWN]
    traded = labelled if len(labelled) else traded
    best, worst = traded.loc[traded["net"].idxmax()], traded.loc[traded["net"].idxmin()]
    parts = [_earned(best, currency)] + ([_earned(worst, currency)] if len(traded) > 1 else [])
    late = divided.late.set_index(["regime", "late"])["net"]
    name = str(best["regime"])
    then = f" With **{name}** known {LATER} bars later, the net PnL of its trades would be {money(late[name, LATER], currency, True)}." if (name, LATER) in late.index and best["net"] > 0 else ""
    return f"{'; '.join(parts)}.{then}"


def _earned(row: Any, currency: str) -> str:
    return f"**{row['regime']}**: net {money(row['net'], currency, True)}, {plural(int(row['trades']), 'trade')}, {percent(row['share'], 0)} of the time"


def _footnote(divided: Any) -> str:
    pooled = f" {divided.pooled} rare regimes are pooled." if divided.pooled else ""
    return f"Both columns of money add up to the totals of the run. With many regimes, one is good by chance.{pooled}"


def _columns(currency: str) -> dict[str, Any]:
    config = st.column_config
    return {
        "group": config.TextColumn("Regime", width=84),
        "of": config.NumberColumn("Time, %", format="%.0f", width=58),
        "trades": config.NumberColumn("Trades", format="localized", width=56),
        "won": config.NumberColumn("Win rate, %", format="%.0f", width=76),
        "net": config.NumberColumn(f"Net, {currency}", format="localized", width=76, step=1),
        "r_mean": config.NumberColumn("Mean, R", format="%+.3f", width=62),
        "profit_factor": config.NumberColumn("PF", format="%.2f", width=44, help="Profit factor: gross profit ÷ gross loss."),
        "equity": config.NumberColumn(f"Equity, {currency}", format="localized", width=82, step=1, help="Change in equity while the regime was the known one."),
        "fall": config.NumberColumn("DD, %", format="%.1f", width=50, help="Maximum drawdown of the equity of that regime alone."),
    }
