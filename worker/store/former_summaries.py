"""Keys of the summaries of runs that have another name now. Stored summaries keep the one that they were sealed with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Names = Mapping[str, str]                       # name -> the one of earlier releases
LOOK_AHEAD: Names = {"first_leak": "found"}
COLUMN: Names = {"coverage": "known"}
SHORTER: Names = {"full": "whole"}
VERDICT: Names = {"complete": "whole"}
REGIMES: Names = {"labelled": "known"}


def current_summary(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The summary of a stored run under the names of today.

    >>> current_summary({"look_ahead": {"cuts": 8, "found": ""}, "bars": 5})
    {'look_ahead': {'cuts': 8, 'first_leak': ''}, 'bars': 5}
    >>> current_summary({"members": [{"bars": 9, "columns": [{"column": "atr_14", "known": 0.5}]}]})
    {'members': [{'bars': 9, 'columns': [{'column': 'atr_14', 'coverage': 0.5}]}]}
    """
    return _each(summary, _today)


def with_former_keys(summary: Mapping[str, Any]) -> dict[str, Any]:
    """A summary with the names of today and, for one release, the former ones, for programs that read them.

    >>> with_former_keys({"bars": 9, "labelled": 7, "lived": []})
    {'bars': 9, 'labelled': 7, 'lived': [], 'known': 7}
    """
    return _each(summary, _with_former)


def _each(summary: Mapping[str, Any], change: Callable[[Mapping[str, Any], Names], dict[str, Any]]) -> dict[str, Any]:
    names = REGIMES if "lived" in summary else {}
    return change(summary, names) | dict(_parts(summary, change))


def _parts(summary: Mapping[str, Any], change: Callable[[Mapping[str, Any], Names], dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The parts that have names of their own to change."""
    if summary.get("look_ahead"):
        yield "look_ahead", change(summary["look_ahead"], LOOK_AHEAD)
    if (summary.get("report") or {}).get("verdict"):
        yield "report", {**summary["report"], "verdict": change(summary["report"]["verdict"], VERDICT)}
    if any("columns" in member for member in summary.get("members") or ()):
        rows = (("columns", COLUMN), ("sensitivity", SHORTER))
        yield "members", [{**member, **{key: [change(row, names) for row in member[key]] for key, names in rows if key in member}} for member in summary["members"]]


def _today(part: Mapping[str, Any], names: Names) -> dict[str, Any]:
    today = {former: name for name, former in names.items()}
    return {today.get(key, key): value for key, value in part.items()}


def _with_former(part: Mapping[str, Any], names: Names) -> dict[str, Any]:
    return {**part, **{former: part[name] for name, former in names.items() if name in part}}
