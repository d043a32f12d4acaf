"""Everything that speaks for and against a result, question by question."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.backtest import charts as pictures
from app.backtest.running import begin, under_way
from app.backtest.verdict import ANSWERS, LEVELS
from app.kit.figures import DASH, multiple, number, percent, plural, told_well
from app.kit.forms import field
from app.kit.widgets import download, figures, section, table
from worker.desk import Desk

STRESS, HISTORIES = "stress", "histories"       # of the address: the jobs that are under way
ASKED = {"paths": "How many histories", "seed": "Seed"}
MORE = 10_000       # histories that are offered first


def view(desk: Desk, run: Any, believed: Any) -> None:
    if not believed.known:
        st.caption("An older version made this run and kept nothing to judge it by. Run it again from the form above.")
        return
    figures(_figures(believed), width=130)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        section("Questions", "each one can only speak against it; open: not asked yet")
        st.markdown(_questions(believed.belief.questions))
    with right:
        _remarks(believed)
    _histories(desk, run, believed)
    _stress(desk, run, believed)


def _questions(questions: Any) -> str:
    """As a table of two columns, so that sentences wrap."""
    rows = [f"| :{ANSWERS[one.answer][0]}[{ANSWERS[one.answer][1]}]\u00a0**{one.title}** | :gray[{one.asks}] {told_well(one.sentence)} |" for one in questions]
    return "\n".join(["| Test | What it found |", "|:--|:--|", *rows])


def _figures(believed: Any) -> list[tuple[str, str, str, str]]:
    s, o, m, belief = believed.belief.significance, believed.belief.overfitting, believed.belief.monte_carlo, believed.belief
    grown = "" if s is None or s.trials == believed.then else f", {believed.then:,} when it was made"
    band = f"{percent(belief.band[0], 1, True)} … {percent(belief.band[1], 1, True)}" if belief.band else "none decides"
    return [
        ("More than luck", percent(s.psr) if s else DASH, "PSR, asks 95\u202f%", "Probability that the true Sharpe ratio is above 0, given its length, skew and tails: the probabilistic Sharpe ratio of Bailey and López de Prado (2012)."),
        ("After selection", percent(s.dsr) if s else DASH, f"DSR, {plural(s.trials, 'trial') if s else DASH}", f"Probability that the true Sharpe ratio is above what the best of all trials on these bars with this strategy would reach without an edge{grown}. Deleted runs and every point of a sweep count: the deflated Sharpe ratio (2014)."),
        ("Record needed", f"{number(s.minimum_periods)} days" if s and s.minimum_periods is not None else "never", f"{number(s.periods) if s else DASH} seen", "Days of record at which the first figure would reach 95\u202f%, at this Sharpe ratio; never where it is not above 0."),
        ("Overfitting", percent(o.pbo) if o else DASH, f"PBO, {o.columns:,} variants" if o else "not evaluated: nothing earned" if (belief.net_return or 0.0) <= 0 else "no sweep yet", "How often the best of a sweep in one half of the time is no better than the median in the other. Comes from the newest sweep on the same data with the same strategy."),
        ("Ends with a loss", percent(m.chance_of_loss) if m else DASH, f"of {m.paths:,} histories" if m else "not drawn", "Share of other histories, drawn in blocks from the same trades, that end below the start."),
        ("Inside bars", number(belief.ambiguous), band, "Bars that reached both stop and target, and the net with all of them decided against you and for you."),
    ]  # fmt: skip


def _remarks(believed: Any) -> None:
    section("Remarks", "what the linter saw")
    for one in believed.remarks:
        st.caption(f"{LEVELS[one.level]} {told_well(one.sentence)}")
    if not believed.remarks:
        st.caption(":green[:material/check:] Nothing odd was found.")
    seen = believed.look_ahead
    if believed.gate == "green":
        st.badge("no look-ahead", color="green", icon=":material/check:")
        st.caption(f"{plural(seen['cuts'], 'cut')} of {number(seen['bars'])} bars: signals stay the same when later bars are taken away.")
    elif believed.gate == "red":
        st.badge("reads the future", color="red", icon=":material/error:")
        for leak in (seen or {}).get("leaks") or ["A check of the same strategy on the Features page found it; see Gate there"]:
            st.markdown(f":red[{told_well(leak)}.]")
    else:
        st.badge("not checked for look-ahead", color="gray", icon=":material/help:")


def _histories(desk: Desk, run: Any, believed: Any) -> None:
    drawn, m = believed.histories, believed.belief.monte_carlo
    if not drawn or m is None:
        return
    word = "trades" if m.sample == "trades" else "days"
    spread = f"blocks of {number(m.block, 1)}" if m.block > 1 else "one by one"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown("**Other histories**", width="content")
        st.caption(f"{number(m.paths)} of the same {word}, drawn anew {spread}, seed {m.seed}; bands: half and nine in ten", width="content")
        st.space("stretch")
        with st.popover("Draw more…", icon=":material/shuffle:", key=f"draw-{run.id}-{st.query_params.get(HISTORIES, '')}"):      # a new drawing closes it
            _draw(desk, run, m)
        if believed.drawn:
            download("CSV", f"{run.id}_histories.csv", "text/csv", partial(desk.backtests.download, believed.drawn.id, "draws", "csv"), f"take-histories-{run.id}")
    if under_way(desk, HISTORIES):
        return
    left, right = st.columns(2, gap="medium")
    with left:
        section("Where they stand", "median, half and nine in ten of them")
        st.altair_chart(pictures.fan(pd.DataFrame(drawn["fan"]), m.unit, word), width="stretch", alt="Where other histories of the same trades stand")
    with right:
        section("Their deepest drawdowns", "line: as it happened")
        st.altair_chart(pictures.falls(pd.DataFrame(drawn["falls"]), m.observed_drawdown, m.unit), width="stretch", alt="How deep the drawdowns of other histories were")
        st.caption(_spread(m))


def _draw(desk: Desk, run: Any, m: Any) -> None:
    with st.form(f"draw-{run.id}", border=False):
        st.caption("The same trades in other orders, in blocks with replacement, shared by all workers. They are not counted as trials.")
        paths, seed = (replace(one, title=ASKED[one.name], unit="") for one in desk.beliefs.histories_params())
        entered = dict(paths=field(paths, f"draw-{run.id}-paths", MORE), seed=field(seed, f"draw-{run.id}-seed", m.seed))
        if st.form_submit_button("Draw histories", type="primary"):
            begin(HISTORIES, lambda: desk.beliefs.submit_histories(run.id, entered))


def _spread(m: Any) -> str:
    """Where nine in ten of them end and how deep they fall, in words."""
    said = partial(multiple, places=1) if m.unit == "R" else percent
    ends, falls = ([said(figures[name]) for name in ("q05", "q50", "q95")] for figures in (m.final, m.max_drawdown))
    return f"One in twenty ends below {ends[0]}, half below {ends[1]}, one in twenty above {ends[2]}; one in twenty falls deeper than {falls[0]}. Line: as it happened."


def _stress(desk: Desk, run: Any, believed: Any) -> None:
    section("Worse conditions", "the same signals, dearer, later and with bars decided otherwise")
    if under_way(desk, STRESS):
        return
    rows = [row for row in believed.belief.stress if row["net_return"] is not None]
    if not rows:
        st.caption("Not tried yet. Nine short runs on the same bars; they are not counted as trials.")
        if st.button("Run the stress test", icon=":material/fitness_center:", key=f"stress-{run.id}"):
            begin(STRESS, lambda: desk.beliefs.submit_stress(run.id))
        return
    told = believed.stress.summary["definitions"]
    shown, base = pd.DataFrame(rows).assign(definition=[told[row["scenario"]] for row in rows]), run.summary["metrics"]["net_return"]
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.altair_chart(pictures.stressed(shown, base), width="stretch", alt="Net return under each scenario")
    with right:
        percents = {name: shown[name] * 100 for name in ("net_return", "change", "max_drawdown")}
        table(shown.assign(**percents), _columns(), "Figures of each scenario", row_height=26)
        download("CSV", f"{run.id}_stress.csv", "text/csv", partial(desk.sweeps.download, believed.stress.id, "table"), f"take-stress-{run.id}")


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "title": config.TextColumn("Scenario", width=130),
        "net_return": config.NumberColumn("Net, %", format="%+.1f", width=60),
        "change": config.NumberColumn("Change", format="%+.1f", width=62, help="Percentage points against the run as asked."),
        "max_drawdown": config.NumberColumn("Drawdown, %", format="%.1f", width=88),
        "sharpe": config.NumberColumn("Sharpe", format="%.2f", width=56),
        "trades": config.NumberColumn("Trades", format="localized", width=58),
    }
