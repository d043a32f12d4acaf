"""vectorbt on bars and sides from a file. Prints one JSON document: versions, timings, trades.

Stop and target only, through ``Portfolio.from_signals`` in both of its engines; half out and break-even through ``from_order_func``.
"""

from __future__ import annotations

import importlib.metadata
import json
import statistics
import sys
import time
from typing import Any

import numpy as np
import vectorbt as vbt
from numba import njit
from vectorbt.portfolio import nb


def main(path: str, times: int) -> None:
    given = np.load(path)
    result: dict[str, Any] = dict(version=f"vectorbt {importlib.metadata.version('vectorbt')}", rows=[])
    for engine in ("numba", "rust"):
        try:
            signals(given, engine)
        except Exception as error:      # an engine that this installation lacks is a row without a time
            result["rows"].append(dict(what=f"{engine} engine", missing=f"{type(error).__name__}: {error}"[:120]))
            continue
        elapsed, run = timed(lambda engine=engine: signals(given, engine), times)
        result["rows"].append(dict(what=f"{engine} engine, stop and target, simulate", seconds=elapsed, kind="stop and target", engine=engine, **trades_of(run)))
        elapsed, _ = timed(lambda engine=engine: signals(given, engine).value(), times)
        result["rows"].append(dict(what=f"{engine} engine, stop and target, with equity", seconds=elapsed, kind="stop and target, equity", engine=engine))
    elapsed, run = timed(lambda: partial(given), times)
    result["rows"].append(dict(what="from_order_func, half out and break-even", seconds=elapsed, kind="partial", **trades_of(run)))
    print(json.dumps(result))


def timed(act, times: int):
    act()
    elapsed = []
    for _ in range(times):
        start = time.perf_counter()
        result = act()
        elapsed.append(time.perf_counter() - start)
    return statistics.median(elapsed), result


def decided(given) -> np.ndarray:
    """The side decided at the close before each bar."""
    return np.concatenate(([0], given["side"][:-1])).astype(np.int64)


def signals(given, engine: str):
    """Enter at the open after the decision; stop and target are shares of the price; a signal against an open position is ignored."""
    side = decided(given)
    return vbt.Portfolio.from_signals(
        given["close"], entries=side > 0, short_entries=side < 0, price=given["open"], open=given["open"], high=given["high"], low=given["low"],
        sl_stop=float(given["stop"]), tp_stop=float(given["target"]), size=1.0, init_cash=1e6, upon_opposite_entry="ignore", stop_entry_price="fillprice", accumulate=False, engine=engine,
    )  # fmt: skip


def partial(given):
    """Half leaves at the first target, then the stop stands at the entry; one order a bar, so the bar of the entry is not checked."""
    count = len(given["close"])
    state = np.array([0.0, 0.0, 0.0])       # entry price, half is out, level of the stop
    numbers = tuple(float(given[name]) for name in ("stop", "target", "part", "share"))
    return vbt.Portfolio.from_order_func(
        given["close"], order, decided(given), given["open"], given["high"], given["low"], *numbers, state, init_cash=1e6, max_orders=count // 4
    )


@njit
def order(c, side, open_, high, low, stop, target, part, share, state):
    i, position = c.i, c.position_now
    if position == 0.0:
        if side[i] == 0:
            return nb.order_nothing_nb()
        state[0], state[1], state[2] = open_[i], 0.0, open_[i] * (1.0 - side[i] * stop)
        return nb.order_nb(float(side[i]), open_[i])
    s = 1.0 if position > 0.0 else -1.0
    against, towards = (low[i], high[i]) if position > 0.0 else (high[i], low[i])
    if s * (against - state[2]) <= 0.0:
        return nb.order_nb(-position, open_[i] if s * (open_[i] - state[2]) < 0.0 else state[2])
    if state[1] == 0.0 and s * (towards - state[0] * (1.0 + s * part)) >= 0.0:
        level = state[0] * (1.0 + s * part)
        state[1], state[2] = 1.0, state[0]
        return nb.order_nb(-position * share, level)
    if s * (towards - state[0] * (1.0 + s * target)) >= 0.0:
        return nb.order_nb(-position, state[0] * (1.0 + s * target))
    return nb.order_nothing_nb()


def trades_of(run) -> dict:
    """Positions, from entry to flat: their number, and the first bars and sides for comparison."""
    records = run.positions.records
    return dict(trades=len(records), entry=records["entry_idx"].tolist(), exit=records["exit_idx"].tolist(), price=records["entry_price"].tolist(), out=records["exit_price"].tolist())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
