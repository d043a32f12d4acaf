"""What may forbid an order, shrink it, or halt the account. The meaning of each stands in docs/execution.md, section 9."""

from __future__ import annotations

from dataclasses import dataclass

from domain.params import param


@dataclass(frozen=True)
class Limits:
    """Reviewed before each order, in the kernel; 0 or an empty text turns a limit off."""

    max_leverage: float = param(0.0, low=0.0, high=2_000.0, unit="× equity", help="all notionals together, over equity; an order shrinks to what fits")
    max_positions: int = param(0, low=0, high=10_000, unit="positions", title="Open at most", help="open at once in the account")
    max_per_symbol: int = param(0, low=0, high=10_000, unit="positions", title="Per instrument", help="open at once in one instrument")
    max_currency: float = param(0.0, low=0.0, high=2_000.0, unit="× equity", help="net exposure of any one currency other than the account's; an order shrinks to what fits")
    max_correlation: float = param(0.0, low=0.0, high=1.0, unit="correlation", help="refuses an order that moves with an open position of another instrument more than this")
    correlation_days: int = param(60, low=5, high=1_000, unit="days", help="daily changes that correlation is taken over")
    daily_loss: float = param(0.0, low=0.0, high=1.0, unit="share of the day's start", help="equity inside bars falls so far in a day: no entries until the next")
    day_reset: str = param("17:00 America/New_York", unit="", help="when a day ends: clock time and zone")
    max_drawdown: float = param(0.0, low=0.0, high=1.0, unit="share of the peak", help="equity inside bars falls so far below its peak: no entries any more")
    flatten: bool = param(True, unit="", help="a halt also closes what is open, at the next open")
    spread_spike: float = param(0.0, low=0.0, high=1_000.0, unit="× mean spread", help="refuses an order decided on a bar whose spread is wider than this")
    volatility_spike: float = param(0.0, low=0.0, high=1_000.0, unit="× ATR", help="refuses an order decided on a bar whose true range is longer than this")
    spike_window: int = param(50, low=2, high=10_000, unit="bars", help="bars that a spike is measured against")
    blackout: str = param("", unit="", help="weekly or daily windows without entries, separated by ;  Fri 20:00-Sun 23:00 Europe/Athens; 12:25-12:35 UTC")
