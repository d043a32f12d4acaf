"""What was found in a set of bars, what was done about it, and whether the bars may be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

EXAMPLES = 5
LEDGER = ("line", "ts", "action", "reason", "open", "high", "low", "close", "volume", "spread")


class QualityCheck(NamedTuple):
    """One check of every file: its title, the singular and plural of its findings, and whether they must be repaired (``broken``) or only reported (``note``)."""

    title: str
    singular: str
    plural: str
    severity: str
    did: str


CHECKS: dict[str, QualityCheck] = {
    "timeframe": QualityCheck("Bars closer or further apart than the timeframe", "wrong timeframe", "wrong timeframes", "broken", "none"),
    "sparse": QualityCheck("Sparse weeks (most bars missing)", "bar in sparse weeks", "bars in sparse weeks", "note", "listed"),
    "malformed": QualityCheck("Malformed rows", "malformed row", "malformed rows", "broken", "dropped"),
    "clock": QualityCheck("Invalid timestamps (DST)", "invalid timestamp", "invalid timestamps", "broken", "dropped"),
    "prices": QualityCheck("Invalid or non-positive prices", "invalid price", "invalid prices", "broken", "dropped"),
    "inverted": QualityCheck("High below low", "bar with high below low", "bars with high below low", "broken", "dropped"),
    "magnitude": QualityCheck("Prices of another order of magnitude", "implausible price", "implausible prices", "broken", "dropped"),
    "grid": QualityCheck("Off-grid timestamps", "off-grid timestamp", "off-grid timestamps", "broken", "dropped"),
    "order": QualityCheck("Rows out of order", "row out of order", "rows out of order", "broken", "sorted"),
    "duplicates": QualityCheck("Duplicate bars", "duplicate row", "duplicate rows", "broken", "merged"),
    "conflicts": QualityCheck("Conflicting duplicates (rows lost by merging)", "conflicting duplicate", "conflicting duplicates", "broken", "merged"),
    "range": QualityCheck("Open or close outside high and low", "bar with open or close outside its range", "bars with open or close outside their range", "broken", "widened"),
    "spread": QualityCheck("Negative or infinite spreads", "invalid spread", "invalid spreads", "broken", "emptied"),
    "spread_size": QualityCheck("Implausible spreads (> 50 × the usual one, as large as the price, or < 0.1 point)", "implausible spread", "implausible spreads", "broken", "emptied"),
    "volume": QualityCheck("Negative or infinite volumes", "invalid volume", "invalid volumes", "broken", "emptied"),
    "unfinished": QualityCheck("Incomplete bars", "incomplete bar", "incomplete bars", "broken", "dropped"),
    "spikes": QualityCheck("Spikes (> 12 × median true range, reverting next bar)", "spike", "spikes", "note", "kept"),
    "stale": QualityCheck("Flat or stale bars", "stale run", "stale runs", "note", "listed"),
    "outside": QualityCheck("Bars outside trading hours", "bar outside trading hours", "bars outside trading hours", "note", "listed"),
    "missing": QualityCheck("Missing bars within trading hours", "missing bar", "missing bars", "note", "listed"),
    "gaps": QualityCheck("Gaps within trading hours", "gap", "gaps", "note", "listed"),
    "holidays": QualityCheck("Holidays (closed or thin)", "holiday", "holidays", "note", "listed"),
    "placeholder": QualityCheck("Placeholder volume", "placeholder volume", "placeholder volumes", "note", "listed"),
}


class Example(NamedTuple):
    """A moment (ISO 8601, UTC; "" where it could not be read) and what was there."""

    ts: str
    what: str


@dataclass(frozen=True)
class Finding:
    """The result of one check. ``did``: dropped, merged, sorted, widened, emptied, kept, listed or none."""

    key: str
    title: str
    count: int
    severity: str
    did: str
    examples: tuple[Example, ...] = ()

    def __str__(self) -> str:
        """
        >>> print(Finding("gaps", "Gaps within trading hours", 1041, "note", "listed"))
        1,041 gaps listed
        """
        check = CHECKS[self.key]
        return f"{self.count:,} {check.singular if self.count == 1 else check.plural}{'' if self.did == 'none' else ' ' + self.did}"


@dataclass(frozen=True)
class Report:
    """One Finding per check, in the order of CHECKS. ``verdict`` is clean (no errors), repairable or refused, ``sentence`` says why.

    ``ledger`` has a row for every source row dropped, merged or changed, with its old values; it is not part of the JSON.
    """

    instrument: str
    timeframe: str
    clock: str
    rows_read: int
    rows_kept: int
    start: str
    end: str
    findings: tuple[Finding, ...]
    verdict: str
    sentence: str
    notes: tuple[str, ...] = ()
    complete_from: str = ""         # where most bars of a part are missing: the date or moment from which the timeframe is complete
    left_out: int = 0               # rows before the moment chosen as the start of the import
    ledger: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(LEDGER)), compare=False, repr=False)

    def __getitem__(self, key: str) -> Finding:
        return next(finding for finding in self.findings if finding.key == key)

    def to_json(self) -> dict[str, Any]:
        """Plain lists, words and numbers, without the ledger."""
        return {name: value for name, value in asdict(self).items() if name != "ledger"} | {"findings": [_plain(finding) for finding in self.findings], "notes": list(self.notes)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        findings = tuple(Finding(**{**f, "examples": tuple(Example(*e) for e in f["examples"])}) for f in data["findings"])
        return cls(**{**data, "findings": findings, "notes": tuple(data["notes"])})


def finding(key: str, count: int, examples: tuple[Example, ...] = (), did: str | None = None) -> Finding:
    """The Finding of a check; nothing was done where nothing was found."""
    check = CHECKS[key]
    return Finding(key, check.title, int(count), check.severity, (did or check.did) if count else "none", examples[:EXAMPLES])


def moment(ns: int) -> str:
    """
    >>> moment(0), moment(1_720_612_830_000_000_000)
    ('1970-01-01T00:00Z', '2024-07-10T12:00:30Z')
    """
    text = str(np.datetime64(int(ns), "ns").astype("datetime64[s]"))
    return (text[:-3] if text.endswith(":00") else text) + "Z"


def sentence_of(findings: tuple[Finding, ...]) -> str:
    """What was found, worst first, as one sentence; without errors it says so, and how many kinds of warnings there are. Holidays are no warning.

    >>> sentence_of((finding("unfinished", 1), finding("spikes", 2), finding("gaps", 41)))
    '1 incomplete bar dropped, 2 spikes kept, 41 gaps listed.'
    >>> sentence_of((finding("missing", 676), finding("holidays", 3)))
    'No errors; 1 warning: 676 missing bars listed.'
    >>> sentence_of(())
    'No issues found.'
    """
    errors = [str(item) for item in findings if item.count and item.severity == "broken" and item.key != "timeframe"]
    warnings = [str(item) for item in findings if item.count and item.severity == "note" and item.key != "holidays"]
    if errors:
        return ", ".join(errors + warnings) + "."
    if warnings:
        return f"No errors; {len(warnings)} warning{'' if len(warnings) == 1 else 's'}: {', '.join(warnings)}."
    return "No issues found."


def verdict_words(verdict: str, findings: tuple[Finding, ...] | list[dict[str, Any]]) -> str:
    """The verdict for people: bars without errors are only called clean where there is no warning either.

    >>> verdict_words("clean", (finding("gaps", 1),)), verdict_words("clean", ()), verdict_words("repaired", ())
    ('no errors', 'clean', 'repaired')
    """
    plain = [item if isinstance(item, dict) else asdict(item) for item in findings]
    warned = any(item["count"] and item["severity"] == "note" and item["key"] != "holidays" for item in plain)
    return "no errors" if verdict == "clean" and warned else verdict


def _plain(finding: Finding) -> dict[str, Any]:
    return {**asdict(finding), "examples": [list(example) for example in finding.examples]}
