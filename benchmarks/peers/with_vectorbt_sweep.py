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
    told: dict[str, float] = {}
    for engine in ("numba", "rust"):
        try:
            swept(given, engine, given["pairs"][:2])
        except Exception as error:      # an engine that this installation lacks
            print(f"{engine}: {error}", file=sys.stderr)
            continue
        start = time.perf_counter()
        swept(given, engine, given["pairs"])
        told[engine] = len(given["pairs"]) / (time.perf_counter() - start)
    print(json.dumps(dict(version=f"vectorbt {importlib.metadata.version('vectorbt')}", a_second=told)))


def swept(given, engine: str, pairs: np.ndarray):
    side = np.concatenate(([0], given["side"][:-1])).astype(np.int64)
    wide = {name: np.repeat(values[:, None], len(pairs), axis=1) for name, values in dict(entries=side > 0, short_entries=side < 0).items()}
    return vbt.Portfolio.from_signals(
        given["close"], price=given["open"], open=given["open"], high=given["high"], low=given["low"], sl_stop=pairs[:, 0], tp_stop=pairs[:, 1],
        size=1.0, init_cash=1e6, upon_opposite_entry="ignore", stop_entry_price="fillprice", accumulate=False, engine=engine, **wide,
    ).value()  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1])
