"""Orders that the execution model rejected or reduced, and its assumptions."""

from __future__ import annotations

from collections.abc import Callable

from domain.analytics.linter import CHECKS, Check, Evidence, Finding, check, number_of, percent
from domain.errors import listed
from domain.trading.outcomes import KINDS, LIMIT_DROPS, label

COUNTED = {key: (kind.severity, kind.remark) for key, kind in KINDS.items() if kind.severity}


def _counted(key: str, level: str, sentence: str) -> Callable[[Evidence], Finding]:
    def find(e: Evidence) -> Finding:
        n = e.counts.get(key, 0)
        words = dict(entries=number_of(n, "entry", "entries"), bars=number_of(n, "bar"), times="once" if n == 1 else f"{n:,} times", were="was" if n == 1 else "were")
        return (level, sentence.format(**words), n) if n else None

    return find


for _key, (_severity, _remark) in COUNTED.items():
    CHECKS.add(_key, Check(_key, KINDS[_key].sentence, _counted(_key, _severity, _remark), needs_trades=False))


@check("Entries rejected by risk limits: a warning from 10 % of the signals on, as the result then depends on the limits as much as on the strategy.", needs_trades=False)
def refused_by_limits(e: Evidence) -> Finding:
    refused = {key: count for key, count in e.counts.items() if key in LIMIT_DROPS and count}
    total = sum(refused.values())
    if not total:
        return None
    share = total / max(e.signals, total)
    reasons = listed((f"{label(key).lower()} {count:,}" for key, count in sorted(refused.items(), key=lambda item: -item[1])), 3)
    return ("warning" if share >= 0.1 else "note"), f"Risk limits rejected {number_of(total, 'entry', 'entries')}, {percent(share)} of the signals ({reasons}).", share
