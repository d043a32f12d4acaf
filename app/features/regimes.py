"""Regimes: the state of a market as known at each bar, by a model or by rules."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.features import regime_charts, runs
from app.features.regime_form import VIEW, form
from app.features.values import level
from app.kit.bands import left_out, thinned
from app.kit.draw import draw_chart
from app.kit.figures import DASH, number, percent, plural
from app.kit.rights import allowed
from app.kit.widgets import download, figures, section, table
from worker.desk import Desk

KIND = "regimes"
SPANS = {"500 bars": 500, "5,000": 5_000, "All": 0}
ALIKE, FEW = 1.25, 100       # ratio of volatilities below which regimes have the same risk; bars from which on a regime has a volatility
STEADY = 0.8        # agreement of a model with the previous one, below which names should not be relied on
WORDS = {"hmm": "A hidden Markov model", "mixture": "A Gaussian mixture (no transitions)"}
TAKEN = (("regimes", "csv", "Labels, CSV", "text/csv"), ("regimes", "parquet", "Labels, Parquet", "application/octet-stream"))
FITTED = (("refits", "csv", "Models, CSV", "text/csv"), ("model", "json", "Last model, JSON", "application/json"))


def render(desk: Desk) -> None:
    if not desk.data.catalogue():
        return runs.no_bars("Regimes need prices. Import a file, or generate synthetic ones on the Data page.")
    run, job = runs.current(desk, VIEW, KIND)
    runs.settings(runs.sentence(run) if run else "Data, and a model or rules", KIND, run, job, lambda: form(desk, run))
    runs.body(desk, run, job, lambda run: _result(desk, run), KIND, ("No regimes yet", "A model is fitted on earlier bars and labels later ones; rules need no fitting. Nothing is labelled in hindsight."))
    runs.earlier(desk, VIEW, desk.regimes.latest(), run, _word, "Regimes")


def _word(run: Any) -> str:
    names = run.summary["names"]
    return ", ".join(names) if len(names) <= 3 else plural(len(names), "state" if "model" in run.summary else "regime")


def _result(desk: Desk, run: Any) -> None:
    summary, fitted = run.summary, "model" in run.summary
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        section(f"{plural(len(summary['names']), 'regime')} of {summary['instrument']} {summary['timeframe']}", f"{plural(summary['bars'], 'bar')}, run {run.id}")
        st.space("stretch")
        with st.popover("Download", icon=":material/download:"):
            for what, form_, label, mime in (*TAKEN, *(FITTED if fitted else ())):
                download(label, f"{run.id}_{summary['instrument']}_{what}.{form_}", mime, partial(desk.regimes.download, run.id, what, form_), f"take-{what}-{form_}")
        if st.button("Delete…", icon=":material/delete:", type="tertiary", **allowed(desk, "regimes.delete")):
            runs.delete(desk, VIEW, run)
    st.markdown(f"{':violet-badge[synthetic] ' if run.synthetic else ''}{_verdict(summary)}")
    figures(_headline(summary), width=130)
    _picture(desk, run)
    _statistics(summary)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if fitted:
            _states(summary)
        else:
            _transition(summary)
    with right:
        if fitted:
            _transition(summary)
    if fitted:
        _means(summary)
        left, right = st.columns([2, 3], gap="medium")
        with left:
            _bic(summary)
        with right:
            _fits(desk, run)


# -- verdict


def _verdict(summary: dict[str, Any]) -> str:
    shares = sorted(((row["share"], row["regime"]) for row in summary["lived"] if row["bars"]), reverse=True)
    most = ", ".join(f"**{name}** {percent(share, 0)}" for share, name in shares[:6]) + (f" and {len(shares) - 6} more" if len(shares) > 6 else "")
    if "model" not in summary:
        return f"By rule: {most} of the bars. Each is known at the close of its bar, and nothing was fitted; an episode lasts {_between([row['lasted'] for row in summary['lived']])} on average. {_volatility(summary)}"
    first = f"{WORDS[summary['kind']]} of {len(summary['names'])} states: {most} of the bars that have a label."
    return f"{first} {_steady(summary)} {_detection(summary)} {_volatility(summary)}"


def _volatility(summary: dict[str, Any]) -> str:
    """Whether the volatility of the bars after each regime differs."""
    some = [row["volatility"] for row in summary["lived"] if row["volatility"] and row["bars"] >= FEW]
    if len(some) < 2:
        return ""
    alike, span = max(some) < ALIKE * min(some), f"{percent(min(some))} to {percent(max(some))} p.a."
    if alike:
        return f":orange[:material/warning:] Volatility of the next bar hardly differs between the regimes, {span}, so they hardly differ in risk."
    return f"Volatility of the next bar differs: {span}."


def _steady(summary: dict[str, Any]) -> str:
    agreed = summary["stability"]
    if agreed is None:
        return "Only one model was fitted, so stability is unknown; refit more often."
    text = f"Each of {plural(summary['refits'], 'model')} agrees with the previous one on **{percent(agreed, 0)}** of bars"
    return f"{text}." if agreed >= STEADY else f":orange[:material/warning:] {text}: the meaning of the states changes from model to model, so do not rely on them."


def _detection(summary: dict[str, Any]) -> str:
    lasts, late = [row["sojourn"] for row in summary["facts"]], [row["delay"] for row in summary["facts"]]
    longest = max((int(digits) for name in summary["observed"] for digits in re.findall(r"\d+", name)), default=0)
    back = f", plus the lookback of its input features, up to {plural(longest, 'bar')}" if longest else ""
    return f"By the last model, an episode lasts {_between(lasts)} and is detected after {_between(late)}{back}."


def _between(values: list[float | None]) -> str:
    some = sorted(value for value in values if value is not None)
    if not some:
        return "an unknown number of bars"
    low, high = _bars(some[0]), _bars(some[-1])
    return f"{low} bars" if low == high else f"{low} to {high} bars"


def _bars(value: float | None) -> str:
    return DASH if value is None else number(value, 1 if value < 10 else 0)


def _headline(summary: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    labelled = ("Labelled", percent(summary["labelled"] / summary["bars"]), f"{number(summary['labelled'])} of {number(summary['bars'])} bars", "Bars that have a regime. Before the first model, or before a rule has its values, there is none.")
    spells = sum(row["spells"] or 0 for row in summary["lived"])
    seen = ("Episodes", number(spells), f"{number(summary['labelled'] / spells if spells else None, 1)} bars each", "Consecutive bars with the same label.")
    if "model" not in summary:
        return [labelled, seen, _risk(summary)]
    missed = [row["missed"] for row in summary["facts"] if row["missed"] is not None]
    late = [row["delay"] for row in summary["facts"] if row["delay"] is not None]
    unchanged = f", {summary['kept']:,} kept the previous model" if summary["kept"] else ""
    return [
        labelled, seen,
        ("Stability", percent(summary["stability"]), "agreement of refits", "Share of bars, of those that two consecutive models both label, with the same label."),
        ("Detection lag", f"{_bars(max(late, default=None))} bars", "slowest state", f"Mean delay from the start of an episode to the first bar labelled so, on bars simulated from the last model. Of the hardest state, {percent(max(missed, default=None), 0)} of episodes end undetected."),
        ("Models", number(summary["refits"]), f"{number(summary['train'])} bars, every {number(summary['step'])}{unchanged}", "Each is fitted on its training window and labels the bars after it, until the next refit."),
        ("Order", "kept" if summary["in_order"] else "changed", f"by {summary['observed'][0].partition('(')[0].replace('_', ' ')}", "Names are carried from model to model. Kept: in every model they are in the order of the first input feature."),
    ]  # fmt: skip


def _risk(summary: dict[str, Any]) -> tuple[str, str, str, str]:
    some = sorted((row["volatility"], row["regime"]) for row in summary["lived"] if row["volatility"] and row["bars"] >= FEW)
    value = f"{number(some[0][0] * 100, 1)} … {percent(some[-1][0])}" if some else DASH
    return ("Volatility", value, f"{some[0][1]} … {some[-1][1]}" if some else "", "Annualised, of the bars after each regime: the least and the most volatile.")


# -- charts and tables


def _picture(desk: Desk, run: Any) -> None:
    summary = run.summary
    quote = desk.data.instruments()[summary["instrument"]]
    states = {name: f"p_{name.replace(' ', '_')}" for name in summary["names"]} if "model" in summary else {}
    span = st.segmented_control("Bars", list(SPANS), default="500 bars", required=True, key=f"span-{run.id}", label_visibility="collapsed")
    section("Price and regimes", f"close in {quote.quote}{'; below, the probability of each state at the close of each bar' if states else ''}; UTC")
    frame, bars = _drawn(desk, run.id, SPANS[str(span)])
    bands, size = _bands(desk, run.id, SPANS[str(span)])
    about = f"Close of {summary['instrument']} with bands for {', '.join(summary['names'][:6])}"
    draw_chart(regime_charts.price(frame, bands, summary["names"], states, quote.quote, quote.digits), alt=about)
    st.caption(f"{plural(len(frame), 'point')} and {plural(len(bands), 'band')} drawn from {plural(bars, 'bar')}; extremes are kept.{thinned(size)}{left_out(summary['names'])}")


@st.cache_data(max_entries=32, show_spinner=False)
def _drawn(_desk: Desk, run_id: str, last: int) -> tuple[pd.DataFrame, int]:
    return _desk.regimes.drawn(run_id, last)


@st.cache_data(max_entries=32, show_spinner=False)
def _bands(_desk: Desk, run_id: str, last: int) -> tuple[pd.DataFrame, int]:
    return _desk.regimes.bands(run_id, last)


def _statistics(summary: dict[str, Any]) -> None:
    section("Regime statistics", "of labelled bars; the next bar is the first that could be traded on the label")
    rows = [
        dict(regime=row["regime"], bars=number(row["bars"]), share=_per(row["share"], 100), spells=number(row["spells"]), lasted=number(row["lasted"], 1), next_bar=_per(row["next_bar"], 1e4, 2, True), volatility=_per(row["volatility"], 100))
        for row in summary["lived"]
    ]  # fmt: skip
    config = st.column_config
    columns = {
        "regime": config.TextColumn("Regime", width=190),
        "bars": config.TextColumn("Bars", width=90, alignment="right"),
        "share": config.TextColumn("Share, %", width=110, alignment="right"),
        "spells": config.TextColumn("Episodes", width=90, alignment="right"),
        "lasted": config.TextColumn("Mean length, bars", width=120, alignment="right", help="Mean length of an episode."),
        "next_bar": config.TextColumn("Mean next-bar return, bp", width=150, alignment="right", help="Mean log return of the bar after each labelled one."),
        "volatility": config.TextColumn("Ann. volatility, %", width=120, alignment="right", help="Standard deviation of those returns, annualised."),
    }
    table(pd.DataFrame(rows), columns, "Each regime's bars, share, episodes, mean next-bar return and volatility", row_height=26, height="auto" if len(rows) < 10 else 272)


def _states(summary: dict[str, Any]) -> None:
    section("States of the last model", "by the model itself; detection measured on bars simulated from it")
    rows = [dict(state=row["state"], share=_per(row["share"], 100), sojourn=number(row["sojourn"], 1), delay=number(row["delay"], 1), missed=_per(row["missed"], 100, 0), right=_per(row["right"], 100, 0)) for row in summary["facts"]]
    config = st.column_config
    columns = {
        "state": config.TextColumn("State", width=84),
        "share": config.TextColumn("Share, %", width=78, alignment="right", help="In the long run."),
        "sojourn": config.TextColumn("Expected duration, bars", width=140, alignment="right", help="1 ÷ (1 − probability of staying)."),
        "delay": config.TextColumn("Detection lag, bars", width=116, alignment="right", help="Mean, of detected episodes."),
        "missed": config.TextColumn("Missed episodes, %", width=116, alignment="right", help="Episodes that end undetected."),
        "right": config.TextColumn("Accuracy, %", width=80, alignment="right", help="Bars in the state that are labelled so."),
    }
    table(pd.DataFrame(rows), columns, "Each state's share, expected duration and detection lag", row_height=26)
    if summary["kind"] == "mixture":
        st.caption("A mixture has no transitions: durations come from the sequence of labels in training.")


def _transition(summary: dict[str, Any]) -> None:
    names = summary["names"]
    section("Transition matrix", "share of bars, from the regime at the left")
    stays = [row[k] for k, row in enumerate(summary["transition"]) if row[k] is not None]
    description = f"Each regime stays as it is at the next bar with {percent(min(stays, default=None))} or more"
    draw_chart(regime_charts.transitions(summary["transition"], names), alt=description)


def _means(summary: dict[str, Any]) -> None:
    section("State means", "mean of each input feature, in its own unit")
    rows = [dict(state=row["state"], **{f"c{k}": level(row[name]) for k, name in enumerate(summary["observed"])}) for row in summary["facts"]]
    config = st.column_config
    columns = {"state": config.TextColumn("State", width=84), **{f"c{k}": config.TextColumn(name, width=190, alignment="right") for k, name in enumerate(summary["observed"])}}
    table(pd.DataFrame(rows), columns, "Each state's mean of every input feature", row_height=26)


def _bic(summary: dict[str, Any]) -> None:
    section("Number of states", "first window; the lowest BIC is best")
    rows = [dict(states=candidate["states"], bic=number(candidate["bic"]), likelihood=number(candidate["log_likelihood"]), remark=candidate["remark"] or ("chosen" if candidate["states"] == len(summary["names"]) else "")) for candidate in summary["candidates"]]
    config = st.column_config
    columns = {
        "states": config.NumberColumn("States", width=56),
        "bic": config.TextColumn("BIC", width=86, alignment="right"),
        "likelihood": config.TextColumn("Log likelihood", width=96, alignment="right", help="Of the rows of the first window, in nats."),
        "remark": config.TextColumn("", width=110),
    }
    table(pd.DataFrame(rows), columns, "Numbers of states that were tried, with BIC", row_height=26)
    if len(rows) == 1:
        st.caption("The number was given. Choose states by BIC to try 2 to 6.")


def _fits(desk: Desk, run: Any) -> None:
    fits = desk.regimes.fits(run.id)
    section("Models", "each fitted on earlier bars; agreement and distance to the previous model; UTC")
    days = {name: fits[f"{name}_ts"].dt.strftime("%Y-%m-%d") for name in ("first", "used_from", "used_to")}
    shown = fits.assign(**days, agreement=[_per(value, 100) for value in fits["agreement"]], distance=[number(value, 2) for value in fits["distance"]])
    config = st.column_config
    columns = {
        "first": config.TextColumn("Trained from", width=86),
        "used_from": config.TextColumn("Used from", width=80),
        "used_to": config.TextColumn("Used to", width=80),
        "agreement": config.TextColumn("Agreement, %", width=92, alignment="right"),
        "distance": config.TextColumn("Distance", width=66, alignment="right", help="Mean Hellinger distance of its states from the previous ones: 0 identical, 1 disjoint."),
        "bic": config.NumberColumn("BIC", format="localized", width=76, step=1),
        "remark": config.TextColumn("Remark", width=110),
    }
    table(shown, columns, "Each model's window, use and agreement with the one before", row_height=26, height="auto" if len(shown) < 10 else 272)


def _per(value: float | None, scale: float, places: int = 1, sign: bool = False) -> str:
    return number(None if value is None else value * scale, places, sign)
