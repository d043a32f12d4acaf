"""The account's limits on one proposal, given the open positions and the proposals before it: section 9 of docs/execution.md at the close that decides.

A proposal is not shrunk: one that does not fit is refused. Daily loss, drawdown, the rate of entries, the daily gate and drift depend on a past, and open risk on the stops of open
positions, which a scan does not know: whoever keeps the account judges them. The expected shortfall of a trade is a criterion of the scan's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.backtest.kernel.codes import NEWS, OFF_SESSION
from domain.backtest.limit_tables import DARK_END, SPREAD_SPIKE, VOLATILITY_SPIKE
from domain.market.instrument import Instrument, group_of
from domain.risk.limits import REFUSALS, Limits
from domain.trading.account import Account

SENTENCES = {key: sentence for key, _, sentence in REFUSALS}
TOLERANCE = 1e-9        # of a capacity


@dataclass(frozen=True)
class Exposure:
    """A position, or an order that would open one. ``price``: price units. ``rate``: account currency per unit of the quote currency."""

    instrument: Instrument
    side: int
    lots: float
    price: float
    rate: float

    @property
    def notional(self) -> float:
        """Account currency, without a sign."""
        return self.lots * self.instrument.contract * abs(self.price) * self.rate

    def margin(self, leverage: float) -> float:
        """Account currency, on an account of this leverage."""
        if self.instrument.margin_per_lot:
            return self.lots * self.instrument.margin_per_lot * self.rate
        return self.notional / min(leverage, self.instrument.leverage)


@dataclass(frozen=True)
class AccountLimits:
    """``equity``: account currency."""

    limits: Limits
    account: Account
    equity: float

    def refusal(self, order: Exposure, held: Sequence[Exposure], warnings: int = 0) -> str:
        """Why the order may not go; empty where it may. ``warnings``: the bits of the bar that decided it (``limit_tables.warnings``)."""
        if not order.lots > 0.0:
            return f"The size rounds to less than the smallest lot, {order.instrument.min_lot:g}."
        return self._of_the_bar(warnings) or self._counted(order, held) or self._leverage(order, held) or self._currency(order, held) or self._margin(order, held)

    def _of_the_bar(self, warnings: int) -> str:
        bits = (("blackout", DARK_END), ("limit_news", NEWS), ("limit_session", OFF_SESSION), ("limit_spread", SPREAD_SPIKE), ("limit_volatility", VOLATILITY_SPIKE))
        return next((SENTENCES[key] for key, bit in bits if warnings & bit), "")

    def _counted(self, order: Exposure, held: Sequence[Exposure]) -> str:
        own = sum(other.instrument.name == order.instrument.name for other in held)
        if 0 < self.limits.max_positions <= len(held):
            return f"{len(held)} positions are open or proposed, and {self.limits.max_positions} are allowed."
        if 0 < self.limits.max_per_symbol <= own:
            return f"{own} positions in {order.instrument.name} are open or proposed, and {self.limits.max_per_symbol} are allowed."
        alike = sum(group_of(other.instrument) == group_of(order.instrument) for other in held)
        if 0 < self.limits.sector <= alike:
            return f"{alike} positions in the group {group_of(order.instrument)} are open or proposed, and {self.limits.sector} are allowed."
        return ""

    def _leverage(self, order: Exposure, held: Sequence[Exposure]) -> str:
        total, most = sum(each.notional for each in (*held, order)), self.limits.max_leverage
        return f"The notional would be {total / self.equity:.2f} times equity, and {most:g} are allowed." if most and _above(total, most * self.equity) else ""

    def _currency(self, order: Exposure, held: Sequence[Exposure]) -> str:
        most = self.limits.max_currency
        for name, sign in ((order.instrument.base, 1), (order.instrument.quote, -1)) if most else ():
            pushed = sign * order.side
            leg = sum(_on(each, name) for each in held) + pushed * order.notional
            if name != self.account.currency and pushed * leg > 0 and _above(abs(leg), most * self.equity):
                return f"The exposure to {name} would be {abs(leg) / self.equity:.2f} times equity, and {most:g} are allowed."
        return ""

    def _margin(self, order: Exposure, held: Sequence[Exposure]) -> str:
        needed, used = (sum(each.margin(self.account.leverage) for each in group) for group in ([order], held))
        return f"The margin of {needed:,.2f} {self.account.currency} does not fit: {used:,.2f} of {self.equity:,.2f} are used." if needed > self.equity - used else ""


def _above(amount: float, capacity: float) -> bool:
    return amount > capacity + TOLERANCE * abs(capacity)


def _on(held: Exposure, currency: str) -> float:
    """What a position holds of a currency, signed, in account currency."""
    return held.side * held.notional * ((held.instrument.base == currency) - (held.instrument.quote == currency))
