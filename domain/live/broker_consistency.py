"""A session at a broker against the backtest of its tape, order by order: what fills, slippage and results have become of what was assumed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from domain.analytics.guards import finite
from domain.errors import listed
from domain.live.consistency import Alert, Books, Consistency
from domain.live.tape import TapeBar, time_text

TIMES_ASSUMED, LEAST_SLIPPAGE = 2.0, 0.05       # mean slippage above both is an alert: × what was assumed, and in R
UNLIKELY = 0.01                                 # p of the distributions of R
SHOWN = 20
EPS = 1e-9


def against_broker(session: str, own: Books, backtest: Books, until: pd.Timestamp | None = None) -> Consistency:
    """The check of a session whose fills are the broker's. Trades are matched by instrument and order number; ``until``: as ``consistency.exact`` takes it."""
    mine, theirs = own.before(until), backtest.before(until)
    a, b = entries(mine), entries(theirs)
    missing, extra = b.index.difference(a.index), a.index.difference(b.index)
    both = a.add_suffix("_own").join(b.add_suffix("_test"), how="inner")
    figures = dict(matched=len(both), missing=[_name(key) for key in missing], extra=[_name(key) for key in extra], **_times(both), **_slippage(both), **_results(mine, theirs))
    alerts = [*_absent("missing at the broker", missing), *_absent("at the broker only", extra), *_too_much_slippage(figures), *_unlikely(figures)]
    return Consistency(session, tuple(alerts), {kind: len(table) for kind, table in mine.each()}, until, figures)


def entries(books: Books) -> pd.DataFrame:
    """Trades by instrument, order number and place among those of the same, with what they cost in slippage by the prices' own account."""
    if books.trades.empty:
        return pd.DataFrame(columns=[*books.trades.columns, "slippage_cost"], index=pd.MultiIndex.from_arrays([[], [], []], names=["instrument", "order_id", "place"]))
    fills = books.fills.sort_values("fill_id", kind="stable")
    order = fills.groupby("trade_id")["order_id"].first()
    cost = fills.groupby("trade_id")["slippage_cost"].sum()
    table = books.trades.assign(order_id=books.trades["trade_id"].map(order), slippage_cost=books.trades["trade_id"].map(cost)).sort_values("trade_id", kind="stable")
    table["place"] = table.groupby(["instrument", "order_id"]).cumcount()
    return table.set_index(["instrument", "order_id", "place"])


def later_candles(tape: list[TapeBar], candles: pd.DataFrame, series: str, tick: float) -> list[str]:
    """The bars of a series that the vendor's later candles (``ts open high low close``) show otherwise by over a tick, a sentence each."""
    later = candles.set_index("ts")[["open", "high", "low", "close"]]
    sentences = []
    for bar in tape:
        at = pd.Timestamp(bar.ts, unit="ns", tz="UTC")
        if bar.series != series or at not in later.index:
            continue
        own, now = np.array([bar.open, bar.high, bar.low, bar.close]), later.loc[at].to_numpy(float)
        off = np.abs(now - own)
        if float(off.max()) > tick * (1 + 1e-6):
            name = ("open", "high", "low", "close")[int(off.argmax())]
            sentences.append(f"{series} {time_text(bar.ts)}: {name} was {own[off.argmax()]!s} and is {now[off.argmax()]!s} now.")
    return sentences


def _times(both: pd.DataFrame) -> dict[str, float | None]:
    """Mean and largest distance of entries and exits, seconds; above 0: the broker's are later."""
    figures: dict[str, float | None] = {}
    for name in ("entry", "exit"):
        later = (both[f"{name}_ts_own"] - both[f"{name}_ts_test"]).dt.total_seconds().to_numpy(float) if len(both) else np.zeros(0)
        figures[f"{name}_seconds"] = finite(float(later.mean())) if len(later) else None
        figures[f"{name}_seconds_most"] = finite(float(later[np.abs(later).argmax()])) if len(later) else None
    return figures


def _slippage(both: pd.DataFrame) -> dict[str, Any]:
    """Mean slippage in R: what the backtest assumed, and that plus how much worse the broker's prices were. Trades without R are left out."""
    figures = dict(slippage_r=None, slippage_assumed_r=None, slippage_trades=0)
    if both.empty:
        return figures
    distance = (both["entry_price_test"] - both["stop_loss_test"]).abs().to_numpy(float)
    side = np.where(both["side_test"].isin(["buy", "long"]), 1.0, -1.0)
    worse = side * (both["entry_price_own"] - both["entry_price_test"] + both["exit_price_test"] - both["exit_price_own"]).to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        risked = np.abs((both["pnl_test"] / both["r_test"]).to_numpy(float))       # money of one R, as the trade's own figures have it
        assumed, real = both["slippage_cost_test"].to_numpy(float) / risked, worse / distance
    known = np.isfinite(assumed) & np.isfinite(real)
    if not known.any():
        return figures
    mean = float(assumed[known].mean())
    return dict(slippage_r=mean + float(real[known].mean()), slippage_assumed_r=mean, slippage_trades=int(known.sum()))


def _results(own: Books, backtest: Books) -> dict[str, Any]:
    """Win rate, expectancy in R and largest drawdown of both, and the Kolmogorov–Smirnov test of their R."""
    figures: dict[str, Any] = {}
    for which, books in (("own", own), ("test", backtest)):
        r = books.trades["r"].to_numpy(float)
        figures |= {f"win_rate_{which}": _mean(books.trades["pnl"].to_numpy(float) > 0), f"expectancy_r_{which}": _mean(r[np.isfinite(r)]), f"drawdown_{which}": _drawdown(books.equity["equity"].to_numpy(float))}
    samples = [table["r"].to_numpy(float) for table in (own.trades, backtest.trades)]
    a, b = (sample[np.isfinite(sample)] for sample in samples)
    if len(a) and len(b):
        from scipy.stats import ks_2samp

        test = ks_2samp(a, b)
        return figures | dict(ks=float(test.statistic), p=float(test.pvalue))
    return figures | dict(ks=None, p=None)


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def _drawdown(equity: np.ndarray) -> float | None:
    """The deepest fall below the highest so far, as a share; 0 or below."""
    if not len(equity):
        return None
    high = np.maximum.accumulate(equity)
    return float((equity / high - 1.0).min()) if float(high.min()) > 0 else None


def _absent(what: str, keys: pd.Index) -> list[Alert]:
    if not len(keys):
        return []
    return [Alert("critical", f"{len(keys)} trade{'' if len(keys) == 1 else 's'} {what}: {listed(map(_name, keys), SHOWN)}.")]


def _too_much_slippage(figures: dict[str, Any]) -> list[Alert]:
    real, assumed = figures["slippage_r"], figures["slippage_assumed_r"]
    if real is None or real <= TIMES_ASSUMED * assumed + EPS or real <= LEAST_SLIPPAGE + EPS:
        return []
    return [Alert("warning", f"Slippage is {real:.3f} R on average over {figures['slippage_trades']} trades, and {assumed:.3f} R were assumed.")]


def _unlikely(figures: dict[str, Any]) -> list[Alert]:
    if figures["p"] is None or figures["p"] >= UNLIKELY:
        return []
    return [Alert("warning", f"The results in R are distributed otherwise than in the backtest: p = {figures['p']:.2g} (Kolmogorov–Smirnov).")]


def _name(key: Any) -> str:
    instrument, order, place = key
    return f"{instrument} order {int(order)}" + (f" ({place + 1})" if place else "")
