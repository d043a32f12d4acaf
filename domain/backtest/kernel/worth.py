"""What the account is worth, and what its positions can still lose."""

from __future__ import annotations

from domain.backtest.kernel.numbers import closed_at
from domain.backtest.kernel.places import account_of, cursor_of, positions_of, task_of
from domain.backtest.memory import compiled


@compiled
def known_equity(h):
    """Equity at last known closes, plus what was booked since."""
    account, positions = account_of(h), positions_of(h)
    equity = account.balance
    for i in range(account.positions):
        equity += positions[i].mark
    return equity


@compiled
def loss_at_stop(h, p):
    """From the last known close, or before there is one since the fill, from the fill."""
    last = cursor_of(h, p.task).bar - 1
    price = closed_at(h, task_of(h, p.task), p.side, last) if last >= p.entry_bar else p.price
    return max(p.side * (price - p.stop), 0.0) * p.value * p.lots
