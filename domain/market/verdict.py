"""Whether bars may be used, and the sentence that says why and what to do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.market.coverage import Coverage
from domain.market.report import Finding, moment, sentence_of
from domain.market.timeframe import Timeframe
from domain.market.zones import DAY, HOUR

LOST = ("malformed", "clock", "prices", "inverted", "magnitude", "grid", "conflicts")
REPEATED = 0.6          # of the rows may be copies of others: a file that was joined to itself has half, more is no export


@dataclass(frozen=True)
class FileFacts:
    """What is known of a file besides its findings: rows read, bars kept, the largest share of rows that may be lost, and the sentences on
    prices, spreads, step and times, empty where nothing is odd about them."""

    timeframe: Timeframe
    read: int
    bars: int
    worst: float
    prices: str
    spreads: str
    apart: str
    cut: str
    coverage: Coverage
    complete_from: str


def verdict(findings: tuple[Finding, ...], facts: FileFacts) -> tuple[str, str]:
    """refused, repairable or clean (no errors), and the sentence."""
    counts = {finding.key: finding.count for finding in findings}
    if reason := _refusal(counts, facts):
        return "refused", f"Refused: {reason}. {sentence_of(findings)}"
    broken = any(finding.count for finding in findings if finding.severity == "broken")
    hint = f" {facts.spreads[0].upper()}{facts.spreads[1:]}." if counts["spread_size"] and facts.spreads else ""
    return "repairable" if broken else "clean", sentence_of(findings) + hint


def _refusal(counts: dict[str, int], facts: FileFacts) -> str:
    """Why the bars cannot be used; empty where they can."""
    lost = sum(counts[key] for key in LOST)
    offer = f"Import it from {facts.complete_from}, from when its {facts.timeframe} bars are complete"
    if counts["conflicts"] > facts.worst * facts.read:
        return f"{counts['conflicts']:,} of {facts.read:,} rows would be lost, because they share their time with another row{facts.cut}; export the file again with the time of each bar"
    if counts["duplicates"] > REPEATED * facts.read:
        return f"{counts['duplicates']:,} of {facts.read:,} rows repeat another row; export the file again"
    if facts.prices:
        return facts.prices
    if facts.apart:
        return f"bars are {facts.apart}; choose that timeframe, or resample" + (f". {offer}" if facts.complete_from else "")
    if not facts.bars:
        return f"of {facts.read:,} rows no bar is left"
    if lost > facts.worst * facts.read:
        return f"{lost:,} of {facts.read:,} rows are broken, and {facts.worst:.0%} is the most"
    if facts.coverage.insufficient:
        sentence = facts.coverage.sentence(facts.timeframe)
        return f"{sentence}. {offer}" if facts.complete_from else f"{sentence}; choose the timeframe that its bars have, or a file with all of them"
    return ""


def cut_words(ts_ns: np.ndarray, timeframe: Timeframe) -> str:
    """That times are cut to the hour or the day, where every time of a shorter timeframe is.

    >>> cut_words(np.arange(4) * HOUR, Timeframe.named("M5")), cut_words(np.arange(4) * HOUR, Timeframe.named("H1"))
    (': its times are cut to the hour', '')
    """
    for step, name in ((DAY, "day"), (HOUR, "hour")):
        if len(ts_ns) > 1 and timeframe.nanoseconds < step and not (ts_ns % step).any():
            return f": its times are cut to the {name}"
    return ""


def day_or_moment(ns: int, ts_ns: np.ndarray) -> str:
    """The date of a bar if it is the first of its day (UTC), else its moment; empty for 0.

    >>> day_or_moment(DAY + HOUR, np.array([0, DAY + HOUR])), day_or_moment(DAY + HOUR, np.array([DAY, DAY + HOUR])), day_or_moment(0, np.empty(0))
    ('1970-01-02', '1970-01-02T01:00Z', '')
    """
    if not ns:
        return ""
    first = int(ts_ns[np.searchsorted(ts_ns, ns // DAY * DAY)])
    return moment(ns)[:10] if first == ns else moment(ns)
