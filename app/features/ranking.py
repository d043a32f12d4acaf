"""Laboratory: what each feature tells of what follows, net of how many were tried, and which to keep."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.features import decay, drift, quantiles, redundancy, request, runs, stability
from app.features.missing import why_empty, without
from app.features.panels import everything, measured, read, read_well, scale
from app.features.values import small
from app.kit.figures import DASH, number, percent, plural, typeset
from app.kit.forms import fields, index_of
from app.kit.text import literal
from app.kit.widgets import asked, figures, section, table
from worker.desk import Desk

VIEW, KIND = "laboratory", "examine"
WHAT = {"forward": "The return ahead", "trades": "A strategy's trades"}
RECIPE = "vector50"
COLOURS = {"keep": "green", "reserve": "yellow", "drop": "gray"}
TABS = ("Feature", "Alike", "Drift", "Notes")


def render(desk: Desk) -> None:
    if not desk.data.catalogue():
        return runs.no_bars("The laboratory looks at features on bars. Import a file, or make synthetic bars on the Data page.")
    run, job = runs.current(desk, VIEW, KIND)
    with st.expander(runs.sentence(run) if run else "Choose features, bars, and what they are to tell", expanded=run is None and job is None, icon=":material/edit:"):
        _form(desk, run)
    runs.body(desk, run, job, lambda run: _result(desk, run), KIND, ("Nothing examined yet", "Each feature is held against what followed: how much it tells, whether that lasts, and whether another tells the same. Fifty features of nine years of M15 bars take under a minute."))
    runs.earlier(desk, VIEW, desk.examinations.latest(KIND), run, lambda one: f"{one.summary['telling']['any']:,} of {one.summary['tried']['here']:,} tell something")


# -- asking


def _form(desk: Desk, run: Any) -> None:
    key, before = f"lab-{run.id if run else 'new'}", dict(run.spec) if run else {}
    on = request.ask(desk, key, before, recipe=RECIPE)
    regimes = _regimes(desk, key, before, on.question)
    target, strategy, params = _target(desk, key, before.get("target", {}))
    plan, rules = _settings(desk, key, before)
    forms = desk.examinations
    faults = [text for text in (forms.faults("target", target), forms.faults("plan", plan), forms.faults("rules", rules), *(desk.backtests.faults(strategy, params).values() if strategy else ())) if text]
    for fault in faults:
        st.error(literal(typeset(fault)), icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="center"):
        sent = st.button("Examine", type="primary", shortcut="Ctrl+Enter", disabled=not on.ready or bool(faults))
        st.caption(_price(desk, on))
    if sent and on.question is not None:
        runs.send(VIEW, partial(desk.examinations.submit_examination, on.question, target, strategy, params, plan, rules, regimes))


def _regimes(desk: Desk, key: str, before: dict[str, Any], question: Any) -> list[str]:
    """Runs of regimes by which it is to be looked whether features hold; none where there are none."""
    offered = desk.examinations.regimes(question) if question else {}
    if not offered:
        return []
    had = [one["run"] for one in before.get("regimes", []) if one["run"] in offered]
    return st.multiselect(
        "Regimes", list(offered), had, key=f"{key}-regimes-{'-'.join(question.datasets)}-{question.timeframe}", format_func=offered.__getitem__, placeholder="none but volatility and trend by rule",
        help="Whether a feature holds is also looked at by the regimes of a finished run on these bars, as they were known at each bar's end; of several instruments one run each.",
    )  # fmt: skip


def _price(desk: Desk, on: request.Asked) -> str:
    if on.question is None:
        return on.told
    tried = desk.examinations.tried(on.question.datasets)
    return f"{on.told} · {plural(tried, 'look')} at these bars so far" if tried else f"{on.told} · the first look at these bars"


def _target(desk: Desk, key: str, before: dict[str, Any]) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """What is to be foretold; the strategy with its parameters, where it is that one's trades."""
    forms, words = desk.examinations.forms()["target"], list(WHAT)
    chosen = st.segmented_control("To foretell", words, default=before.get("target", words[0]), required=True, key=f"{key}-target", format_func=WHAT.__getitem__)
    if chosen == "forward":
        return dict(target="forward", **fields([one for one in forms if one.name != "target"], f"{key}-ahead", before)), "", {}
    strategies = desk.backtests.strategies()
    a, b = st.columns([1, 3], vertical_alignment="bottom")
    strategy = a.selectbox("Strategy", list(strategies), index=index_of(list(strategies), before.get("strategy")), key=f"{key}-strategy")
    b.caption(f"{strategies[strategy]} It is simulated on these bars by the rules that a backtest's form begins with, and its trades in R are what is foretold. It counts as a trial.")
    return dict(target="trades"), strategy, fields(desk.backtests.params(strategy), f"{key}-{strategy}", before.get("params") if before.get("strategy") == strategy else None)


def _settings(desk: Desk, key: str, before: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    if not st.toggle("How it looks and what it keeps", key=f"{key}-more", help="Quantiles, draws, windows; and the rules by which features are proposed."):
        return {name: value for name, value in before.get("plan", {}).items() if name != "tried"}, dict(before.get("rules", {}))
    forms = desk.examinations.forms()
    section("How it looks", "the same seed draws the same blocks")
    plan = fields(read_well(forms["plan"], before.get("plan"), without=("tried",)), f"{key}-plan")
    section("What it keeps", "a feature is judged by the first of these that speaks against it")
    return plan, fields(read_well(forms["rules"], before.get("rules")), f"{key}-rules")


# -- the answer


def _result(desk: Desk, run: Any) -> None:
    _verdict(desk, run)
    ranking = read(desk, "ranking", run.id)
    without(desk, run, set(ranking.loc[ranking["count"] == 0, "feature"]))
    figures(_headline(run))
    _proposal(desk, run)
    feature = _ranking(desk, run)
    for tab, name in zip(st.tabs([feature, *TABS[1:]], key=f"tabs-{run.id}", on_change="rerun"), TABS, strict=True):
        if tab.open:
            with tab:
                _tab(desk, run, name, feature)


def _tab(desk: Desk, run: Any, name: str, feature: str) -> None:
    if name == "Alike":
        return redundancy.view(desk, run)
    if name == "Drift":
        return drift.view(desk, run)
    if name == "Notes":
        return _notes(run)
    row = read(desk, "ranking", run.id).set_index("feature").loc[feature]
    st.markdown(f"{_badge(row['verdict'])} {literal(typeset(str(row['reason'])))}")
    if not row["count"]:
        st.caption(f"It has no value where the target has one, so there is nothing to draw. {why_empty(desk, run, feature)}")
        return
    quantiles.view(desk, run, feature)
    a, b = st.columns([2, 3], gap="medium")
    with a:
        decay.view(desk, run, feature)
    with b:
        stability.through_time(desk, run, feature)
    stability.by_group(desk, run, feature)


def _badge(verdict: str) -> str:
    return f":{COLOURS[verdict]}-badge[{verdict}]"


def _verdict(desk: Desk, run: Any) -> None:
    telling = run.summary["telling"]["any"]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if run.synthetic:
            st.badge("synthetic", color="violet")
        if telling:
            st.badge("tells something", color="green", icon=":material/check:")
        else:
            st.badge("tells nothing", color="gray", icon=":material/remove:")
        st.caption(f"run {run.id}", width="content")
        st.space("stretch")
        everything(desk, run)
        if st.button("Delete…", icon=":material/delete:", type="tertiary"):
            runs.delete(desk, VIEW, run)
    st.markdown(_sentence(desk, run))


def _sentence(desk: Desk, run: Any) -> str:
    s = run.summary
    tried, telling, rate = s["tried"], s["telling"], percent(s["discovery"], 0)
    head = f"**{telling['any']:,} of {plural(tried['here'], 'feature')}** {'tells' if telling['any'] == 1 else 'tell'} something of the {s['target']['name']} after Benjamini\u2013Hochberg at {rate}: {telling['rank']:,} of its direction, {telling['information']:,} of its size or shape."
    counted = f" **{plural(tried['all'], 'look')}** at these bars {'is' if tried['all'] == 1 else 'are'} counted against {'it' if tried['here'] == 1 else 'each'}"
    counted += f", {tried['before']:,} of them from before." if tried["before"] else ", all of them these."
    later = desk.examinations.tried(run.spec["datasets"]) - tried["all"]
    return head + counted + (f" Since then {plural(later, 'more look', 'more looks')} came, so these q are too small by now: examine again." if later > 0 else "")


def _headline(run: Any) -> list[tuple[str, str, str, str]]:
    s = run.summary
    factor, unit = scale(run)
    best = s["best"]
    target = s["target"]
    bars = sum(one["bars"] for one in s["members"])
    return [
        ("Tell something", f"{s['telling']['any']:,} of {s['tried']['here']:,}", f"q up to {percent(s['discovery'], 0)}", "Features whose rank correlation or mutual information survives Benjamini\u2013Hochberg, net of all looks at these bars."),
        ("Looks counted", number(s["tried"]["all"]), f"{s['tried']['before']:,} before", "Every feature on a timeframe and span against a target is one, whoever asked, kept or deleted."),
        ("Least q", small(best["q"]), str(best["feature"]), "The smallest false discovery rate at which a feature's rank correlation would just be kept."),
        ("Strongest IC", number(s["strongest"], 3), "of ranks", "Spearman's correlation of the feature with what followed; 0.02 to 0.05 is much for prices."),
        ("Proposed", number(len(s["proposed"])), f"{s['verdicts']['reserve']:,} in spite of a fault", "Features to go on with: they tell something, hold, do not drift, and do not repeat another."),
        ("Clusters", number(s["clusters"]), f"of {plural(s['tried']['here'], 'feature')}", "Groups of features that say the same."),
        ("Drifting", number(s["drifting"]), "strongly, of late", "Features whose last values are distributed otherwise than before (PSI of 0.25 or more)."),
        ("Target values", number(target["values"]), f"mean {number(None if target['mean'] is None else factor * target['mean'], 2, True)} {unit}", f"Of {plural(bars, 'bar')}. The {target['name']}: {target['note']}."),
    ]


def _proposal(desk: Desk, run: Any) -> None:
    proposed = run.summary["proposed"]
    if not proposed:
        st.caption("Nothing is proposed: no feature has values that could be judged.")
        return
    verdicts = read(desk, "ranking", run.id).set_index("feature")["verdict"]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        with st.container():
            section("Proposed", f"{plural(len(proposed), 'feature')}, the one that tells most first; yellow: in spite of a fault")
            st.markdown(" ".join(f":{COLOURS[verdicts[name]]}-badge[{name}]" for name in proposed))
        name = st.text_input("Name", f"lab-{run.id}", max_chars=64, key=f"recipe-name-{run.id}", label_visibility="collapsed", width=150)
        if st.button("Save as recipe", icon=":material/bookmark_add:", key=f"save-recipe-{run.id}"):
            kept = asked(partial(desk.examinations.save_proposal, run.id, name))
            if kept:
                st.toast(f"Kept as the recipe {literal(kept.name)}. It can be chosen wherever features are.", icon=":material/check:")


def _ranking(desk: Desk, run: Any) -> str:
    """The figures of every feature; the name of the chosen one."""
    ranking = read(desk, "ranking", run.id)
    factor, unit = scale(run)
    section("Ranking", "what tells most of the direction first; choose one to look into it below")
    config = st.column_config
    shown = {
        "q": measured(ranking["q"], "q", 4, 58, help="False discovery rate at which its rank correlation would just be kept, net of all looks at these bars."),
        "ic": measured(ranking["ic"], "IC", 4, 66, sign=True, help="Spearman's rank correlation with what followed."),
        "information": measured(1_000 * ranking["information"], "MI, mnat", 2, 74, help="Mutual information in thousandths of a nat, bias taken off: of any shape, not of direction alone."),
        "information_q": measured(ranking["information_q"], "MI q", 4, 58, help="As q, of the mutual information."),
        "monotonicity": measured(ranking["monotonicity"], "Monotone", 2, 74, sign=True, help="Correlation of quantile number and mean of what followed."),
        "spread": measured(factor * ranking["spread"], f"Spread, {unit}", 2, 84, sign=True, help="Mean of the highest quantile less that of the lowest."),
    }
    rows = dict(
        feature=ranking["feature"], word=[[one] for one in ranking["verdict"]], **{name: values for name, (values, _) in shown.items()},
        holds=[f"{int(good)} of {int(years)}" if years else DASH for good, years in zip(ranking["agreeing"], ranking["years"], strict=True)],
        drift=[[one] for one in ranking["drift"]], reason=[typeset(str(one)) for one in ranking["reason"]],
    )  # fmt: skip
    columns = {
        "feature": config.TextColumn("Feature", width=170, pinned=True),
        "word": config.MultiselectColumn("Verdict", width=74, options=list(COLOURS), color=list(COLOURS.values())),
        **{name: how for name, (_, how) in shown.items()},
        "holds": config.TextColumn("Years", width=62, help="Years that have the sign of the whole."),
        "drift": config.MultiselectColumn("Drift", width=72, options=list(drift.COLOURS), color=list(drift.COLOURS.values())),
        "reason": config.TextColumn("Why", width=520),
    }
    row = table(pd.DataFrame(rows), columns, "Every feature with q, rank correlation, mutual information, monotonicity, stability, drift and verdict", key=f"ranking-{run.id}", pick=True, row_height=26, height=min(38 + 26 * len(ranking), 298))
    names = ranking["feature"].tolist()
    if row is not None:
        st.query_params["feature"] = names[row]
        return str(names[row])
    wanted = st.query_params.get("feature")
    return str(wanted if wanted in names else names[0])


def _notes(run: Any) -> None:
    st.markdown("\n".join(f"- {literal(typeset(note))}" for note in run.summary["notes"]))
    st.caption("IC is after Spearman, its doubt after Newey and West (1987), q after Benjamini and Hochberg (1995), intervals by a circular block bootstrap (Politis and Romano 1992). A feature is looked at as it was known at the close of each bar.")
