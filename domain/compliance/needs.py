"""What a rule needs and a path may not have, in words."""

from __future__ import annotations

from domain.compliance.rule import Known

TRADES = "the trades of the account"
LOWS = "intraday lows of the equity"
FLOATING = "the equity with floating profit"
RELEASES = "a news calendar"
REACH = "a news calendar that reaches its trades"


def lows_needed(known: Known) -> tuple[str, ...]:
    """For what happens to the equity between two rows a day apart."""
    return () if known.floating and known.lows else (FLOATING,) if not known.floating else (LOWS,)


def trades_needed(known: Known) -> tuple[str, ...]:
    return () if known.trades else (TRADES,)
