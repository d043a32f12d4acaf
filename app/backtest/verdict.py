"""The first screen of a run: verdict, eight metrics, equity, and robustness checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.backtest import summary
from app.kit.figures import DASH, money, multiple, number, percent, pips, plural, typeset
from app.kit.text import literal
from app.kit.widgets import figures, history, section
from worker.desk import Desk

LEVELS = {"severe": ":red[:material/error:]", "warning": ":orange[:material/warning:]", "note": ":gray[:material/info:]"}
ANSWERS: dict[str, tuple[Any, str]] = {"passed": ("green", ":material/check:"), "doubtful": ("yellow", ":material/help:"), "failed": ("orange", ":material/close:"), "open": ("gray", ":material/remove:")}
SHOWN = 3       # warnings on the first screen


def first_screen(desk: Desk, run: Any, evidence: Any) -> None:
    verdict(run, evidence)
    figures(headline(desk, run, evidence))
    left, right = st.columns([5, 2], gap="medium")
    with left:
        section("Equity and drawdown", f"{run.summary['currency']}, mark-to-market at bar close, UTC")
        summary.equity(desk, run)
    with right:
        checks(run, evidence)
        history(run)


def verdict(run: Any, evidence: Any) -> None:
    """The sentence before the metrics: how far the result differs from chance."""
    colour, icon, word = _word(evidence.belief)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if run.synthetic:
            st.badge("synthetic", color="violet")
        st.badge(word if evidence.evaluated else "Not evaluated", color=colour if evidence.evaluated else "gray", icon=icon)
        st.markdown(literal(typeset(evidence.belief.verdict)) if evidence.evaluated else "This run was created by an older version. Run it again to have it evaluated.", width="stretch")


def _word(belief: Any) -> tuple[Any, str, str]:
    if not belief.trades:
        return "gray", ":material/remove:", "No trades"
    if belief.net_return is not None and belief.net_return <= 0:
        return "orange", ":material/trending_down:", "Unprofitable" if belief.net_return else "No profit"
    failed = {question.key for question in belief.questions if question.answer == "failed"}
    if failed & {"luck", "selection"}:
        return "orange", ":material/help:", "Not significant"
    word = {"failed": "Fails checks", "doubtful": "Doubtful", "open": "Not evaluated", "passed": "Passes checks"}[belief.level]
    return *ANSWERS[belief.level], word


def headline(desk: Desk, run: Any, evidence: Any) -> list[tuple[str, str, str, str]]:
    """Eight metrics with note and definition."""
    m, currency, defined = run.summary["metrics"], run.summary["currency"], desk.backtests.metrics()
    instruments = desk.backtests.instruments_of(run.id)
    pip = instruments[0].pip if len(instruments) == 1 else None
    luck = evidence.belief.significance
    return [
        ("Net profit", percent(m["net_return"], 1, True), money(m["net_profit"], currency, True), defined["net_return"].definition),
        ("CAGR", percent(m["annual_return"], 1, True), "compounded", defined["annual_return"].definition),
        ("Max drawdown", percent(m["max_drawdown"]), f"longest: {number(m['longest_drawdown'])} days", defined["max_drawdown"].definition),
        ("Sharpe", number(m["sharpe"], 2), f"null max. {number(luck.luck_year, 2)}" if luck and luck.luck_year is not None and luck.trials > 1 else "annualised", defined["sharpe"].definition + (" Expected maximum under the null: the Sharpe that the best of all trials on these bars would reach on average without any edge." if luck else "")),
        ("Profit factor", number(m["profit_factor"], 2), "profit ÷ loss", defined["profit_factor"].definition),
        ("Expectancy", multiple(m["expectancy_r"], 3), f"t {number(m['expectancy_t'], 2)}", defined["expectancy_r"].definition),
        ("Trades", number(m["trades"]), f"win rate {percent(m['win_rate'], 0)}", defined["trades"].definition),
        ("Break-even spread", *_break_even(m, pip), defined["break_even_spread"].definition),
    ]


def _break_even(m: Mapping[str, Any], pip: float | None) -> tuple[str, str]:
    if pip is None:
        return DASH, "one instrument only"
    if m["break_even_spread"] is not None and m["break_even_spread"] <= 0:
        return "n/a", "loses at 0 pips"
    return pips(m["break_even_spread"], pip), f"avg. spread {pips(m['mean_spread'], pip)}"


def checks(run: Any, evidence: Any) -> None:
    """A badge for each check, then the most severe warnings."""
    section("Robustness checks")
    with st.container(horizontal=True, gap="xxsmall"):
        for question in evidence.belief.questions if evidence.evaluated else ():
            colour, icon = ANSWERS[question.answer]
            st.badge(question.title, color=colour, icon=icon, help=f"{question.asks} {literal(typeset(question.sentence))}")
    for remark in evidence.remarks[:SHOWN]:
        st.caption(f"{LEVELS[remark.level]} {literal(typeset(remark.sentence))}")
    if not evidence.remarks:
        st.caption(":green[:material/check:] No warnings." if evidence.evaluated else "No warnings.")
    left = len(evidence.remarks) - SHOWN
    if left > 0:
        st.caption(f"{plural(left, 'more warning')} under Robustness.")
