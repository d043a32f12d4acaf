"""Trades as they are read: with pips, costs by kind, cumulative net, excursions in money and duration; and chosen by filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from domain.analytics.daily import nanoseconds
from domain.analytics.excursions import even_rows
from domain.analytics.groups import entry_hour
from domain.analytics.trades import directions, risked
from domain.errors import BadRequest, unknown
from domain.trading.outcomes import label

HOUR = 3_600_000_000_000
DEFINED = {
    "pips": "Price change from entry to exit for the side of the trade, in pips of its instrument.",
    "spread": "Half the spread at each fill; it is in the prices already.",
    "slippage": "Slippage at each fill; it is in the prices already.",
    "commission": "Commission of all fills of the trade.",
    "swap": "Swap of all nights; negative is paid.",
    "net": "Result after all costs.",
    "cumulative": "Net of all trades that closed up to and with this one.",
    "mae": "Maximum adverse excursion: the farthest that price went against the trade while it was open.",
    "mfe": "Maximum favourable excursion: the farthest that price went for the trade while it was open.",
    "hours": "Time from entry to exit, in hours.",
}


def trade_table(trades: pd.DataFrame, fills: pd.DataFrame, pips: Mapping[str, float]) -> pd.DataFrame:
    """``trades`` with ``pips``; ``spread``, ``slippage``, ``commission`` (paid is negative, as in ``swap``) and ``charges`` (commission and swap), ``cumulative``, ``mae``, ``mfe`` and
    ``hours``. Money is in account currency; NaN where a trade has no risk to measure by.

    ``pips``: instrument -> price units of a pip.
    """
    paid = fills.groupby("trade_id", observed=True)[["spread_cost", "slippage_cost"]].sum().reindex(trades["trade_id"]).fillna(0.0)
    moved = (trades["exit_price"] - trades["entry_price"]) * directions(trades)
    closed = trades["pnl"].iloc[trades["exit_ts"].argsort(kind="stable")].cumsum()
    risk = risked(trades)
    return trades.assign(
        pips=moved / trades["instrument"].astype(str).map(pips).astype(float), spread=0.0 - paid["spread_cost"].to_numpy(), slippage=0.0 - paid["slippage_cost"].to_numpy(), commission=0.0 - trades["costs"],
        charges=trades["swap"] - trades["costs"], cumulative=closed.reindex(trades.index), mae=trades["mae_r"] * risk, mfe=trades["mfe_r"] * risk,
        hours=(nanoseconds(trades["exit_ts"]) - nanoseconds(trades["entry_ts"])) / HOUR,
    )  # fmt: skip


@dataclass(frozen=True)
class TradeFilter:
    """Which trades: all conditions together. Empty, or None, is any. ``labels``: one of these; ``text``: in tag, exit reason, labels or note, in any case."""

    sides: Sequence[str] = ()
    instruments: Sequence[str] = ()
    reasons: Sequence[str] = ()
    tags: Sequence[str] = ()
    labels: Sequence[str] = ()
    entered_from: datetime | None = None
    entered_until: datetime | None = None       # before it
    net_from: float | None = None
    net_to: float | None = None
    r_from: float | None = None
    r_to: float | None = None
    text: str = ""

    def rows(self, table: pd.DataFrame) -> np.ndarray:
        """Which rows of ``table`` fit. Ranges hold their ends; a trade without R is in no range of R.

        >>> table = pd.DataFrame(dict(side=["long", "short"], pnl=[5.0, -5.0], r=[1.0, float("nan")]))
        >>> TradeFilter(net_from=0.0).rows(table).tolist(), TradeFilter(r_to=9.0).rows(table).tolist(), TradeFilter(["short"]).rows(table).tolist()
        ([True, False], [True, False], [False, True])
        """
        fits = np.ones(len(table), bool)
        for column, chosen in (("side", self.sides), ("instrument", self.instruments), ("exit_reason", self.reasons), ("tag", self.tags)):
            if chosen:
                fits &= table[column].astype(str).isin(list(chosen)).to_numpy()
        for column, low, high in (("pnl", self.net_from, self.net_to), ("r", self.r_from, self.r_to)):
            fits &= _within(table, column, low, high)
        return fits & self._entered(table) & self._labelled(table) & self._mentioned(table)

    def _entered(self, table: pd.DataFrame) -> np.ndarray:
        fits = np.ones(len(table), bool)
        if self.entered_from is not None:
            fits &= (table["entry_ts"] >= pd.Timestamp(self.entered_from)).to_numpy()
        if self.entered_until is not None:
            fits &= (table["entry_ts"] < pd.Timestamp(self.entered_until)).to_numpy()
        return fits

    def _labelled(self, table: pd.DataFrame) -> np.ndarray:
        chosen = set(self.labels)
        return np.array([bool(chosen & set(labels)) for labels in table["labels"]], bool) if chosen else np.ones(len(table), bool)

    def _mentioned(self, table: pd.DataFrame) -> np.ndarray:
        words = self.text.strip().casefold()
        if not words:
            return np.ones(len(table), bool)
        reasons = table["exit_reason"].astype(str)
        texts = [reasons.map(label), *(table[name].astype(str) for name in ("tag", "note")), table["labels"].map("\n".join)]
        return reasons.str.cat(texts, sep="\n").str.casefold().str.contains(words, regex=False).to_numpy(bool)


def _within(table: pd.DataFrame, column: str, low: float | None, high: float | None) -> np.ndarray:
    if low is not None and high is not None and low > high:
        raise BadRequest(f"the range of {'net' if column == 'pnl' else 'R'} is {low:g} to {high:g}; give the lower end first")
    if low is None and high is None:
        return np.ones(len(table), bool)
    values = table[column].to_numpy(float)
    with np.errstate(invalid="ignore"):
        return (values >= (-np.inf if low is None else low)) & (values <= (np.inf if high is None else high))


def in_order(table: pd.DataFrame, by: str, descending: bool = False) -> pd.DataFrame:
    """``table`` ordered by a column, equal ones by number; those without a value last."""
    if by not in table:
        raise unknown("column of the trades", by, list(table))
    key = table[by].astype(str) if table[by].dtype == object or isinstance(table[by].dtype, pd.CategoricalDtype) else table[by]
    return table.iloc[key.reset_index(drop=True).sort_values(ascending=not descending, kind="stable", na_position="last").index]


def result_points(trades: pd.DataFrame, most: int = 800) -> pd.DataFrame:
    """``trade_id, hours, hour, pnl, r, won`` of at most ``most`` trades: the extremes of duration and net always, the rest evenly through time. ``hour``: UTC, of the entry."""
    hours, pnl = (nanoseconds(trades["exit_ts"]) - nanoseconds(trades["entry_ts"])) / HOUR, trades["pnl"].to_numpy(float)
    rows = even_rows([hours, pnl], most)
    chosen = trades.iloc[rows]
    return pd.DataFrame(dict(trade_id=chosen["trade_id"].to_numpy(), hours=hours[rows], hour=entry_hour(chosen), pnl=pnl[rows], r=chosen["r"].to_numpy(float), won=pnl[rows] > 0))


def hour_boxes(trades: pd.DataFrame) -> pd.DataFrame:
    """``hour, trades, low, q05, q25, q50, q75, q95, high, net`` of the net of all trades that began in each UTC hour; hours without a trade are left out.

    >>> ts = pd.to_datetime(["2024-01-02T10:05Z", "2024-01-02T10:50Z"])
    >>> hour_boxes(pd.DataFrame(dict(entry_ts=ts, pnl=[1.0, 3.0])))[["hour", "trades", "q50", "net"]].to_numpy().tolist()
    [[10.0, 2.0, 2.0, 4.0]]
    """
    groups = trades["pnl"].groupby(entry_hour(trades))
    shares = dict(low=0.0, q05=0.05, q25=0.25, q50=0.5, q75=0.75, q95=0.95, high=1.0)
    table = pd.DataFrame(dict(trades=groups.size(), **{name: groups.quantile(share) for name, share in shares.items()}, net=groups.sum()))
    return table.rename_axis("hour").reset_index()
