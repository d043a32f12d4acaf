"""backtesting.py on bars and sides from a file. Prints one JSON document: version, timings, trades.

Once with stop and target, once with half out and break-even written in the strategy's ``next``.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time
import warnings
from typing import Any

import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy

UNITS = 1000


def main(path: str, times: int) -> None:
    given = np.load(path)
    index = pd.DatetimeIndex(given["ts"].view("datetime64[ns]"))
    bars = pd.DataFrame({name.capitalize(): given[name] for name in ("open", "high", "low", "close")}, index=index)
    result: dict[str, Any] = dict(version=f"backtesting.py {importlib.metadata.version('backtesting')}", rows=[])
    for kind, make in (("stop and target", stop_and_target), ("partial", half)):
        engine = Backtest(bars, make(given), cash=1e7, commission=0.0)
        start = time.perf_counter()
        stats = engine.run()
        elapsed = time.perf_counter() - start
        trades = stats["_trades"]
        entries = trades.groupby("EntryBar").agg(exit=("ExitBar", "max"), price=("EntryPrice", "first"), out=("ExitPrice", "last")).reset_index()
        result["rows"].append(dict(what=kind.replace("partial", "half out and break-even"), seconds=elapsed, kind=kind, trades=len(entries), entry=entries["EntryBar"].tolist(), exit=entries["exit"].tolist(), price=entries["price"].tolist(), out=entries["out"].tolist()))
    print(json.dumps(result))


def stop_and_target(given) -> type[Strategy]:
    side, stop, target = given["side"], float(given["stop"]), float(given["target"])

    class StopAndTarget(Strategy):
        def init(self) -> None:
            pass

        def next(self) -> None:
            s = side[len(self.data) - 1]
            if s and not self.position:
                close = self.data.Close[-1]
                (self.buy if s > 0 else self.sell)(size=UNITS, sl=close * (1 - s * stop), tp=close * (1 + s * target))

    return StopAndTarget


def half(given) -> type[Strategy]:
    side, stop, target, part = given["side"], float(given["stop"]), float(given["target"]), float(given["part"])

    class Half(Strategy):
        """Two trades of half the size, one to each target; when the first has left, the stop of the other goes to its entry."""

        def init(self) -> None:
            pass

        def next(self) -> None:
            s = side[len(self.data) - 1]
            if len(self.trades) == 1 and self.trades[0].sl != self.trades[0].entry_price:
                self.trades[0].sl = self.trades[0].entry_price
            if s and not self.position:
                close = self.data.Close[-1]
                for share in (part, target):
                    (self.buy if s > 0 else self.sell)(size=UNITS // 2, sl=close * (1 - s * stop), tp=close * (1 + s * share))

    return Half


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1], int(sys.argv[2]))
