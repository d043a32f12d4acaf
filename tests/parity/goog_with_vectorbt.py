"""Run by an interpreter that has vectorbt: the crosses of a file, always in the market, reversed at the next open. Prints its trades as JSON."""

from __future__ import annotations

import json
import sys

import numpy as np
import vectorbt as vbt

given = np.load(sys.argv[1])
side, size = (np.concatenate(([0], given[name][:-1])) for name in ("side", "size"))
run = vbt.Portfolio.from_signals(
    given["close"], entries=side > 0, short_entries=side < 0, price=given["open"], size=np.where(side != 0, size, np.nan), init_cash=float(given["cash"]),
    upon_opposite_entry="reverse", accumulate=False, engine=sys.argv[2],
)  # fmt: skip
trades = run.trades.records
print(json.dumps(dict(trades={name: trades[name].tolist() for name in ("entry_idx", "exit_idx", "size", "entry_price", "exit_price", "pnl", "direction")}, equity=run.value().tolist())))
