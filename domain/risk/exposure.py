"""Net exposure of open positions by currency leg, and how their results move together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from domain.risk.positions import Holding

EXPOSURE = ("currency", "long", "short", "net", "share_of_equity")


def exposures(held: Sequence[Holding], equity: float) -> pd.DataFrame:
    """``currency, long, short, net, share_of_equity`` of every currency or asset held, account currency, the largest
    net first.

    A long position of notional N is N long of its instrument's base and N short of its quote; a short one the other
    way round. The base of gold is XAU, that of an index the index. As the limit ``max_currency`` counts them, but the
    account's own currency is listed too.

    >>> exposures([], 1_000.0).empty
    True
    """
    legs = [(h.instrument.base, h.notional) for h in held] + [(h.instrument.quote, -h.notional) for h in held]
    rows = []
    for currency in dict.fromkeys(name for name, _ in legs):
        amounts = np.array([amount for name, amount in legs if name == currency])
        long, short = float(amounts[amounts > 0].sum()), float(amounts[amounts < 0].sum())
        rows.append((currency, long, short, long + short, (long + short) / equity))
    frame = pd.DataFrame(rows, columns=list(EXPOSURE))
    order = np.argsort(-frame["net"].abs().to_numpy(float), kind="stable")
    return frame.iloc[order].reset_index(drop=True)


def correlation(held: Sequence[Holding], returns: pd.DataFrame) -> pd.DataFrame:
    """Correlation of the results of the instruments held, positions of one instrument taken together: 1 where two gain
    and lose together, whatever their sides. NaN where an instrument did not move, or its positions cancel.

    Symmetric, by instrument; only instruments with a column in ``returns``.
    """
    names = [name for name in dict.fromkeys(h.position.instrument for h in held) if name in returns]
    points = {name: sum(h.notional for h in held if h.position.instrument == name) for name in names}
    results = returns[names].to_numpy(float) * np.sign([points[name] for name in names])
    apart = results - results.mean(axis=0)
    size = np.sqrt((apart**2).sum(axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        matrix = (apart.T @ apart) / np.outer(size, size)
    matrix[~np.isfinite(matrix)] = np.nan
    return pd.DataFrame(np.clip(matrix, -1.0, 1.0), index=names, columns=names)
