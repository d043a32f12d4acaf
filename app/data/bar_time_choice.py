"""The choice of what the time stamps of a file's bars are, beside that of their time zone."""

from __future__ import annotations

from typing import Any

from app.kit.forms import index_of

NAMES = {"": "auto-detect", "open": "bar open", "close": "bar close"}
HELP = "Whether a bar bears the time at which it opens or closes; auto-detected from Friday closes. TradeStation, MultiCharts and NinjaTrader stamp the close."


def bar_time_choice(place: Any, before: str, key: str) -> str:
    """
    >>> list(NAMES)
    ['', 'open', 'close']
    """
    options = list(NAMES)
    return str(place.selectbox("Time stamp", options, index_of(options, before), format_func=NAMES.__getitem__, key=key, help=HELP) or "")
