"""A Bayesian search: its trials, the best of them, and continuing with more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.draw import draw_chart
from app.kit.figures import number, plural
from app.kit.forms import choice
from app.kit.rights import allowed
from app.kit.widgets import attempt, figures, go, history, section
from app.sweeps import charts, panels
from app.sweeps.importance import importance
from app.sweeps.names import OBJECTIVES, declared, form, metric_text, named, point, with_unit
from app.sweeps.parallel import parallel
from app.sweeps.table import combinations
from worker.desk import Desk

MOST = 20_000       # trials of one search


def result(desk: Desk, run: Any) -> None:
    parameters = declared(desk, run.spec["strategy"])
    metrics = desk.backtests.metrics()
    words = run.summary["objectives"]
    names, best = list(run.spec["space"]), _distinct(run.summary["best"])
    luck = panels.luck_of_search(desk, run)
    verdict(desk, run, best, luck)
    figures(headline(desk, run, best, luck))
    history(run)
    trials = panels.table(desk, run.id).assign(chosen=lambda table: [point(parameters, row) for row in table[names].to_dict("records")])
    first = metrics[OBJECTIVES[words[0]]]
    left, right = st.columns(2, gap="medium")
    with left:
        if len(words) > 1:
            _front(desk, run, trials, best)
        else:
            section("Optimization history", "line: best so far")
            draw_chart(charts.history(_history(trials, words[0]), with_unit(first), form(first)), alt=f"{first.title} of each trial and the best so far")
    with right:
        if len(words) > 1:
            section("Optimization history", f"{first.title}; line: best so far")
            draw_chart(charts.history(_history(trials, words[0]), with_unit(first), form(first)), alt=f"{first.title} of each trial and the best so far")
        else:
            _slice(run, trials, parameters, first, words[0], best)
    if len(words) > 1:
        _slice(run, trials, parameters, first, words[0], best)
    _continue(desk, run)
    by = f"objective_{words[0]}"
    rows = panels.table(desk, run.id).sort_values(by, ascending=False, kind="stable", na_position="last").drop_duplicates(names)
    importance(run, parameters, first.title)
    inside = parallel(run, rows.assign(**{first.key: rows[by]}), parameters, [name for name in names if rows[name].nunique() > 1], first)
    rows = rows[rows["number"].isin(inside["number"])]
    combinations(desk, run, rows, len(trials), parameters, names, OBJECTIVES[words[0]], best[0]["number"] if best else None, f"{len(rows):,} distinct, the best {min(len(rows), 500):,} by {first.title}")


def verdict(desk: Desk, run: Any, best: list[Mapping[str, Any]], luck: panels.Luck) -> None:
    metrics, words = desk.backtests.metrics(), run.summary["objectives"]
    states = dict(given_up="pruned", failed=f"left out, with under {plural(run.spec['search']['fewest_trades'], 'trade')} or no {metrics[OBJECTIVES[words[0]]].title}", infeasible="infeasible")
    excluded = [f"{plural(run.summary[key], 'was', 'were')} {state}" for key, state in states.items() if run.summary.get(key)]
    head = f"**{plural(run.summary['trials'], 'trial')}** of {run.spec['strategy']}{' (' + ', '.join(excluded) + ')' if excluded else ''}; **{luck.trials:,}** trials on this data in total."
    colour: Any
    if not best:
        colour, icon, word, tail = "gray", ":material/remove:", "No result", f" None has {run.spec['search']['fewest_trades']:,} trades. Lower the minimum, or widen the ranges."
    elif max(trial["values"][0] for trial in best) <= 0:
        metric = metrics[OBJECTIVES[words[0]]]
        colour, icon, word, tail = "orange", ":material/trending_down:", "No profitable combination", f" The best has {metric.title} {metric_text(metric, max(trial['values'][0] for trial in best))}."
    elif len(words) > 1:
        colour, icon, word, tail = "gray", ":material/stacked_line_chart:", "Pareto front", f" {plural(len(best), 'combination')} not dominated in {' and '.join(metrics[OBJECTIVES[word_]].title for word_ in words)}."
    else:
        metric = metrics[OBJECTIVES[words[0]]]
        value, lucky = best[0]["values"][0], words[0] == "sharpe" and luck.sharpe is not None
        within = lucky and luck.sharpe is not None and value < luck.sharpe
        colour, icon, word = ("orange", ":material/help:", "Not significant") if within else ("gray", ":material/help:", "Not evaluated")
        tail = f" The best has {metric.title} {metric_text(metric, value)}" + (f"; expected maximum of {luck.trials:,} zero-edge trials: {number(luck.sharpe, 2)}." if lucky else ".")
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if run.synthetic:
            st.badge("synthetic", color="violet")
        st.badge(word, color=colour, icon=icon)
        st.markdown(head + tail, width="stretch")
    st.caption("A search finds an optimum, not the landscape around it: run a grid search around it, or backtest it and read Robustness, before relying on it.")


def headline(desk: Desk, run: Any, best: list[Mapping[str, Any]], luck: panels.Luck) -> list[tuple[str, str, str, str]]:
    metrics, search, top = desk.backtests.metrics(), run.spec["search"], best[0] if best else None
    rows = [
        ("Trials", number(run.summary["trials"]), f"{choice(search['sampler'])}, seed {search['seed']}", "Combinations tried. The same seed on the same data tries the same ones."),
        ("Pruned", number(run.summary["given_up"]), "below the median" if search["prune"] and not search["second"] else "early stopping is off", "After one or two thirds of the data a trial stops if it is worse there than the median of earlier ones."),
        ("Trials counted", number(luck.trials), "on this data", "Distinct trials of this strategy on this data by any user, ever."),
    ]
    for word, value in zip(run.summary["objectives"], top["values"] if top else [None, None], strict=False):
        metric = metrics[OBJECTIVES[word]]
        rows.append((f"Best {metric.title}" if len(run.summary["objectives"]) == 1 else metric.title, metric_text(metric, value), f"null max. {number(luck.sharpe, 2)}" if word == "sharpe" and luck.sharpe is not None else "trial " + number(top["number"] if top else None), metric.definition))
    values = top["figures"] if top else {}
    rows += [(metrics[key].title, metric_text(metrics[key], values.get(key)), f"trial {number(top['number'])}" if top else "", metrics[key].definition) for key in ("net_return", "max_drawdown", "trades")]
    return rows


def _distinct(best: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The best trials, each once (a genetic search repeats them), in the order of the first objective."""
    distinct = {tuple(trial["params"].items()): trial for trial in reversed(best)}
    return sorted(distinct.values(), key=lambda trial: (-trial["values"][0], trial["number"]))


def _history(trials: pd.DataFrame, word: str) -> pd.DataFrame:
    value = trials[f"objective_{word}"]
    return trials.assign(value=value, best=value.cummax().ffill())[["number", "value", "best", "chosen"]]


def _front(desk: Desk, run: Any, trials: pd.DataFrame, best: list[Mapping[str, Any]]) -> None:
    objectives = [desk.backtests.metrics()[OBJECTIVES[word]] for word in run.summary["objectives"]]
    a, b = (trials[f"objective_{word}"] for word in run.summary["objectives"])
    shown = trials.assign(a=a, b=b, best=trials["number"].isin([trial["number"] for trial in best]))[["number", "a", "b", "best", "chosen"]]
    section("Pareto front", "large: not dominated in both objectives")
    draw_chart(charts.front(shown, [with_unit(metric) for metric in objectives], [form(metric) for metric in objectives]), alt=f"{objectives[1].title} against {objectives[0].title} of each trial")


def _slice(run: Any, trials: pd.DataFrame, parameters: Mapping[str, Any], metric: Any, word: str, best: list[Mapping[str, Any]]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        section(f"{metric.title} over", "large: best")
        names = list(run.spec["space"])
        name = st.segmented_control("Parameter", names, default=names[0], required=True, key=f"slice-{run.id}", format_func=lambda name: named(parameters[name]), label_visibility="collapsed")
    shown = trials.assign(x=trials[name], value=trials[f"objective_{word}"], best=trials["number"].isin([trial["number"] for trial in best]))[["number", "x", "value", "best", "chosen"]]
    draw_chart(charts.slice_of(shown, named(parameters[name]), with_unit(metric), form(metric)), alt=f"{metric.title} of each trial over {named(parameters[name])}")


def _continue(desk: Desk, run: Any) -> None:
    """Draw the form that continues the search; its first trials are reused."""
    done = run.summary["trials"]
    with st.container(horizontal=True, vertical_alignment="center"):
        more = st.number_input("More trials", 1, max(MOST - done, 1), min(max(done // 2, 16), max(MOST - done, 1)), key=f"more-{run.id}", label_visibility="collapsed", width=130)
        if st.button(f"Continue with {more:,} more trials", icon=":material/resume:", key=f"on-{run.id}", **allowed(desk, "sweeps.submit_optimise", disabled=done >= MOST)):
            spec = run.spec
            backtest_request = replace(desk.backtests.request_of(run.id), params=spec["params"])
            submitted = attempt(lambda: desk.sweeps.submit_optimise(backtest_request, spec["space"], {**spec["search"], "trials": done + more}))
            if submitted is not None:
                go("sweeps", **({"run": submitted.job.result["run"]} if submitted.job.state == "done" else {"job": submitted.job.id}))
        st.caption(f"The first {done:,} trials are reused and not counted again.", width="content")
