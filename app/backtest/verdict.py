"""The first screen of a run: verdict, eight figures, equity, and what to know before believing them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.backtest import summary
from app.kit.figures import DASH, THIN, money, multiple, number, percent, pips, plural, told_well
from app.kit.widgets import figures, section
from worker.desk import Desk

LEVELS = {"severe": ":red[:material/error:]", "warning": ":orange[:material/warning:]", "note": ":gray[:material/info:]"}
ANSWERS: dict[str, tuple[Any, str]] = {"passed": ("green", ":material/check:"), "doubtful": ("yellow", ":material/help:"), "failed": ("orange", ":material/close:"), "open": ("gray", ":material/remove:")}
SAID = 3        # remarks on the first screen


def first_screen(desk: Desk, run: Any, believed: Any) -> None:
    verdict(run, believed)
    figures(headline(desk, run, believed))
    left, right = st.columns([5, 2], gap="medium")
    with left:
        section("Equity and drawdown", f"{run.summary['currency']}, at the closes of bars, UTC")
        summary.equity(desk, run)
    with right:
        before(run, believed)


def verdict(run: Any, believed: Any) -> None:
    """The sentence before the figures: how far the result stands apart from luck."""
    colour, icon, word = _word(believed.belief)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if run.synthetic:
            st.badge("synthetic", color="violet")
        st.badge(word if believed.known else "not judged", color=colour if believed.known else "gray", icon=icon)
        st.markdown(told_well(believed.belief.verdict) if believed.known else "An older version made this run. Run it again to have it judged.", width="stretch")


def _word(belief: Any) -> tuple[Any, str, str]:
    if not belief.trades:
        return "gray", ":material/remove:", "no trade"
    if belief.net_return is not None and belief.net_return <= 0:
        return "orange", ":material/trending_down:", "loses"
    failed = {one.key for one in belief.questions if one.answer == "failed"}
    if failed & {"luck", "selection"}:
        return "orange", ":material/help:", "not distinguishable from luck"
    word = {"failed": "does not hold", "doubtful": "doubtful", "open": "not judged yet", "passed": "holds so far"}[belief.level]
    return *ANSWERS[belief.level], word


def headline(desk: Desk, run: Any, believed: Any) -> list[tuple[str, str, str, str]]:
    """Eight figures with note and definition."""
    m, currency, defined = run.summary["metrics"], run.summary["currency"], desk.backtests.metrics()
    instruments = desk.backtests.instruments_of(run.id)
    pip = instruments[0].pip if len(instruments) == 1 else None
    luck = believed.belief.significance
    return [
        ("Net", percent(m["net_return"], 1, True), money(m["net_profit"], currency, True), defined["net_return"].definition),
        ("Per year", percent(m["annual_return"], 1, True), "compounded", defined["annual_return"].definition),
        ("Drawdown", percent(m["max_drawdown"]), f"{number(m['longest_drawdown'])} days under", defined["max_drawdown"].definition),
        ("Sharpe", number(m["sharpe"], 2), f"luck: {number(luck.luck_year, 2)}" if luck and luck.luck_year is not None and luck.trials > 1 else "annualised", defined["sharpe"].definition + (" Luck: what the best of all trials on these bars would reach without any edge." if luck else "")),
        ("Profit factor", number(m["profit_factor"], 2), "won ÷ lost", defined["profit_factor"].definition),
        ("Expectancy", multiple(m["expectancy_r"], 3), f"t {number(m['expectancy_t'], 2)}", defined["expectancy_r"].definition),
        ("Trades", number(m["trades"]), f"{percent(m['win_rate'], 0)} won", defined["trades"].definition),
        ("Breaks even at", *_break_even(m, pip), defined["break_even_spread"].definition),
    ]


def _break_even(m: Mapping[str, Any], pip: float | None) -> tuple[str, str]:
    if pip is None:
        return DASH, "one instrument only"
    if m["break_even_spread"] is not None and m["break_even_spread"] <= 0:
        return "none", f"loses at 0{THIN}pip too"
    return pips(m["break_even_spread"], pip), f"mean {pips(m['mean_spread'], pip)}"


def before(run: Any, believed: Any) -> None:
    """Each test in a word, then the gravest remarks."""
    section("Before you believe it")
    with st.container(horizontal=True, gap="xxsmall"):
        for one in believed.belief.questions if believed.known else ():
            colour, icon = ANSWERS[one.answer]
            st.badge(one.title, color=colour, icon=icon, help=f"{one.asks} {told_well(one.sentence)}")
    for one in believed.remarks[:SAID]:
        st.caption(f"{LEVELS[one.level]} {told_well(one.sentence)}")
    if not believed.remarks:
        st.caption(":green[:material/check:] Nothing odd was found." if believed.known else "There are no remarks.")
    left = len(believed.remarks) - SAID
    if left > 0:
        st.caption(f":gray[{plural(left, 'more remark')} under Believe.]")
