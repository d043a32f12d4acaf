"""What a person does between two instants: pause, kill switch, exits, tickets, approvals. Times are nanoseconds."""

from __future__ import annotations

from domain.backtest.kernel.codes import BY_MANUAL
from domain.backtest.kernel.decisions import consider
from domain.backtest.kernel.halts import halt, halt_task
from domain.backtest.kernel.places import account_of, cursor_of, positions_of, task_of, waiting_of
from domain.backtest.memory import entry


@entry
def halt_for(context, k, now, why, flatten):
    """No entries of task ``k``, of the account where that is below 0, for the reasons ``why`` (bits), until they are lifted."""
    h = context[0]
    if k < 0:
        halt(h, now, why, flatten)
    else:
        cursor_of(h, k).halted |= why
        halt_task(h, k, now, flatten)


@entry
def lift(context, k, why):
    """End a halt for these reasons."""
    h = context[0]
    if k < 0:
        account_of(h).halted &= ~why
    else:
        cursor_of(h, k).halted &= ~why


@entry
def leave_share(context, trade, share):
    """A share of this trade's lots leaves at the next open; shares add up. False where no such position is open."""
    h = context[0]
    positions = positions_of(h)
    for i in range(account_of(h).positions):
        if positions[i].trade == trade:
            positions[i].leaves |= BY_MANUAL
            positions[i].leave_share += share
            return True
    return False


@entry
def place(context, k, number, now):
    """A ticket: the signal ``number`` is decided on the last ended bar of its task, sized as it says. False before one has ended."""
    h = context[0]
    if cursor_of(h, k).bar == task_of(h, k).first:
        return False
    consider(h, k, cursor_of(h, k).bar - 1, number, now, 0)
    return True


@entry
def approve(context, number):
    """Let the proposal of this signal go. False where there is none."""
    h = context[0]
    waiting = waiting_of(h)
    for i in range(account_of(h).waiting):
        if waiting[i].held and not waiting[i].dead and waiting[i].signal == number:
            waiting[i].held = 0
            return True
    return False
