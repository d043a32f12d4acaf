"""TA-Lib on bars from a file. Prints one JSON document: its version, and the median seconds of each indicator."""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time

import numpy as np
import talib


def main(path: str, times: int) -> None:
    given = np.load(path)
    high, low, close = (np.ascontiguousarray(given[name]) for name in ("high", "low", "close"))
    acts = {
        "sma(20)": lambda: talib.SMA(close, 20), "ema(20)": lambda: talib.EMA(close, 20), "rsi(14)": lambda: talib.RSI(close, 14),
        "atr(14)": lambda: talib.ATR(high, low, close, 14), "adx(14)": lambda: talib.ADX(high, low, close, 14), "cci(20)": lambda: talib.CCI(high, low, close, 20),
        "williams_r(14)": lambda: talib.WILLR(high, low, close, 14), "roc(10)": lambda: talib.ROC(close, 10), "kama(10, 2, 30)": lambda: talib.KAMA(close, 10),
        "stochastic_k(14, 3)": lambda: talib.STOCH(high, low, close, 14, 3, talib.MA_Type.SMA, 3, talib.MA_Type.SMA), "macd_histogram(12, 26, 9)": lambda: talib.MACD(close, 12, 26, 9),
        "bollinger_upper(20, 2.0)": lambda: talib.BBANDS(close, 20, 2.0, 2.0), "slope(14)": lambda: talib.LINEARREG_SLOPE(close, 14),
    }  # fmt: skip
    print(json.dumps(dict(version=f"TA-Lib {talib.__version__}", seconds={name: timed(act, times) for name, act in acts.items()})))


def timed(act, times: int) -> float:
    """As ``benchmarks.timing.steady``."""
    act()
    elapsed = []
    gc.collect()
    gc.disable()
    for _ in range(times):
        start = time.perf_counter()
        act()
        elapsed.append(time.perf_counter() - start)
    return statistics.median(elapsed)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
