"""How positions leave: at the open, through the bar, by stop-out, at the close (sections 4, 6 and 8)."""

from __future__ import annotations

from tests.reference.bars import Bar, Quote, on_grid, reaches_down, reaches_up
from tests.reference.ledger import Ledger, Place, at_close, at_open, elsewhere, inside
from tests.reference.orders import Position, Series, Target
from tests.reference.sizes import whole_steps


def leave(ledger: Ledger, position: Position, price: float, reason: str, place: Place, slipped: bool = True) -> None:
    """All that is left leaves at ``price``, less slippage."""
    slippage = ledger.slippage(position.series, position.signal, position.fills, place.atr_bar) if slipped else 0.0
    ledger.book_exit(position, position.lots, price, slippage, reason, place)


# --- step 1 ---


def close_at_open(ledger: Ledger, position: Position, bar: Bar) -> None:
    """Section 4, step 1: the first that applies: time, session, signal, opposite, kill_switch; a gapped stop; gapped targets."""
    reason = _timed_reason(position, bar)
    if reason:
        leave(ledger, position, bar.closing(position.side).open, reason, at_open(bar))
        return
    if position.leaves_by_hand:
        _leave_by_hand(ledger, position, bar)
    if position.lots > 0:
        gap(ledger, position, bar, at_open(bar))


def _leave_by_hand(ledger: Ledger, position: Position, bar: Bar) -> None:
    """What a person closes: a share of the lots open now, rounded down to the lot step, at the open less slippage; the rest lives on."""
    share, position.leaves_by_hand = position.leaves_by_hand, 0.0
    lots = position.lots if share > 1 - 1e-9 else min(whole_steps(share * position.lots, position.series.instrument.lot_step), position.lots)
    if lots == 0:
        ledger.counts["manual_below_step"] += 1
        return
    slippage = ledger.slippage(position.series, position.signal, position.fills, bar.number - 1)
    ledger.book_exit(position, lots, bar.closing(position.side).open, slippage, "manual", at_open(bar))


def _timed_reason(position: Position, bar: Bar) -> str:
    signal = position.signal
    if signal.max_bars is not None and bar.number >= position.entry_bar + signal.max_bars:
        return "time"
    if position.flat_at is not None and bar.ts >= position.flat_at:
        return "session"
    if position.leaves_by_signal:
        return "signal"
    if position.leaves_by_opposite:
        return "opposite"
    return "kill_switch" if position.leaves_by_halt else ""


def gap(ledger: Ledger, position: Position, piece: Bar, place: Place) -> None:
    """The gap rule: a stop the open has gapped through, at the open, less slippage; targets, at the open, and the rest lives on."""
    opened = piece.closing(position.side).open
    if position.stop is not None and reaches_down(opened, position.stop, position.side):
        leave(ledger, position, opened, position.stop_reason, place)
        return
    for target in [target for target in position.targets if reaches_up(opened, target.level, position.side)]:
        take(ledger, position, target, opened, place)


def take(ledger: Ledger, position: Position, target: Target, price: float, place: Place) -> None:
    """A target closes its share rounded down to the lot step (0: spent); the one that brings the shares reached to 1 closes the rest."""
    if position.lots == 0:
        return
    position.targets.remove(target)
    position.reached += target.fraction
    lots = min(whole_steps(position.entry_lots * target.fraction, position.series.instrument.lot_step), position.lots)
    if position.reached > 1 - 1e-9:
        lots = position.lots
    if lots == 0:
        ledger.counts["target_below_step"] += 1
        return
    ledger.book_exit(position, lots, price, 0.0, target.name, place)


# --- step 2 ---


def stop_and_targets(ledger: Ledger, position: Position, bar: Bar, piece: Bar, just_opened: bool) -> None:
    """A stop fills at its price less slippage, a target at its price exactly; ``just_opened``: inside this very piece.

    After a limit entry the close alone counts for the targets, after a stop entry the whole favourable extreme: it came after the fill.
    """
    side, quote = position.side, piece.closing(position.side)
    stopped = position.stop is not None and reaches_down(quote.adverse(side), position.stop, side)
    furthest = quote.close if just_opened and position.inside_by == "limit" else quote.favourable(side)
    reached = [target for target in position.targets if reaches_up(furthest, target.level, side)]
    if stopped and (reached or just_opened):
        ledger.ambiguous.add((position.trade_id, bar.number))
    place = inside(bar, piece)
    if stopped and _stop_first(ledger.execution.intrabar, quote, side, just_opened):
        leave(ledger, position, position.stop, position.stop_reason, place)
        return
    for target in reached:
        take(ledger, position, target, target.level, place)
    if stopped and position.lots > 0:
        leave(ledger, position, position.stop, position.stop_reason, place)


def _stop_first(intrabar: str, quote: Quote, side: int, just_opened: bool) -> bool:
    """Pessimistic: yes. Optimistic: no. Path: whether the adverse extreme comes first; inside the bar of its entry, yes.

    The path is open→high→low→close if |open − high| ≤ |open − low|, else open→low→high→close.
    """
    if intrabar == "optimistic":
        return False
    if intrabar != "path" or just_opened:
        return True
    high_first = on_grid(abs(quote.open - quote.high)) <= on_grid(abs(quote.open - quote.low))
    return not high_first if side > 0 else high_first


# --- stop-out ---


def stop_out(ledger: Ledger, ending: dict[Series, Bar], instant: int) -> None:
    """Section 6: while equity at the bars' adverse extremes ÷ used margin ≤ ``stop_out``, the largest floating loser leaves whole."""
    threshold = ledger.account.stop_out
    while threshold > 0 and (used := ledger.used_margin()) > 0:
        floating = {position: _floating(ledger, position, ending, instant) for position in ledger.open.values()}
        if (ledger.balance + sum(floating.values())) / used > threshold:
            return
        loser = min(floating, key=lambda position: (floating[position], position.trade_id))
        if floating[loser] >= 0:
            return
        bar = ending.get(loser.series)
        leave(ledger, loser, worst_price(loser, bar), "stop_out", inside(bar, bar) if bar else elsewhere(loser.series, instant))


def worst_price(position: Position, bar: Bar | None) -> float:
    """The closing side's adverse extreme of the bar that ends now; without one, the last known close."""
    return bar.closing(position.side).adverse(position.side) if bar else position.series.last_known(position.side).close


def _floating(ledger: Ledger, position: Position, ending: dict[Series, Bar], instant: int) -> float:
    """Price alone, at the rate of T."""
    price = worst_price(position, ending.get(position.series))
    return position.profit(price, position.lots) * ledger.rate(position.series, instant, counted=False)


# --- step 3 and the end ---


def close_before_the_shut(ledger: Ledger, position: Position, bar: Bar) -> None:
    """Section 4: the calendar shuts the market before a bar can open: at the close of the bar whose end reaches the shut, slipped."""
    if position.shut_at is not None and bar.ts < position.shut_at <= bar.end:
        leave(ledger, position, bar.closing(position.side).close, "session", at_close(bar))


def close_at_the_end(ledger: Ledger, position: Position) -> None:
    """Section 7: at its series' last close, no slippage, commission booked, reason ``end``."""
    bar = position.series.bars[-1]
    leave(ledger, position, bar.closing(position.side).close, "end", at_close(bar, "end"), slipped=False)
