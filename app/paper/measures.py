"""What a limit found at a decision, and how much of it was allowed, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from app.kit.figures import exact, number
from worker.desk.outcomes import label

SET = {     # of limits without a number at the order: the limit as it is set
    "limit_spread": ("spread_spike", "over {} × the mean spread"), "limit_volatility": ("volatility_spike", "over {} × ATR"), "limit_news": ("news", "within {} minutes of a release"),
    "limit_session": ("session", "outside {}"), "blackout": ("blackout", "{}"),
}  # fmt: skip
COUNTED = ("limit_positions", "limit_symbol", "limit_sector", "limit_rate")


def against(decisions: pd.DataFrame, plan: Mapping[str, Any]) -> pd.DataFrame:
    """The decisions with a column ``against``: value of allowed, for example ``497.00 of 500.00, 25.00 kept``."""
    limits = plan.get("rules", {}).get("limits", {})
    return labelled(decisions.assign(against=[measured(row, limits) for row in decisions.to_dict("records")]))


def labelled(rows: pd.DataFrame) -> pd.DataFrame:
    """Reasons of decisions, fills and trades as people read them."""
    return rows.assign(**{name: [label(reason) if reason else "" for reason in rows[name].astype(str)] for name in ("reason", "exit_reason") if name in rows})


def measured(row: Mapping[str, Any], limits: Mapping[str, Any]) -> str:
    """
    >>> measured(dict(reason="limit_headroom", value=497.0, allowed=500.0, buffer=25.0), {})
    '497.00 of 500.00, 25.00 kept'
    >>> measured(dict(reason="limit_rate", value=2.0, allowed=2.0, buffer=None), {}), measured(dict(reason="limit_spread"), dict(spread_spike=3.0))
    ('2 of 2', 'over 3 × the mean spread')
    """
    reason, value, allowed, buffer = (row.get(name) for name in ("reason", "value", "allowed", "buffer"))
    if not _known(value):
        name, words = SET.get(str(reason), ("", ""))
        given = limits.get(name)
        return words.format(exact(given) if isinstance(given, float) else given) if given else ""
    places = 0 if reason in COUNTED else 2
    kept = f", {number(buffer, places)} kept" if _known(buffer) and buffer else ""
    return number(value, places) + (f" of {number(allowed, places)}{kept}" if _known(allowed) else "")


def _known(value: Any) -> bool:
    return isinstance(value, int | float) and value == value
