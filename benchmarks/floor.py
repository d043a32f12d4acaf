"""The practical floor: one loop, one position, stop, one partial exit, break-even; no costs model, no margin, no rules."""

from __future__ import annotations

import numpy as np
from numba import njit

LEDGER = np.dtype(
    [("entry", "i8"), ("exit", "i8"), ("part", "i8"), ("side", "i4"), ("reason", "i4"), ("price", "f8"), ("out", "f8"), ("part_out", "f8"), ("stop", "f8"), ("target", "f8"), ("pnl", "f8"), ("mae", "f8"), ("mfe", "f8")]
)


@njit(cache=True, nogil=True)
def floor(open_, high, low, close, signal, stop_at, target_at, part_at, share, spread, slip, ledger, balance, equity, lowest, used):
    """Fills ``ledger`` and the four equity columns; how many trades there were."""
    trades, side, cash, size, done, part_bar = 0, 0, 0.0, 0.0, True, -1
    entry = stop = target = part = pnl = mae = mfe = part_out = 0.0
    first = 0
    for i in range(1, open_.shape[0]):
        if side == 0 and signal[i - 1] != 0:
            side, first = signal[i - 1], i
            entry = open_[i] + spread + slip if side > 0 else open_[i] - slip
            stop, target, part = entry * (1.0 - side * stop_at), entry * (1.0 + side * target_at), entry * (1.0 + side * part_at)
            size, done, part_out, part_bar, pnl, mae, mfe = 1.0, False, 0.0, -1, 0.0, 0.0, 0.0
        worst = cash
        if side != 0:
            shift = 0.0 if side > 0 else spread
            against, towards = (low[i], high[i]) if side > 0 else (high[i] + shift, low[i] + shift)
            mae, mfe = max(mae, side * (entry - against)), max(mfe, side * (towards - entry))
            worst = cash + pnl + size * side * (against - entry)
            out, reason = 0.0, 0
            if side * (against - stop) <= 0.0:
                gapped = i > first and side * (open_[i] + shift - stop) < 0.0
                out, reason = (open_[i] + shift if gapped else stop) - side * slip, 1
            else:
                if not done and side * (towards - part) >= 0.0:
                    done, part_out, part_bar = True, part, i
                    pnl += share * side * (part - entry)
                    size -= share
                    stop = entry
                if side * (towards - target) >= 0.0:
                    gapped = i > first and side * (open_[i] + shift - target) > 0.0
                    out, reason = open_[i] + shift if gapped else target, 2
            if reason:
                pnl += size * side * (out - entry)
                t = ledger[trades]
                t.entry, t.exit, t.part, t.side, t.reason, t.price, t.out, t.part_out = first, i, part_bar, side, reason, entry, out, part_out
                t.stop, t.target, t.pnl, t.mae, t.mfe = stop, target, pnl, mae, mfe
                trades += 1
                cash += pnl
                side = 0
        balance[i], lowest[i], used[i] = cash, worst, abs(side) * size
        equity[i] = cash if side == 0 else cash + pnl + size * side * (close[i] + (0.0 if side > 0 else spread) - entry)
    return trades
