"""The scanner's rules in plain Python, written from the sentences of docs/scanner.md: one combination after the other, no arrays."""

from __future__ import annotations

from math import ceil, fsum, isnan, nan, sqrt


def mean(numbers):
    return fsum(numbers) / len(numbers) if numbers else 0.0


def q_star(r, spread_now, spread_at_entries, stop_distance, classifier=None):
    """p·W − (1 − p)·L − s/√n − (spread now − mean spread at entries) ÷ stop distance."""
    n = len(r)
    wins, others = [x for x in r if x > 0], [x for x in r if not x > 0]
    p = (len(wins) + 1) / (n + 2) if classifier is None else classifier
    s = sqrt(fsum((x - mean(r)) ** 2 for x in r) / (n - 1))
    return p * mean(wins) - (1 - p) * -mean(others) - s / sqrt(n) - (spread_now - mean(spread_at_entries)) / stop_distance


def es95(r, money_at_risk, equity):
    """Per 1,000 of equity: mean of the ⌈n/20⌉ worst r × money at risk."""
    return -mean(sorted(r)[: ceil(len(r) / 20)]) * money_at_risk / equity * 1000


def grade(q):
    return "A+" if q >= 0.50 else "A" if q >= 0.30 else "B" if q >= 0.15 else "C" if q >= 0.05 else "D"


def scan(combinations, equity, open_positions, rho, limit=lambda number, proposed: "", most=3):
    """The reason of each combination, "" for a proposal, and the proposals in their order.

    A combination: dict of instrument, side, ready, r, spread, spread_at_entries, stop, at_risk, p."""
    reasons: dict[int, str] = {}
    waiting: list[tuple[float, int]] = []
    for k, combination in enumerate(combinations):
        r = list(combination["r"][-250:])
        if not combination["ready"]:
            reasons[k] = "warm_up"
        elif combination["side"] == 0:
            reasons[k] = "no_signal"
        elif len(r) < 40:
            reasons[k] = "few_trades"
        elif not combination["stop"] > 0:
            reasons[k] = "grade"
        else:
            q = q_star(r, combination["spread"], combination["spread_at_entries"], combination["stop"], combination["p"])
            if grade(q) not in ("A+", "A"):
                reasons[k] = "grade"
            elif isnan(combination["at_risk"]) or es95(r, combination["at_risk"], equity) > 10:
                reasons[k] = "es95"
            else:
                waiting.append((-q, k))
    proposed: list[int] = []
    for _, k in sorted(waiting):
        combination = combinations[k]
        held = [*open_positions, *((combinations[j]["instrument"], combinations[j]["side"]) for j in proposed)]
        signed = [combination["side"] * side * (1.0 if name == combination["instrument"] else rho.get((combination["instrument"], name), nan)) for name, side in held]
        if any(isnan(value) or value > 0.3 for value in signed):
            reasons[k] = "correlation"
        elif limit(k, proposed):
            reasons[k] = "limit"
        elif len(proposed) == most:
            reasons[k] = "rank"
        else:
            reasons[k] = ""
            proposed.append(k)
    return reasons, proposed
