"""The first screen of a judgement: verdict, headroom of each rule, equity against every floor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from app.compliance import charts
from app.compliance.saving import csv_button
from app.kit.draw import draw_chart
from app.kit.figures import DASH, THIN, clock, exact, money, number, percent, plural, typeset
from app.kit.text import literal
from app.kit.widgets import section
from worker.desk import Desk

STATES: dict[str, tuple[Any, str, str]] = {
    "passed": ("green", ":material/check:", "Passed"), "failed": ("red", ":material/cancel:", "Failed"), "open": ("gray", ":material/timelapse:", "Open"),
    "no breach": ("gray", ":material/check:", "No breach"), "not judged": ("gray", ":material/help:", "Not judged"),
}  # fmt: skip
CONFIDENCE: dict[str, tuple[Any, str]] = {
    "official": ("gray", "Each figure stands on the firm's own page."), "secondary": ("yellow", "Some figures come from another source than the firm's own page."),
    "assumed": ("yellow", "Some figures are assumed: no page of the firm gives them."),
    "own": ("violet", "Some figures are a person's own values."),
}  # fmt: skip
SPANS = ("Whole path", "Around the breach")
NEAR = 0.75         # of the allowance, from which a rule is near its floor
GAP = "A gap can jump any floor."
REPLAY = "A replay of published rules, not a statement by the firm."


def verdict(desk: Desk, judged: Any) -> None:
    """The verdict before any figure: a badge, one sentence, how far the rules can be trusted."""
    summary, rule_set = judged.run.summary, judged.run.summary["rule_set"]
    colour, icon, word = STATES[judged.word]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.badge(word, color=colour, icon=icon)
        if judged.run.synthetic:
            st.badge("synthetic", color="violet")
        st.markdown(literal(typeset(judged.sentence)), width="content")
        trust(rule_set)
        if judged.stale:
            st.badge("older version", color="gray", help=literal(judged.stale))
    scaled = f" The path is scaled from {money(summary['scaled_from'], summary['currency'])} to the {money(summary['initial'], summary['currency'])} of the rule set." if summary["scaled_from"] else ""
    st.caption(f"{literal(read_on(rule_set))} {GAP}{scaled} {literal(summary['path'].get('note', ''))}")
    reservations(judged.age, judged.sources)
    _not_judged(summary["rules"])


def trust(rule_set: Mapping[str, Any]) -> None:
    """A badge for the weakest confidence of the figures, one for figures that a person changed."""
    colour, about = CONFIDENCE[rule_set["confidence"]]
    st.badge(rule_set["confidence"], color=colour, help=about)
    if rule_set["overridden"]:
        st.badge("overridden", color="violet", icon=":material/edit:", help=literal(f"Figures that differ from the preset {rule_set['base']}: {', '.join(rule_set['overridden'])}."))


def reservations(age: str, sources: Sequence[str]) -> None:
    """A warning on the age of the rules, and which figures are not official."""
    if age:
        st.warning(literal(typeset(age)), icon=":material/warning:")
    if sources:
        st.caption(":material/info: " + " ".join(literal(sentence) for sentence in sources))


def trust_of_row(row: Any) -> None:
    """The same of a rule set in a list."""
    trust(dict(confidence=row.confidence, overridden=list(row.overridden), base=row.base))


def read_on(rule_set: Mapping[str, Any]) -> str:
    """Where and when the rules were read."""
    if rule_set["confidence"] == "official":
        return f"Figures as of {rule_set['retrieved']}; compare them with the firm's page before you rely on them. {REPLAY}"
    return f"Read {rule_set['retrieved']}; not every figure stands on a page of the firm. {REPLAY}" if rule_set["retrieved"] else f"No date of reading is recorded. {REPLAY}"


def _not_judged(rules: Any) -> None:
    lacking = [rule for rule in rules if rule["state"] == "not judged"]
    if lacking:
        st.caption(":material/help: " + "  \n".join(literal(f"{rule['title']}: {rule['sentence']}.") for rule in lacking))


def headroom(judged: Any) -> None:
    """A bullet for each rule that has an allowance."""
    rows = [row for rule in judged.run.summary["rules"] if (row := bullet(rule, judged.run.summary["currency"])) is not None]
    section("Headroom when it passed" if judged.word == "passed" else "Headroom at the end", "share of the allowance used; tick: own buffer")
    if not rows:
        st.caption("No rule of this set that could be judged has an allowance.")
        return
    frame = pd.DataFrame(rows)
    near = [row["rule"] for row in rows if row["role"] != "line"]
    takeaway = f"Headroom of {plural(len(rows), 'rule')}; near or over its limit: {', '.join(near) or 'none'}"
    draw_chart(charts.headroom(frame), alt=takeaway)
    for row in rows:
        if row["role"] == "breach":
            st.caption(f":red[:material/cancel:] **{literal(row['rule'])}**: broken; at the end {literal(row['value'])} against {literal(row['floor'])}.")
        elif row["role"] == "warn":
            st.caption(f":yellow[:material/warning:] **{literal(row['rule'])}**: {percent(row['used'], 0)} used, {literal(row['left'])} left.")


def bullet(rule: Mapping[str, Any], currency: str) -> dict[str, Any] | None:
    """A row of the chart of headroom; None for a target, a rule without an allowance, or one that was not judged."""
    if rule["used"] is None or rule["state"] == "not judged":
        return None
    unit, buffer = rule["unit"], rule["buffer"]
    over = rule["state"] == "failed" or rule["headroom"] is None or rule["headroom"] < 0
    near = rule["used"] >= NEAR or (buffer is not None and rule["used"] >= buffer)
    floor, value, left = (amount(rule[name], unit, currency) for name in ("floor", "value", "headroom"))
    return dict(rule=rule["title"], used=1.0 if over else rule["used"], buffer=buffer, left="broken" if over else left, role="breach" if over else "warn" if near else "line", floor=floor, value=value)


def amount(value: float | None, unit: str, currency: str) -> str:
    """A figure of a rule by its unit.

    >>> amount(1120.0, "money", "USD"), amount(9.0, "%", "USD"), amount(1.5, "lots", "USD"), amount(None, "days", "USD")
    ('1,120\u202fUSD', '9.0\u202f%', '1.5\u202flots', '—')
    """
    if value is None or value != value:
        return DASH
    if unit == "money":
        return money(value, currency)
    return percent(value / 100.0) if unit == "%" else f"{exact(round(value, 2))}{THIN}{unit}".rstrip(THIN)


def floors(desk: Desk, judged: Any) -> None:
    """Equity against all floors through time, or around the breach that ended it, and the same as a file."""
    summary, failed = judged.run.summary, judged.run.summary["failed_at"]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        section("Equity against all floors", f"{summary['currency']}, UTC; {summary['rule_set']['day']}")
        st.space("stretch")
        csv_button(desk, judged.run, "floors")
    near = failed and st.segmented_control("Span", SPANS, default=SPANS[0], required=True, key=f"span-{judged.run.id}", label_visibility="collapsed") == SPANS[1]
    curve, lines = _curves(desk, judged.run.id, failed if near else None)
    breach = _instant(failed)
    takeaway = f"Equity from {clock(_instant(summary['first']))} to {clock(_instant(summary['last']))} against {plural(lines['floor'].nunique(), 'line')}" + (f"; first breach {clock(breach)}" if breach else "")
    draw_chart(charts.floors(curve, lines, summary["currency"], breach), alt=takeaway)
    if not near and summary["instants"] > len(curve):
        st.caption(f"{number(len(curve))} points drawn from {number(summary['instants'])} instants; each keeps the lowest and the highest of its span.")


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@st.cache_data(max_entries=16, show_spinner=False)
def _curves(_desk: Desk, run_id: str, at: str | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    return _desk.compliance.curve(run_id, at), _desk.compliance.floor_lines(run_id, at)
