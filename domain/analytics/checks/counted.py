"""What the execution model dropped, shrank or had to guess."""

from __future__ import annotations

from collections.abc import Callable

from domain.analytics.linter import CHECKS, Check, Evidence, Finding, check, number_of, percent
from domain.errors import listed

COUNTED = {
    "no_margin": ("warning", "{entries} found too little free margin and {were} dropped."),
    "below_min_lot": ("warning", "Size fell below the minimum lot {times}."),
    "over_max_lot": ("warning", "Size was capped at the maximum lot {times}."),
    "no_stop": ("note", "{entries} needed a stop, had none and {were} dropped."),
    "no_size": ("note", "{entries} had no finite size and {were} dropped."),
    "target_through": ("note", "{entries} found the target already reached and {were} dropped."),
    "halted": ("note", "{entries} came while trading was halted and {were} dropped."),
    "target_below_step": ("note", "A target's share of the lots was below the lot step {times}: nothing left there."),
    "stale_rate": ("note", "A rate older than four days was used for money {times}."),
    "not_magnified": ("note", "{bars} had no finer bars to look into and {were} decided pessimistically."),
    "magnify_mismatch": ("warning", "{bars} reach further than their finer bars, or less far."),
    "shrunk_leverage": ("note", "The limit on leverage made size smaller {times}."),
    "shrunk_currency": ("note", "The limit on a currency made size smaller {times}."),
}


def _counted(key: str, level: str, sentence: str) -> Callable[[Evidence], Finding]:
    def find(e: Evidence) -> Finding:
        n = e.counts.get(key, 0)
        words = dict(entries=number_of(n, "entry", "entries"), bars=number_of(n, "bar"), times="once" if n == 1 else f"{n:,} times", were="was" if n == 1 else "were")
        return (level, sentence.format(**words), n) if n else None

    return find


for _key, (_level, _sentence) in COUNTED.items():
    CHECKS.add(_key, Check(_key, f"The count {_key} of the execution model.", _counted(_key, _level, _sentence), needs_trades=False))


@check("Entries refused by limits: from 10 % of the signals on a warning, as the run is then of the limits as much as of the strategy.", needs_trades=False)
def refused_by_limits(e: Evidence) -> Finding:
    refused = {key: count for key, count in e.counts.items() if (key.startswith("limit_") or key == "blackout") and count}
    total = sum(refused.values())
    if not total:
        return None
    share = total / max(e.signals, total)
    told = listed((f"{key.removeprefix('limit_')} {count:,}" for key, count in sorted(refused.items(), key=lambda item: -item[1])), 3)
    return ("warning" if share >= 0.1 else "note"), f"Limits refused {number_of(total, 'entry', 'entries')}, {percent(share)} of the signals ({told}).", share
