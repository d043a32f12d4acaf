"""Risk limits: they reject an order, shrink it, or halt the account. Each is specified in docs/execution.md, section 9."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import BadRequest
from domain.params import param


@dataclass(frozen=True)
class Limits:
    """Reviewed before each order, in the kernel; 0 or an empty text turns a limit off."""

    max_leverage: float = param(0.0, low=0.0, high=2_000.0, unit="× equity", help="total notional over equity; an order is reduced to what fits")
    max_positions: int = param(0, low=0, high=10_000, unit="positions", title="Max open positions", help="open positions in the account at the same time")
    max_per_symbol: int = param(0, low=0, high=10_000, unit="positions", title="Max positions per symbol", help="open positions in one instrument at the same time")
    max_currency: float = param(0.0, low=0.0, high=2_000.0, unit="× equity", title="Max currency exposure (× equity)", help="net exposure to any currency other than the account's; an order is reduced to what fits")
    max_correlation: float = param(0.0, low=0.0, high=1.0, unit="correlation", help="rejects an order whose instrument correlates more than this with an open position")
    correlation_days: int = param(60, low=5, high=1_000, unit="days", help="daily changes that the correlation is computed over")
    daily_loss: float = param(0.0, low=0.0, high=1.0, unit="share of the day's start", help="intrabar equity loss of a day at which there are no new entries until the next day")
    day_reset: str = param("17:00 America/New_York", unit="", title="Trading-day reset", help="clock time and zone at which a trading day ends")
    max_drawdown: float = param(0.0, low=0.0, high=1.0, unit="share of the peak", help="intrabar drawdown from the equity peak at which there are no new entries")
    flatten: bool = param(True, unit="", title="Close positions on halt", help="flatten positions on halt, at the next open")
    spread_spike: float = param(0.0, low=0.0, high=1_000.0, unit="× mean spread", title="Max spread (× mean)", help="rejects an order decided on a bar with a wider spread")
    volatility_spike: float = param(0.0, low=0.0, high=1_000.0, unit="× ATR", title="Max true range (× ATR)", help="rejects an order decided on a bar with a larger true range")
    spike_window: int = param(50, low=2, high=10_000, unit="bars", title="Spread/vol lookback", help="bars over which mean spread and ATR are computed")
    blackout: str = param("", unit="", title="No-trade windows", help="weekly or daily windows without entries, separated by ;  Fri 20:00-Sun 23:00 Europe/Athens; 12:25-12:35 UTC")
    news: float = param(0.0, low=0.0, high=1_440.0, unit="minutes", title="No entries around releases", help="rejects an order decided this near to a scheduled release of the instrument's own currencies; needs a calendar of releases")
    session: str = param("", unit="", title="Sessions with entries", help="names of sessions, separated by commas; rejects an order decided outside all of them: asia, india, london, new_york")
    rate: int = param(0, low=0, high=1_000, unit="entries", title="Max entries in 60 minutes", help="entries of the account in any 60 minutes")
    sector: int = param(0, low=0, high=10_000, unit="positions", title="Max positions per group", help="open positions in one group of instruments at the same time")
    es95: float = param(0.0, low=0.0, high=1_000.0, unit="per 1,000 of equity", title="Max expected shortfall of a trade", help="rejects an order whose mean loss in the worst twentieth of its series' trades is larger; an order needs a stop loss")
    es95_trades: int = param(100, low=20, high=1_000, unit="trades", title="Trades for the shortfall", help="latest closed trades of a series that the expected shortfall is computed from; with fewer than 20 it is the loss at the stop")
    open_risk: float = param(0.0, low=0.0, high=1.0, unit="share of equity", title="Max open risk", help="loss if every stop of the account is hit, with the new order; an order is reduced to what fits and needs a stop loss")
    daily_gate: bool = param(False, unit="", title="Reduce size with the daily loss", help="once half of the daily loss limit is used, sizes fall evenly, to zero where all of it is used; needs a daily loss limit")
    drift: str = param("", unit="", title="Feature monitored for drift", help="halves the size while this feature has drifted: population stability index above 0.25, the last 500 bars against the 5,000 before; for example atr_share(14)")

    def __post_init__(self) -> None:
        if self.daily_gate and not self.daily_loss:
            raise BadRequest("daily_gate is on and daily_loss is 0, so there is no limit whose use could reduce the size; set daily_loss, or switch daily_gate off")


REFUSALS = (    # key, label, sentence: what a refusal by a limit is called wherever it is counted or shown
    ("blackout", "Blackout window", "The time was inside a window without entries."),
    ("limit_news", "Near a release", "A scheduled release of the instrument's own currencies was near at the decision."),
    ("limit_session", "Outside the sessions", "The order was decided outside the sessions in which entries are allowed."),
    ("limit_positions", "Maximum positions open", "The account already had its maximum number of open positions."),
    ("limit_symbol", "Maximum positions in instrument", "The instrument already had its maximum number of open positions."),
    ("limit_sector", "Maximum positions in group", "The group of the instrument already had its maximum number of open positions."),
    ("limit_rate", "Maximum entries in 60 minutes", "The account already had its maximum number of entries in 60 minutes."),
    ("limit_correlation", "Correlated position open", "The order was too strongly correlated with an open position."),
    ("limit_leverage", "Leverage limit", "The order did not fit under the leverage limit."),
    ("limit_currency", "Currency exposure limit", "The order did not fit under the limit of net exposure to one currency."),
    ("limit_open_risk", "Open risk limit", "The order did not fit under the limit of open risk, or it or a position had no stop loss."),
    ("limit_es95", "Expected shortfall of the trade", "The expected shortfall of the trade was too large a part of equity, or the order had no stop loss."),
    ("limit_headroom", "Headroom of the rule set", "The worst case of the order did not fit the headroom above a floor of the rule set, less the buffer; or the floor was broken, or there was no stop loss."),
    ("limit_spread", "Spread spike", "The spread was unusually wide at the decision."),
    ("limit_volatility", "Volatility spike", "The bar's range was unusually long at the decision."),
)
