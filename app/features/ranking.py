"""Feature ranking: the relation of each feature to the target, corrected for multiple tests, and a proposal of which to
keep."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.features import decay, drift, quantiles, redundancy, request, runs, stability
from app.features.missing import why_empty, without
from app.features.panels import everything, measured, read, scale, without_repeats
from app.features.values import small
from app.kit.figures import DASH, number, percent, plural, typeset
from app.kit.forms import fields, index_of
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, figures, section, table
from worker.desk import Desk

VIEW, KIND = "ranking", "examine"
TARGETS = {"forward": "Forward return", "trades": "Trade outcome (R)"}
RECIPE = "vector50"
WORDS = {"keep": "keep", "reserve": "watch", "drop": "drop"}         # verdict -> its word
COLOURS = {"keep": "green", "watch": "yellow", "drop": "gray"}
TABS = ("Feature", "Redundancy", "Drift", "Notes")


def render(desk: Desk) -> None:
    if not desk.data.catalogue():
        return runs.no_bars("Ranking features needs prices. Import a file, or generate synthetic ones on the Data page.")
    run, job = runs.current(desk, VIEW, KIND)
    runs.settings(runs.sentence(run) if run else "Features, data and target", VIEW, run, job, lambda: _form(desk, run))
    runs.body(desk, run, job, lambda run: _result(desk, run), KIND, ("No analyses yet", "Each feature is tested against the target: the strength of the relation, its stability, and whether another feature is redundant with it. Fifty features on nine years of M15 bars take under a minute."))
    runs.earlier(desk, VIEW, desk.examinations.latest(KIND), run, lambda other: f"{other.summary['telling']['any']:,} of {other.summary['tried']['here']:,} significant")


# -- form


def _form(desk: Desk, run: Any) -> None:
    key, before = f"lab-{run.id if run else 'new'}", dict(run.spec) if run else {}
    form_request = request.ask(desk, key, before, recipe=RECIPE)
    regimes = _regimes(desk, key, before, form_request.request)
    target, strategy, params = _target(desk, key, before.get("target", {}))
    plan, rules = _settings(desk, key, before)
    forms = desk.examinations
    faults = [text for text in (forms.faults("target", target), forms.faults("plan", plan), forms.faults("rules", rules), *(desk.backtests.faults(strategy, params).values() if strategy else ())) if text]
    for fault in faults:
        st.error(literal(typeset(fault)), icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="center"):
        sent = st.button("Run analysis", type="primary", shortcut="Ctrl+Enter", **allowed(desk, "examinations.submit_examination", disabled=not form_request.ready or bool(faults)))
        st.caption(_price(desk, form_request))
    if sent and form_request.request is not None:
        runs.send(VIEW, partial(desk.examinations.submit_examination, form_request.request, target, strategy, params, plan, rules, regimes))


def _regimes(desk: Desk, key: str, before: dict[str, Any], feature_request: Any) -> list[str]:
    """Runs of regimes by which stability is measured, too; none where there are none."""
    offered = desk.examinations.regimes(feature_request) if feature_request else {}
    if not offered:
        return []
    previous = [source["run"] for source in before.get("regimes", []) if source["run"] in offered]
    return st.multiselect(
        "Regimes", list(offered), previous, key=f"{key}-regimes-{'-'.join(feature_request.datasets)}-{feature_request.timeframe}", format_func=offered.__getitem__, placeholder="volatility and trend by rule only",
        help="Stability is also measured by the regimes of a finished run on this data, as known at each bar's close; one run per instrument.",
    )  # fmt: skip


def _price(desk: Desk, form_request: request.FormRequest) -> str:
    if form_request.request is None:
        return form_request.note
    tried = desk.examinations.tried(form_request.request.datasets)
    return f"{form_request.note} · {plural(tried, 'test')} on this data so far" if tried else f"{form_request.note} · first analysis of this data"


def _target(desk: Desk, key: str, before: dict[str, Any]) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """The target; with its strategy and parameters where it is the outcome of trades."""
    forms, words = desk.examinations.forms()["target"], list(TARGETS)
    chosen = st.segmented_control("Target", words, default=before.get("target", words[0]), required=True, key=f"{key}-target", format_func=TARGETS.__getitem__)
    if chosen == "forward":
        return dict(target="forward", **fields([param for param in forms if param.name != "target"], f"{key}-ahead", before)), "", {}
    strategies = desk.backtests.strategies()
    a, b = st.columns([1, 3], vertical_alignment="bottom")
    strategy = a.selectbox("Strategy", list(strategies), index=index_of(list(strategies), before.get("strategy")), key=f"{key}-strategy")
    b.caption(f"{strategies[strategy]} It is simulated on this data with the default costs and risk of the backtest form; the target is the R of its trades. It counts as a trial.")
    return dict(target="trades"), strategy, fields(desk.backtests.params(strategy), f"{key}-{strategy}", before.get("params") if before.get("strategy") == strategy else None)


def _settings(desk: Desk, key: str, before: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    if not st.toggle("Advanced settings", key=f"{key}-more", help="Analysis: quantiles, resampling, windows. Selection: the rules by which features are proposed."):
        return {name: value for name, value in before.get("plan", {}).items() if name != "tried"}, dict(before.get("rules", {}))
    forms = desk.examinations.forms()
    section("Analysis", "the same seed draws the same blocks")
    plan = fields(without_repeats(forms["plan"], before.get("plan"), without=("tried",)), f"{key}-plan")
    section("Selection", "the first failed rule decides")
    return plan, fields(without_repeats(forms["rules"], before.get("rules")), f"{key}-rules")


# -- result


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
    if name == "Redundancy":
        return redundancy.view(desk, run)
    if name == "Drift":
        return drift.view(desk, run)
    if name == "Notes":
        return _notes(run)
    row = read(desk, "ranking", run.id).set_index("feature").loc[feature]
    st.markdown(f"{_badge(row['verdict'])} {literal(typeset(str(row['reason'])))}")
    if not row["count"]:
        st.caption(f"It has no value where the target has one. {why_empty(desk, run, feature)}")
        return
    quantiles.view(desk, run, feature)
    a, b = st.columns([2, 3], gap="medium")
    with a:
        decay.view(desk, run, feature)
    with b:
        stability.through_time(desk, run, feature)
    stability.by_group(desk, run, feature)


def _badge(verdict: str) -> str:
    return f":{COLOURS[WORDS[verdict]]}-badge[{WORDS[verdict]}]"


def _verdict(desk: Desk, run: Any) -> None:
    telling = run.summary["telling"]["any"]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if run.synthetic:
            st.badge("synthetic", color="violet")
        if telling:
            st.badge("Significant", color="green", icon=":material/check:")
        else:
            st.badge("Not significant", color="gray", icon=":material/remove:")
        st.caption(f"run {run.id}", width="content")
        st.space("stretch")
        everything(desk, run)
        if st.button("Delete…", icon=":material/delete:", type="tertiary", **allowed(desk, "examinations.delete")):
            runs.delete(desk, VIEW, run)
    st.markdown(_sentence(desk, run))


def _sentence(desk: Desk, run: Any) -> str:
    s = run.summary
    tried, telling, rate = s["tried"], s["telling"], percent(s["discovery"], 0)
    head = f"**{telling['any']:,} of {plural(tried['here'], 'feature')}** significant for the {s['target']['name']} after Benjamini\u2013Hochberg at {rate}: {telling['rank']:,} by rank IC, {telling['information']:,} by mutual information."
    counted = f" Multiple-testing correction over **{plural(tried['all'], 'test')}** on this data"
    counted += f", {tried['before']:,} of them earlier." if tried["before"] else "."
    later = desk.examinations.tried(run.spec["datasets"]) - tried["all"]
    return head + counted + (f" {plural(later, 'later test', 'later tests')} are not included, so these q-values are too small by now: run the analysis again." if later > 0 else "")


def _headline(run: Any) -> list[tuple[str, str, str, str]]:
    s = run.summary
    factor, unit = scale(run)
    best = s["best"]
    target = s["target"]
    bars = sum(member["bars"] for member in s["members"])
    return [
        ("Significant", f"{s['telling']['any']:,} of {s['tried']['here']:,}", f"q up to {percent(s['discovery'], 0)}", "Features whose rank correlation or mutual information survives Benjamini\u2013Hochberg over all tests on this data."),
        ("Tests counted", number(s["tried"]["all"]), f"{s['tried']['before']:,} before", "Every feature on a timeframe and date range against a target is one test, by any user, kept or deleted."),
        ("Min. q-value (FDR)", small(best["q"]), str(best["feature"]), "The smallest false discovery rate at which a feature's rank correlation would just be significant."),
        ("Strongest IC", number(s["strongest"], 3), "of ranks", "Spearman's correlation of the feature with the target; 0.02 to 0.05 is high for prices."),
        ("Proposed", number(len(s["proposed"])), f"{s['verdicts']['reserve']:,} with caveat", "Features to use: significant, stable, without drift, and not redundant."),
        ("Clusters", number(s["clusters"]), f"of {plural(s['tried']['here'], 'feature')}", "Groups of redundant features."),
        ("Drifting", number(s["drifting"]), "strongly, recently", "Features whose recent values are distributed differently (PSI ≥ 0.25)."),
        ("Target values", number(target["values"]), f"mean {number(None if target['mean'] is None else factor * target['mean'], 2, True)} {unit}", f"Of {plural(bars, 'bar')}. The {target['name']}: {target['note']}."),
    ]


def _proposal(desk: Desk, run: Any) -> None:
    proposed = run.summary["proposed"]
    if not proposed:
        st.caption("Nothing is proposed: no feature has values to evaluate.")
        return
    verdicts = read(desk, "ranking", run.id).set_index("feature")["verdict"]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        with st.container():
            section("Proposed", f"{plural(len(proposed), 'feature')}, strongest first; yellow: with caveat")
            st.markdown(" ".join(f":{COLOURS[WORDS[verdicts[name]]]}-badge[{name}]" for name in proposed))
        name = st.text_input("Name", f"lab-{run.id}", max_chars=64, key=f"recipe-name-{run.id}", label_visibility="collapsed", width=150)
        if st.button("Save feature set", icon=":material/bookmark_add:", key=f"save-recipe-{run.id}", **allowed(desk, "features.save_recipe")):
            saved = attempt(partial(desk.examinations.save_proposal, run.id, name))
            if saved:
                st.toast(f"Saved as the feature set {literal(saved.name)}.", icon=":material/check:")


def _ranking(desk: Desk, run: Any) -> str:
    """Draw the statistics of every feature; the name of the chosen one."""
    ranking = read(desk, "ranking", run.id)
    factor, unit = scale(run)
    section("Ranking", "strongest rank IC first; select one for details below")
    config = st.column_config
    shown = {
        "q": measured(ranking["q"], "q", 4, 58, help="False discovery rate at which its rank correlation would just be significant, over all tests on this data."),
        "ic": measured(ranking["ic"], "IC", 4, 66, sign=True, help="Spearman's rank correlation with the target."),
        "information": measured(1_000 * ranking["information"], "MI, mnat", 2, 74, help="Mutual information in thousandths of a nat, bias-corrected: of any shape, not of direction alone."),
        "information_q": measured(ranking["information_q"], "MI q", 4, 58, help="As q, of the mutual information."),
        "monotonicity": measured(ranking["monotonicity"], "Monotonicity", 2, 92, sign=True, help="Correlation of quantile number and mean target."),
        "spread": measured(factor * ranking["spread"], f"Spread, {unit}", 2, 84, sign=True, help="Mean of the highest quantile less that of the lowest."),
    }
    rows = dict(
        feature=ranking["feature"], word=[[WORDS[verdict]] for verdict in ranking["verdict"]], **{name: values for name, (values, _) in shown.items()},
        holds=[f"{int(good)} of {int(years)}" if years else DASH for good, years in zip(ranking["agreeing"], ranking["years"], strict=True)],
        drift=[[level] for level in ranking["drift"]], reason=[typeset(str(reason)) for reason in ranking["reason"]],
    )  # fmt: skip
    columns = {
        "feature": config.TextColumn("Feature", width=170, pinned=True),
        "word": config.MultiselectColumn("Verdict", width=74, options=list(COLOURS), color=list(COLOURS.values())),
        **{name: how for name, (_, how) in shown.items()},
        "holds": config.TextColumn("Sign-consistent years", width=62, help="Years with the same sign as the whole."),
        "drift": config.MultiselectColumn("Drift", width=72, options=list(drift.COLOURS), color=list(drift.COLOURS.values())),
        "reason": config.TextColumn("Reason", width=520),
    }
    row = table(pd.DataFrame(rows), columns, "Every feature with q, rank correlation, mutual information, monotonicity, stability, drift and verdict", key=f"ranking-{run.id}", pick=True, row_height=26, height="auto" if len(ranking) < 10 else 298)
    names = ranking["feature"].tolist()
    if row is not None:
        st.query_params["feature"] = names[row]
        return str(names[row])
    wanted = st.query_params.get("feature")
    return str(wanted if wanted in names else names[0])


def _notes(run: Any) -> None:
    st.markdown("\n".join(f"- {literal(typeset(note))}" for note in run.summary["notes"]))
    st.caption("IC: Spearman; standard errors: Newey and West (1987); q-values: Benjamini and Hochberg (1995); intervals: circular block bootstrap (Politis and Romano 1992). Features are taken as known at the close of each bar.")
