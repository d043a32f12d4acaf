"""Cost attribution: from the gross result at mid prices to the net one, and the break-even spread."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from domain.analytics.guards import over, over_positive, size_of
from domain.analytics.metrics import Facts, metric
from domain.analytics.trades import point_value

STEPS = {
    "gross": "Gross, at mid prices",
    "spread": "Spread",
    "slippage": "Slippage",
    "commission": "Commission",
    "swap": "Swap",
    "net": "Net profit",
}


def waterfall(trades: pd.DataFrame, fills: pd.DataFrame) -> pd.DataFrame:
    """``key, title, money, after, share``: gross at mid, spread, slippage, commission, swap, net.

    ``money`` is what the step adds (costs are negative), ``after`` what is left then, ``share`` of gross (NaN where gross is not above 0).
    Spread and slippage are part of the prices: gross at mid is pnl_gross with both put back.

    >>> trades = pd.DataFrame(dict(pnl_gross=[100.0], costs=[6.0], swap=[-2.0]))
    >>> waterfall(trades, pd.DataFrame(dict(spread_cost=[5.0, 5.0], slippage_cost=[1.0, 0.0])))["after"].tolist()
    [111.0, 101.0, 100.0, 94.0, 92.0, 92.0]
    """
    spread, slippage = float(fills["spread_cost"].sum()), float(fills["slippage_cost"].sum())
    gross = float(trades["pnl_gross"].sum()) + spread + slippage
    steps = [gross, -spread, -slippage, -float(trades["costs"].sum()), float(trades["swap"].sum())]
    money = np.array([*steps, sum(steps)])
    after = np.append(np.cumsum(steps), sum(steps))
    return pd.DataFrame(dict(key=list(STEPS), title=list(STEPS.values()), money=money, after=after, share=over_positive(1.0, gross, size_of(money)) * money))


def break_even(trades: pd.DataFrame, fills: pd.DataFrame, pips: Mapping[str, float] | None = None) -> pd.DataFrame:
    """``instrument, trades, net, spread_paid, factor, paid, at, room``, one row an instrument and, for several, a row ``all``.

    ``factor``: net is zero at this multiple of the spread paid, the same fills assumed (NaN where none was paid). ``paid``, ``at``, ``room``:
    mean spread paid in a round trip, the one that breaks even, and what lies between, weighted by money, in pips (price units for an
    instrument that ``pips`` does not name; NaN in the row ``all``). Negative ``at``: it loses without a spread too.
    """
    spread = pd.Series(fills["spread_cost"].to_numpy(float)).groupby(fills["instrument"].to_numpy()).sum()
    parts = [_break_even(name, part, float(spread.get(name, 0.0)), (pips or {}).get(name, 1.0)) for name, part in _by_instrument(trades)]
    if len(parts) > 1:
        parts.append(_break_even("all", trades, float(spread.sum()), np.nan))
    return pd.DataFrame(parts, columns=["instrument", "trades", "net", "spread_paid", "factor", "paid", "at", "room"])


def _by_instrument(trades: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(str(name), part) for name, part in trades.groupby(trades["instrument"].astype(str), sort=False)]


def _break_even(name: str, trades: pd.DataFrame, spread: float, pip: float) -> dict[str, object]:
    net = float(trades["pnl"].sum())
    value = float(np.nansum(point_value(trades))) * pip
    factor = 1.0 + over(net, spread)
    return dict(instrument=name, trades=len(trades), net=net, spread_paid=spread, factor=factor, paid=over(spread, value), at=over(spread + net, value), room=over(net, value))


@metric("Spread paid", "money", "Half the spread at each fill. Already in the prices.", "costs")
def spread_paid(f: Facts) -> float:
    return f.spread_cost


@metric("Slippage paid", "money", "Slippage at each fill. Already in the prices.", "costs")
def slippage_paid(f: Facts) -> float:
    return f.slippage_cost


@metric("Commission paid", "money", "Commission of all fills.", "costs")
def commission_paid(f: Facts) -> float:
    return float(f.trades["costs"].sum())


@metric("Swap", "money", "Swap of all nights; negative is paid.", "costs")
def swap(f: Facts) -> float:
    return float(f.trades["swap"].sum())


@metric("Gross at mid", "money", "What the trades would have made at mid prices without slippage, commission and swap.", "costs")
def gross_at_mid(f: Facts) -> float:
    return float(f.pnl.sum()) + commission_paid(f) - swap(f) + f.spread_cost + f.slippage_cost


@metric("Costs, share of gross", "share", "Spread, slippage, commission and swap paid, of gross at mid. No value where gross is not above 0.", "costs")
def costs_share(f: Facts) -> float:
    return 1.0 - over_positive(float(f.pnl.sum()), gross_at_mid(f), size_of(f.pnl))


@metric("Break-even spread", "price", "The mean spread at which net profit is zero, the same fills assumed.", "costs")
def break_even_spread(f: Facts) -> float:
    return f.mean_spread * break_even_factor(f)


@metric("Break-even spread multiple", "ratio", "The multiple of the spread paid at which net profit is zero, the same fills assumed.", "costs")
def break_even_factor(f: Facts) -> float:
    return 1.0 + over(f.net, f.spread_cost)


@metric("Average spread", "price", "Mean spread of the bars.", "costs")
def mean_spread(f: Facts) -> float:
    return f.mean_spread
