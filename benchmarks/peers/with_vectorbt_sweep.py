"""vectorbt on many pairs of stop and target at once. Prints one JSON document: version, pairs a second of each engine, equity of each bar included."""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time

import numpy as np
import vectorbt as vbt


def main(path: str) -> None:
    given = np.load(path)
    rates: dict[str, float] = {}
    missing: dict[str, str] = {}
    for engine in ("numba", "rust"):
        try:
            swept(given, engine, given["pairs"][:2])
        except Exception as error:      # any failure becomes a row of the table
            missing[engine] = f"{type(error).__name__}: {error}"[:120]
            continue
        start = time.perf_counter()
        swept(given, engine, given["pairs"])
        rates[engine] = len(given["pairs"]) / (time.perf_counter() - start)
    print(json.dumps(dict(version=f"vectorbt {importlib.metadata.version('vectorbt')}", a_second=rates, missing=missing)))


def swept(given, engine: str, pairs: np.ndarray):
    side = np.concatenate(([0], given["side"][:-1])).astype(np.int64)
    many = (len(side), len(pairs))
    wide = {name: np.broadcast_to(values[:, None], many) for name, values in dict(entries=side > 0, short_entries=side < 0, close=given["close"]).items()}
    prices = {name: np.broadcast_to(given[name][:, None], many) for name in ("open", "high", "low")}
    return vbt.Portfolio.from_signals(
        **wide, **prices, price=prices["open"], sl_stop=np.broadcast_to(pairs[:, 0], many), tp_stop=np.broadcast_to(pairs[:, 1], many),
        size=1.0, init_cash=1e6, upon_opposite_entry="ignore", stop_entry_price="fillprice", accumulate=False, engine=engine,
    ).value()  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1])
