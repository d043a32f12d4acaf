"""Robustness of a result: significance, overfitting, Monte Carlo, stress tests, warnings."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.backtest import charts as pictures
from app.backtest.running import begin, under_way
from app.backtest.verdict import ANSWERS, LEVELS
from app.kit.draw import draw_chart
from app.kit.figures import DASH, multiple, number, percent, plural, typeset
from app.kit.forms import field
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import download, figures, section, table
from worker.desk import Desk

STRESS, HISTORIES = "stress", "histories"       # query parameters: the jobs that are under way
TITLES = {"paths": "Number of paths", "seed": "Seed"}
MORE = 10_000       # paths that are offered first


def view(desk: Desk, run: Any, evidence: Any) -> None:
    if not evidence.evaluated:
        st.caption("This run was created by an older version, which did not record what the checks need. Run it again from the form above.")
        return
    figures(_figures(evidence), width=130)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        section("Checks", "a pass is absence of evidence against; grey: not run")
        st.markdown(_questions(evidence.belief.questions))
    with right:
        _remarks(evidence)
    _histories(desk, run, evidence)
    _stress(desk, run, evidence)


def _questions(questions: Any) -> str:
    """The checks as a Markdown table of two columns, so that sentences wrap."""
    rows = [f"| :{ANSWERS[question.answer][0]}[{ANSWERS[question.answer][1]}]\u00a0**{question.title}** | :gray[{question.asks}] {literal(typeset(question.sentence))} |" for question in questions]
    return "\n".join(["| Check | Result |", "|:--|:--|", *rows])


def _figures(evidence: Any) -> list[tuple[str, str, str, str]]:
    s, o, m, belief = evidence.belief.significance, evidence.belief.overfitting, evidence.belief.monte_carlo, evidence.belief
    grown = "" if s is None or s.trials == evidence.then else f", {evidence.then:,} when the run was created"
    band = f"{percent(belief.band[0], 1, True)} … {percent(belief.band[1], 1, True)}" if belief.band else "no effect on net"
    return [
        ("PSR", percent(s.psr) if s else DASH, "threshold 95\u202f%", "Probability that the true Sharpe ratio is above 0, given its length, skew and tails: the probabilistic Sharpe ratio of Bailey and López de Prado (2012)."),
        ("DSR", percent(s.dsr) if s else DASH, f"{plural(s.trials, 'trial') if s else DASH}; threshold 95\u202f%", f"Probability that the true Sharpe ratio is above what the best of all trials on these bars with this strategy would reach without an edge{grown}. Deleted runs and every point of a sweep count: the deflated Sharpe ratio (2014)."),
        ("Min. track record length", f"{number(s.minimum_periods)} days" if s and s.minimum_periods is not None else "not reachable", f"{number(s.periods) if s else DASH} days observed", "Days of record at which the PSR would reach 95\u202f%, at this Sharpe ratio; not reachable where it is not above 0."),
        ("PBO", percent(o.pbo) if o else DASH, f"{o.columns:,} combinations" if o else "no profit" if (belief.net_return or 0.0) <= 0 else "no grid search yet", "Probability of backtest overfitting: how often the best combination of a grid search in one half of the time is below the median in the other half. From the newest grid search on the same data with the same strategy."),
        ("P(loss), Monte Carlo", percent(m.chance_of_loss) if m else DASH, f"of {m.paths:,} paths" if m else "not run", "Share of paths, resampled in blocks from the same trades, that end below the start."),
        ("Ambiguous bars", number(belief.ambiguous), band, "Bars that reached both stop and target, and the net return with all of them resolved against and for the position."),
    ]  # fmt: skip


def _remarks(evidence: Any) -> None:
    section("Warnings", "automatic")
    for remark in evidence.remarks:
        st.caption(f"{LEVELS[remark.level]} {literal(typeset(remark.sentence))}")
    if not evidence.remarks:
        st.caption(":green[:material/check:] No warnings.")
    seen = evidence.look_ahead
    if evidence.gate == "green":
        st.badge("No look-ahead", color="green", icon=":material/check:")
        st.caption(f"{plural(seen['cuts'], 'cut')} of {number(seen['bars'])} bars: signals are unchanged when future bars are removed.")
    elif evidence.gate == "red":
        st.badge("Look-ahead bias detected", color="red", icon=":material/error:")
        for leak in (seen or {}).get("leaks") or ["A look-ahead check of the same strategy on the Features page found it"]:
            st.markdown(f":red[{literal(typeset(leak))}]")
    else:
        st.badge("Not checked for look-ahead", color="gray", icon=":material/help:")


def _histories(desk: Desk, run: Any, evidence: Any) -> None:
    drawn, m = evidence.histories, evidence.belief.monte_carlo
    if not drawn or m is None:
        return
    word = "trades" if m.sample == "trades" else "days"
    how = f"block bootstrap, mean block {number(m.block, 1)}" if m.block > 1 else "i.i.d. bootstrap"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.subheader("Monte Carlo", anchor=False, width="content")
        st.caption(f"{number(m.paths)} paths of the same {word} ({how}), seed {m.seed}; bands: 50\u202f% and 90\u202f%", width="content")
        st.space("stretch")
        with st.popover("Run more paths…", icon=":material/shuffle:", key=f"draw-{run.id}-{st.query_params.get(HISTORIES, '')}"):      # new paths close it
            _draw(desk, run, m)
        if evidence.drawn:
            download("CSV", f"{run.id}_histories.csv", "text/csv", partial(desk.backtests.download, evidence.drawn.id, "draws", "csv"), f"take-histories-{run.id}")
    if under_way(desk, HISTORIES):
        return
    left, right = st.columns(2, gap="medium")
    with left:
        section("Equity fan", "median, 50\u202f% and 90\u202f% bands")
        draw_chart(pictures.fan(pd.DataFrame(drawn["fan"]), m.unit, word), alt="Bands of the resampled equity paths")
    with right:
        section("Max-drawdown distribution", "line: this run")
        draw_chart(pictures.falls(pd.DataFrame(drawn["falls"]), m.observed_drawdown, m.unit), alt="Distribution of the maximum drawdown over the paths")
        st.caption(_spread(m))


def _draw(desk: Desk, run: Any, m: Any) -> None:
    with st.form(f"draw-{run.id}", border=False):
        st.caption("The same trades, resampled in blocks with replacement. The paths are not counted as trials.")
        paths, seed = (replace(param, title=TITLES[param.name], unit="") for param in desk.robustness.histories_params())
        entered = dict(paths=field(paths, f"draw-{run.id}-paths", MORE), seed=field(seed, f"draw-{run.id}-seed", m.seed))
        if st.form_submit_button("Run paths", type="primary", **allowed(desk, "robustness.submit_histories")):
            begin(HISTORIES, lambda: desk.robustness.submit_histories(run.id, entered))


def _spread(m: Any) -> str:
    """Percentiles of the final result and of the drawdown, in words."""
    text = partial(multiple, places=1) if m.unit == "R" else percent
    ends, drawdowns = ([text(figures[name]) for name in ("q05", "q50", "q95")] for figures in (m.final, m.max_drawdown))
    return f"5th, 50th and 95th percentile of the final result: {ends[0]}, {ends[1]}, {ends[2]}. 95 % of the paths have a smaller drawdown than {drawdowns[0]}.".replace(" %", "\u202f%")


def _stress(desk: Desk, run: Any, evidence: Any) -> None:
    section("Stress test", "the same signals with higher costs, delayed entries and other intrabar assumptions")
    if under_way(desk, STRESS):
        return
    rows = [row for row in evidence.belief.stress if row["net_return"] is not None]
    if not rows:
        st.caption("Not run yet. Nine short runs on the same bars; they are not counted as trials.")
        if st.button("Run the stress test", icon=":material/fitness_center:", key=f"stress-{run.id}", **allowed(desk, "robustness.submit_stress")):
            begin(STRESS, lambda: desk.robustness.submit_stress(run.id))
        return
    definitions = evidence.stress.summary["definitions"]
    shown, base = pd.DataFrame(rows).assign(definition=[definitions[row["scenario"]] for row in rows]), run.summary["metrics"]["net_return"]
    left, right = st.columns([2, 3], gap="medium")
    with left:
        draw_chart(pictures.stressed(shown, base), alt="Net return under each scenario")
    with right:
        percents = {name: shown[name] * 100 for name in ("net_return", "change", "max_drawdown")}
        table(shown.assign(**percents), _columns(), "Metrics of each scenario", row_height=26)
        download("CSV", f"{run.id}_stress.csv", "text/csv", partial(desk.sweeps.download, evidence.stress.id, "table"), f"take-stress-{run.id}")


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "title": config.TextColumn("Scenario", width=130),
        "net_return": config.NumberColumn("Net, %", format="%+.1f", width=60),
        "change": config.NumberColumn("Change, pp", format="%+.1f", width=62, help="Percentage points against this run."),
        "max_drawdown": config.NumberColumn("Drawdown, %", format="%.1f", width=88),
        "sharpe": config.NumberColumn("Sharpe", format="%.2f", width=56),
        "trades": config.NumberColumn("Trades", format="localized", width=58),
    }
