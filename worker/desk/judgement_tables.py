"""Stored judgements as pages read them: words, lines of floors, calendar, breaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from domain.compliance.rule import RULES
from worker.desk.thin import thinned

POINTS = 1_400          # of a line at most
ROLES = {"daily_loss": "warn", "max_drawdown": "breach"}
EFFECTS = {
    "FAIL": "The account fails", "DAY_LOCK": "Locked until the next day", "BLOCK": "The order would have been refused", "PROFIT_FACTOR": "The profit does not count in full",
    "CLOSE_OUT": "Positions would have been closed",
}  # fmt: skip


def word_of(summary: Mapping[str, Any]) -> str:
    """The verdict in a word.

    >>> word_of(dict(state="open", rules=[dict(state="not judged", regulatory=False)]))
    'not judged'
    >>> word_of(dict(state="passed", rules=[dict(state="passed", regulatory=True)]))
    'no breach'
    """
    rules = summary["rules"]
    if rules and all(rule["state"] == "not judged" for rule in rules):
        return "not judged"
    if summary["state"] == "passed" and all(rule["regulatory"] for rule in rules):
        return "no breach"
    return str(summary["state"])


def sentence_of(summary: Mapping[str, Any]) -> str:
    """The verdict in a sentence: by what, on what, when, how far to go."""
    rule_set, currency = summary["rule_set"], summary["currency"]
    opening = f"{rule_set['title']}, {rule_set['phase']}, on {summary['path']['title']}"
    days = f"{summary['days']:,} trading day{'' if summary['days'] == 1 else 's'}"
    word = word_of(summary)
    if word == "failed":
        return f"{opening}: failed by {_failing(summary)} on {_when(summary['failed_at'])} UTC, on trading day {summary['days']:,}"
    if word == "passed":
        return f"{opening}: passed on {_when(summary['passed_at'])} UTC, in {days}"
    if word == "no breach":
        return f"{opening}: nothing would have been refused in {days}"
    if word == "not judged":
        return f"{opening}: not judged, since the path has not what its rules need"
    broken = [rule["title"] for rule in summary["rules"] if rule["breaches"]]
    held = f"no account-ending rule broken in {days}; {', '.join(broken).lower()} broken without ending it" if broken else f"no rule broken in {days}"
    target = next((rule for rule in summary["rules"] if rule["kind"] == "target" and rule["headroom"] is not None), None)
    left = max(target["headroom"], 0.0) if target else None
    return f"{opening}: {held}" + ("" if left is None else f"; {left:,.0f} {currency} to the target" if left else "; the target is reached, other goals are not")


def _failing(summary: Mapping[str, Any]) -> str:
    return next((str(rule["title"]).lower() for rule in summary["rules"] if rule["failed_at"] == summary["failed_at"]), "a rule")


def _when(text: str | None) -> str:
    return "" if text is None else text.replace("T", " ")[:16]


def rows_near(frame: pd.DataFrame, at: str | None) -> pd.DataFrame:
    """The rows from five days before an instant to two after it; all where there is none."""
    if not at:
        return frame
    ts = pd.Timestamp(at)
    return frame[(frame["ts"] >= ts - pd.Timedelta(days=5)) & (frame["ts"] <= ts + pd.Timedelta(days=2))]


def floor_lines(floors: pd.DataFrame, rules: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """``ts, floor, value, role``: the points at which each floor moves, with its first and last. The target is dashed.

    >>> ts = pd.date_range("2024-01-01", periods=4, freq="D", tz="UTC")
    >>> rules = [dict(column="daily_loss", kind="daily_loss", title="Daily loss", line="floor")]
    >>> floor_lines(pd.DataFrame(dict(ts=ts, daily_loss=[95.0, 95.0, 97.0, 97.0])), rules)["value"].tolist()
    [95.0, 97.0, 97.0]
    """
    lines = []
    for rule in rules:
        if rule["line"] not in ("floor", "level") or rule["column"] not in floors:
            continue
        line = pd.DataFrame(dict(ts=floors["ts"], value=floors[rule["column"]])).dropna()
        if line.empty:
            continue
        value = line["value"].to_numpy(float)
        moved = np.concatenate([[True], value[1:] != value[:-1]])
        moved[-1] = True
        role = "quiet" if rule["line"] == "level" else ROLES.get(rule["kind"], "other")
        lines.append(thinned(line[moved], ("value",), POINTS).assign(floor=rule["title"].lower(), role=role))
    return pd.concat(lines, ignore_index=True) if lines else pd.DataFrame(columns=["ts", "value", "floor", "role"])


def calendar_of(days: pd.DataFrame, initial: float, failed_at: str | None = None) -> pd.DataFrame:
    """``day, share, pnl, low, trades, breach, after``: change of equity of each trading day, and its share of the initial balance in %;
    ``after``: the account had failed on an earlier day."""
    change = days["equity_end"] - days["equity_start"]
    names = days["broken"].fillna("").map(lambda columns: ", ".join(column.replace("_", " ") for column in str(columns).split()))
    after = np.zeros(len(days), bool) if failed_at is None else (days["start"] > pd.Timestamp(failed_at)).to_numpy()
    trades = pd.to_numeric(days["opened"], errors="coerce")
    return pd.DataFrame(dict(day=pd.to_datetime(days["day"], utc=True), share=100 * change / initial, pnl=change, low=days["equity_low"], trades=trades, breach=names, after=after))


def breach_rows(breaches: pd.DataFrame) -> pd.DataFrame:
    """``ts, title, value, floor, unit, sentence, trades`` of each breach; ``trades`` is a list of ids."""
    sentences = [
        f"{clause[:1].upper()}{clause[1:]}. {EFFECTS.get(effect, effect)}.{' ' + detail if detail else ''}"
        for clause, effect, detail in zip(breaches["clause"], breaches["effect"], breaches["detail"], strict=True)
    ]  # fmt: skip
    titles = [str(column).replace("_", " ").capitalize() for column in breaches["rule"]]
    units = [RULES[kind].unit if kind in RULES else "" for kind in breaches["kind"]]
    table = dict(ts=breaches["ts"], title=titles, value=breaches["value"], floor=breaches["floor"], unit=units, sentence=sentences)
    return pd.DataFrame(table).assign(trades=[str(ids).split() for ids in breaches["trades"]])


def preset_rows(table: pd.DataFrame) -> pd.DataFrame:
    """The table of every rule set with ``word`` (as ``word_of``) and ``by`` (rule and day of the first breach that ends it)."""
    states = [_word(row) for row in table.itertuples()]
    at = pd.to_datetime(table["at"], utc=True)
    by = [f"{row.by.lower()}, {when:%Y-%m-%d}" if row.by and pd.notna(when) else "" for row, when in zip(table.itertuples(), at, strict=True)]
    titles = [f"{row.title} ({row.name} v{row.version})" if row.version else str(row.title) for row in table.itertuples()]
    return table.assign(word=states, by=by, title=titles)


def _word(row: Any) -> str:
    return "no breach" if row.state == "passed" and row.regulatory else str(row.state)
