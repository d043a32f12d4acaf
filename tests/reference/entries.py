"""From signal to position: decisions, market and pending entries, OCO, grids (sections 3 and 8)."""

from __future__ import annotations

import math

from domain.risk.sizing import Sizing
from tests.reference.bars import Bar, on_grid, reaches_down, reaches_up
from tests.reference.clocks import flat_moment, shut_before
from tests.reference.ledger import Ledger, Place, at_open, inside
from tests.reference.limits import add_is_refused, refused_at_decision, reviewed
from tests.reference.orders import Grid, Order, Position, Series, Signal, Target
from tests.reference.sizes import lacks_a_stop, lots_of, whole_steps

# --- the decision ---


def decide(ledger: Ledger, series: Series, bar: Bar, signal: Signal, sizing: Sizing, equity: float) -> None:
    """Section 8, checks at the decision, in order: last bar, exit, the mark of ``reverse_on_opposite``, limits, no_stop, size."""
    if bar is series.bars[-1]:
        ledger.counts["end_of_data"] += 1
        ledger.exits_at_the_end += signal.order == "exit"
        return
    position = series.positions.get(signal.tag)
    if signal.order == "exit":
        _mark_exit(ledger, position)
        return
    if ledger.execution.reverse_on_opposite and position is not None and position.side != signal.side:
        position.leaves_by_opposite = True
    if refusal := refused_at_decision(ledger, series, bar):
        ledger.refuse(series, signal, bar.end, refusal, math.nan)
        return
    if lacks_a_stop(signal, sizing):
        ledger.counts["no_stop"] += 1
        return
    lots = lots_of(ledger, series, bar, signal, sizing, equity, bar.end)
    if lots is not None:
        _place(series, bar, signal, lots, ledger.ask)


def _mark_exit(ledger: Ledger, position: Position | None) -> None:
    """``exit`` marks the position open at the decision; none open: ``nothing_to_exit``."""
    if position is None:
        ledger.counts["nothing_to_exit"] += 1
    else:
        position.leaves_by_signal = True


def _place(series: Series, bar: Bar, signal: Signal, lots: float, proposed: bool) -> None:
    """Live from bar t+1; a stop or limit in bars t+1 … t+``valid_bars``, or without end. A proposal waits with the market orders."""
    last_bar = None if signal.valid_bars is None else bar.number + signal.valid_bars
    if signal.order == "market" or proposed:
        series.market.append(Order(signal, signal.order, signal.side, lots, signal.price, bar.number + 1, None, proposed=proposed))
    else:
        series.pending.append(Order(signal, signal.order, signal.side, lots, signal.price, bar.number + 1, last_bar))


# --- market entries, step 1 ---


def enter_at_open(ledger: Ledger, series: Series, bar: Bar) -> None:
    """Market entries in the order of their signals; the tag is checked after all closings of step 1."""
    for order in [order for order in series.market if not order.proposed]:
        if order not in series.market:  # cancelled by its OCO meanwhile
            continue
        series.market.remove(order)
        if order.kind != "market":  # approved: live from this bar on
            order.last_bar = None if order.signal.valid_bars is None else bar.number + order.signal.valid_bars - 1
            series.pending.append(order)
            continue
        series.taken = {tag: position.side for tag, position in series.positions.items()}
        enter(ledger, series, order, bar.opening(order.side).open, at_open(bar))


# --- pending entries, step 2 ---


def fill_pending(ledger: Ledger, series: Series, bar: Bar, piece: Bar) -> None:
    """All pending orders that ``piece`` reaches, by their distance from its open; ties: buys first, then signal order."""
    reached = [order for order in series.pending if order.first_bar <= bar.number and _is_reached(order, piece)]
    reached.sort(key=lambda order: (_distance(order, piece), -order.side, order.signal.number))
    for order in reached:
        if order not in series.pending:  # cancelled by its OCO meanwhile
            continue
        series.pending.remove(order)
        price = _pending_price(order, piece)
        if order.position is not None:
            _add(ledger, series, order, price, inside(bar, piece))
        else:
            enter(ledger, series, order, price, inside(bar, piece))
            position = series.positions.get(order.signal.tag)
            if position is not None and position.signal is order.signal:
                _note_where(position, order, bar, piece)


def _note_where(position: Position, order: Order, bar: Bar, piece: Bar) -> None:
    """At the open of its piece if that is through the order's price already, else inside it; a bar opens with its first piece."""
    through = _through_at_open(order, piece)
    starts = piece is bar or piece is bar.finer[0]
    position.inside_piece = not through
    position.inside_by = "" if through and starts else order.kind


def _is_reached(order: Order, piece: Bar) -> bool:
    """Stop: a long in the first bar whose ask high ≥ trigger. Limit: whose ask low ≤ limit. Shorts mirrored, on the bid."""
    quote = piece.opening(order.side)
    if order.kind == "stop":
        return reaches_up(quote.favourable(order.side), order.level, order.side)
    return reaches_down(quote.adverse(order.side), order.level, order.side)


def _through_at_open(order: Order, piece: Bar) -> bool:
    opened = piece.opening(order.side).open
    return reaches_up(opened, order.level, order.side if order.kind == "stop" else -order.side)


def _distance(order: Order, piece: Bar) -> float:
    """From the open of the side it trades on; 0 if already through. A distance between prices on the grid is on the grid."""
    return 0.0 if _through_at_open(order, piece) else on_grid(abs(order.level - piece.opening(order.side).open))


def _pending_price(order: Order, piece: Bar) -> float:
    """Long stop: max(ask open, trigger); long limit: min(ask open, limit); shorts mirrored."""
    return piece.opening(order.side).open if _through_at_open(order, piece) else order.level


def expire(ledger: Ledger, series: Series, bar: Bar) -> None:
    """After its last bar an order is ``expired``; what the data outlives not is ``end_of_data``. Adds of a grid are no signals."""
    for order in list(series.pending):
        if order.last_bar is not None and order.last_bar <= bar.number:
            series.pending.remove(order)
            ledger.counts["expired"] += 1
        elif bar is series.bars[-1]:
            series.pending.remove(order)
            ledger.counts["end_of_data"] += order.position is None


# --- the fill ---


def enter(ledger: Ledger, series: Series, order: Order, price: float, place: Place) -> None:
    """Section 8, checks at the fill, in order: the tag, ``stop_through``, ``target_through``, the limits, ``no_margin``; then it opens."""
    signal, side = order.signal, order.side
    if signal.tag in series.taken:
        ledger.counts["duplicate_tag" if series.taken[signal.tag] == side else "opposite_dropped"] += 1
        return
    slippage = 0.0 if order.kind == "limit" else ledger.slippage(series, signal, 0, place.atr_bar)
    fill = price + side * slippage
    targets = _targets(signal, side, fill)
    if refusal := _through(price, place, side, signal.stop_loss, targets):
        ledger.counts[refusal] += 1
        return
    lots = reviewed(ledger, series, order, fill, place)
    if lots is None:
        return
    margin = ledger.margin_needed(series, lots, fill, place.ts)
    if not ledger.has_margin_for(margin):
        ledger.refuse(series, signal, place.bar.ts, "no_margin", lots, (margin, ledger.equity_at_last_known_closes() - ledger.used_margin(), math.nan))
        return
    order.lots = lots
    position = _open(ledger, series, order, fill, targets, margin, place)
    ledger.book_entry(position, lots, fill, slippage, order.kind, place)
    if place.how == "inside":
        ledger.expose(position)
    cancel_siblings(ledger, series, signal)
    _place_add(series, position, place)


def _through(price: float, place: Place, side: int, stop: float | None, targets: list[Target]) -> str:
    """Section 3: the closing side's price at the fill, that is fill ∓ spread without slippage, at or beyond the stop or a target."""
    closing = on_grid(price - side * place.spread)
    if stop is not None and reaches_down(closing, stop, side):
        return "stop_through"
    if any(reaches_up(closing, target.level, side) for target in targets):
        return "target_through"
    return ""


def _targets(signal: Signal, side: int, fill: float) -> list[Target]:
    """Nearest first, equal prices in their given order. R is that of this fill, slippage included."""
    if signal.grid is not None:
        return [_basket(signal.grid, side, fill)]
    levels = [
        order_target.price if order_target.price is not None else on_grid(fill + side * order_target.r * abs(fill - signal.stop_loss))
        for order_target in signal.targets
    ]  # fmt: skip
    targets = [Target(order_target.name, level, order_target.fraction) for order_target, level in zip(signal.targets, levels, strict=True)]
    return sorted(targets, key=lambda target: target.level * side)


def _open(ledger: Ledger, series: Series, order: Order, fill: float, targets: list[Target], margin: float, place: Place) -> Position:
    signal, bar = order.signal, place.bar
    flat_at = flat_moment(signal.flat_by, bar.ts) if signal.flat_by else None
    shut_at = None if flat_at is None else shut_before(flat_at, series.task.timeframe.nanoseconds, series.instrument.calendar)
    ledger.entries += 1
    ledger.entry_times.append(place.ts)
    position = Position(
        series=series, signal=signal, side=order.side, trade_id=ledger.entries,
        entry_bar=bar.number, entry_ts=place.ts,
        lots=order.lots, entry_lots=order.lots, all_lots=order.lots, last_lots=order.lots,
        first_price=fill, entry_price=fill, last_price=fill,
        stop=signal.stop_loss, stop_reason="stop_loss", risk=None if signal.stop_loss is None else abs(fill - signal.stop_loss),
        unit_value=series.instrument.contract * ledger.rate(series, place.ts, counted=False), targets=targets, margin=margin,
        notional=ledger.notional(series, order.lots, fill, place.ts),
        adds_left=signal.grid.max_adds if signal.grid else 0, flat_at=flat_at, shut_at=shut_at,
    )  # fmt: skip
    ledger.open[position.trade_id] = series.positions[signal.tag] = position
    series.taken[signal.tag] = order.side
    return position


def cancel_siblings(ledger: Ledger, series: Series, signal: Signal) -> None:
    """Only a fill cancels the other orders of its ``oco`` key, a market order that has not filled yet among them."""
    if not signal.oco:
        return
    for orders in (series.pending, series.market):
        for order in [order for order in orders if order.signal.oco == signal.oco and order.position is None]:
            orders.remove(order)
            ledger.counts["oco_cancelled"] += 1


# --- grids ---


def _basket(grid: Grid, side: int, average: float) -> Target:
    """One target for all = average ± basket_target."""
    return Target("target_1", on_grid(average + side * grid.basket_target), 1.0)


def _place_add(series: Series, position: Position, place: Place) -> None:
    """One limit order at last fill ∓ spacing for previous lots × factor, that of the first add or of a further one, live from the bar after that fill,
    at most ``max_adds`` times."""
    grid, instrument = position.signal.grid, series.instrument
    if grid is None or position.adds_left == 0:
        return
    factor = grid.first_factor if position.adds_left == grid.max_adds else grid.lots_factor
    lots = min(whole_steps(position.last_lots * factor, instrument.lot_step), on_grid(instrument.max_lot))
    if lots < on_grid(instrument.min_lot):  # an add under the minimum lot ends the adding
        return
    level = on_grid(position.last_price - position.side * grid.spacing)
    series.pending.append(Order(position.signal, "limit", position.side, lots, level, place.bar.number + 1, None, position))


def _add(ledger: Ledger, series: Series, order: Order, price: float, place: Place) -> None:
    """An add that is refused ends the adding and is not counted; one that fills moves the average and, from the next bar, the target."""
    position = order.position
    margin = ledger.margin_needed(series, order.lots, price, place.ts)
    if _through(price, place, position.side, position.stop, position.targets) or add_is_refused(ledger, series, order, price, place):
        return
    if not ledger.has_margin_for(margin):
        return
    together = position.lots + order.lots
    position.entry_price = (position.entry_price * position.lots + price * order.lots) / together
    position.lots, position.all_lots = on_grid(together), on_grid(position.all_lots + order.lots)
    position.last_price, position.last_lots = price, order.lots
    position.margin += margin
    position.notional += ledger.notional(series, order.lots, price, place.ts)
    position.adds_left -= 1
    ledger.book_entry(position, order.lots, price, 0.0, "grid", place)
    position.fills += 1
    ledger.expose(position)
    _place_add(series, position, place)


def move_basket(position: Position) -> None:
    """Recomputed at each add, live from the next bar: so at the close of every bar, for whatever the average is by then."""
    if position.signal.grid is not None:
        position.targets = [_basket(position.signal.grid, position.side, position.entry_price)]
