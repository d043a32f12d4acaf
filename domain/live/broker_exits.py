"""Stops, targets and exits of what is held at a broker, as the account has them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal

from domain.backtest.live_outside import Leaving as Due
from domain.backtest.live_outside import OutsideAccount
from domain.backtest.live_records import Held
from domain.live.broker_orders import Leaving, SessionOrder, priced, shared
from domain.live.broker_wanted import Levels
from domain.market.instrument import Instrument
from domain.trading.order import NOUGHT


def levels_of(order: SessionOrder, held: Mapping[int, Held], outside: OutsideAccount, instrument: Instrument) -> Levels | None:
    """Where the stop and the targets of an order stand that is held; None of any other."""
    position = next((held[trade] for leg, trade in order.trades.items() if trade in held and order.held_legs.get(leg)), None)
    if position is None:
        return None
    targets = outside.targets(position.trade_id)
    legs = {leg: priced(targets[leg - 1], instrument) for leg in order.held_legs if leg and not math.isnan(targets[leg - 1])}
    return Levels(order.number, None if math.isnan(position.stop_loss) else priced(position.stop_loss, instrument), legs)


def due(leaving: Due, order: SessionOrder | None, outside: OutsideAccount, now: int, instrument_of: Callable[[int], Instrument]) -> None:
    """Note an exit that is due, once: the whole of what is held, or a share of it rounded down to the lot step."""
    if order is None or order.leaving is not None or now < order.again or not order.held_legs:
        return
    held, instrument = order.held_legs, instrument_of(order.task)
    total = sum(held.values(), NOUGHT)
    lots = total if leaving.share >= 1.0 - 1e-9 else stepped(total, leaving.share, instrument)
    if lots <= 0:
        return outside.stay(leaving.trade)
    order.reasons.append(leaving.reason)
    order.leaving = Leaving(f"{len(order.reasons)}", leaving.reason, shared(lots, held))


def stepped(total: Decimal, share: float, instrument: Instrument) -> Decimal:
    """A share of the lots in whole steps.

    >>> from domain.market.instrument import instrument
    >>> stepped(Decimal("0.30"), 1 / 3, instrument("EURUSD"))
    Decimal('0.10')
    """
    step = Decimal(str(instrument.lot_step)).normalize()
    return (math.floor(float(total / step) * share + 1e-6) * step).quantize(step)
