"""An equity path: what a rule set is replayed over, whether it comes from a backtest, a session, an account or a file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from domain.compliance.trades import OPEN, Trades, none, trades_of
from domain.errors import BadRequest
from domain.market.zones import DAY

ROUNDING = 1e-9  # of an equity: a low that lies above it by no more is the same number
FIRST, LAST = (np.datetime64(f"{year}-01-01", "ns").astype(np.int64) for year in (1951, 2099))
CURVES = ("balance", "equity", "equity_low", "equity_high")


@dataclass(frozen=True)
class Path:
    """Instants of an account, in order.

    ``ts``: int64 UTC nanoseconds. ``balance``, ``equity``: account currency; ``equity_low`` and ``equity_high``: the extremes since the
    row before, None where they are not known. ``trades``: the columns of ``tidemark backtest``; None where they are not known.
    ``flows``: ``ts, amount`` of deposits (positive) and withdrawals. ``initial``: the balance before the first row.
    ``floating``: False where the equity is nothing but the balance, as of a list of closed trades.
    Raises BadRequest for what cannot be judged; see ``checked``.
    """

    ts: np.ndarray
    balance: np.ndarray
    equity: np.ndarray
    equity_low: np.ndarray | None = None
    equity_high: np.ndarray | None = None
    trades: pd.DataFrame | None = None
    flows: pd.DataFrame | None = None
    initial: float = 0.0
    currency: str = "USD"
    floating: bool = True
    rows: Trades = field(init=False, repr=False, compare=False)  # the trades as numbers, none where there is no table

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "ts", np.ascontiguousarray(self.ts, np.int64))
        for name in CURVES:
            if getattr(self, name) is not None:
                put(self, name, np.ascontiguousarray(getattr(self, name), np.float64))
        _check_rows(self)
        if not self.initial:
            put(self, "initial", float(self.balance[0]))
        if not (np.isfinite(self.initial) and self.initial > 0):
            raise BadRequest(f"the initial balance is {self.initial:g}; it must be above 0")
        put(self, "rows", none() if self.trades is None else trades_of(self.trades))
        _check_trades(self)
        _check_flows(self)

    def __len__(self) -> int:
        return len(self.ts)

    def until(self, ts: int) -> Path:
        """The path as it stood at an instant of it: what was opened or paid later is left out, and what was closed later is still open."""
        rows = int(np.searchsorted(self.ts, ts, side="right"))
        curves: dict[str, Any] = {name: None if getattr(self, name) is None else getattr(self, name)[:rows] for name in CURVES}
        flows = None if self.flows is None else self.flows[pd.to_datetime(self.flows["ts"], utc=True) <= pd.Timestamp(ts, tz="UTC")]
        return replace(self, ts=self.ts[:rows], **curves, trades=self._trades_until(ts), flows=flows)

    def _trades_until(self, ts: int) -> pd.DataFrame | None:
        if self.trades is None:
            return None
        at = pd.Timestamp(ts, tz="UTC")
        entry, leave = (pd.to_datetime(self.trades[name], utc=True) for name in ("entry_ts", "exit_ts"))
        return self.trades.assign(exit_ts=leave.where(leave <= at))[entry <= at]

    def scaled(self, initial: float) -> Path:
        """The same path on an account of another size: money and lots in proportion."""
        by = initial / self.initial
        curves: dict[str, Any] = {
            name: None if getattr(self, name) is None else getattr(self, name) * by for name in CURVES
        }
        trades = None
        if self.trades is not None:
            trades = self.trades.assign(
                **{
                    name: self.trades[name] * by
                    for name in ("lots", "pnl", "pnl_gross", "costs", "swap")
                    if name in self.trades
                }
            )
        flows = None if self.flows is None else self.flows.assign(amount=self.flows["amount"] * by)
        return replace(self, **curves, trades=trades, flows=flows, initial=initial)


def path_of(
    equity: pd.DataFrame, trades: pd.DataFrame | None = None, initial: float = 0.0, currency: str = "USD"
) -> Path:
    """The path of a run's frames: ``ts balance equity [equity_low] [equity_high]``, ``ts`` in UTC.

    >>> ts = pd.to_datetime(["2026-03-02T10:00Z", "2026-03-02T11:00Z"])
    >>> len(path_of(pd.DataFrame(dict(ts=ts, balance=[100.0, 101.0], equity=[100.0, 101.0]))))
    2
    """
    ts = equity["ts"].dt.as_unit("ns").astype("int64").to_numpy()
    curves: dict[str, Any] = {name: equity[name].to_numpy(float) if name in equity else None for name in CURVES}
    return Path(ts, **curves, trades=trades, initial=initial, currency=currency)


def stamp(ts: int) -> str:
    """An instant in ISO 8601, UTC, with no more digits than it needs.

    >>> stamp(1_772_445_600_000_000_000), stamp(1_772_445_600_500_000_000)
    ('2026-03-02T10:00:00Z', '2026-03-02T10:00:00.5Z')
    """
    text = str(np.datetime64(int(ts), "ns"))
    seconds, _, digits = text.partition(".")
    return seconds + (f".{digits.rstrip('0')}" if digits.strip("0") else "") + "Z"


def _check_rows(path: Path) -> None:
    n = len(path.ts)
    if not n:
        raise BadRequest("the equity holds no row; it needs at least one instant")
    for name in CURVES:
        values = getattr(path, name)
        if values is None:
            continue
        if len(values) != n:
            raise BadRequest(f"the equity has {n} instants and {len(values)} values of {name}; give one each")
        if not np.isfinite(values).all():
            row = int((~np.isfinite(values)).argmax())
            raise BadRequest(
                f"row {row + 1} of the equity ({stamp(path.ts[row])}): {name} is no number; fill it in "
                "or leave the row out"
            )
    _check_order(path.ts)
    _check_side(path, path.equity_low, "equity_low", "above", 1)
    _check_side(path, path.equity_high, "equity_high", "below", -1)


def _check_order(ts: np.ndarray) -> None:
    outside = (ts < FIRST) | (ts >= LAST)
    if outside.any():
        raise BadRequest(
            f"row {int(outside.argmax()) + 1} of the equity is at {stamp(ts[outside.argmax()])}; it must "
            "lie between 1951 and 2098"
        )
    step = np.diff(ts)
    if (step > 0).all():
        return
    row = int((step <= 0).argmax()) + 1
    if step[row - 1] == 0:
        raise BadRequest(
            f"rows {row} and {row + 1} of the equity have the same instant, {stamp(ts[row])}; keep one of them"
        )
    raise BadRequest(
        f"row {row + 1} of the equity ({stamp(ts[row])}) is earlier than the row before ({stamp(ts[row - 1])}); "
        "sort the file by ts"
    )


def _check_side(path: Path, values: np.ndarray | None, name: str, word: str, sign: int) -> None:
    if values is None:
        return
    beyond = sign * (values - path.equity) > ROUNDING * np.maximum(np.abs(path.equity), 1.0)
    if beyond.any():
        row = int(beyond.argmax())
        raise BadRequest(
            f"row {row + 1} of the equity ({stamp(path.ts[row])}): {name} is {values[row]:.10g}, {word} "
            f"the equity of {path.equity[row]:.10g}; correct the file"
        )


def _check_trades(path: Path) -> None:
    """Every trade lies inside the path, whose first row tells of the step before it, as the row of a bar does."""
    trades, first, last = path.rows, path.ts[0], path.ts[-1]
    step = min(int(np.median(np.diff(path.ts))), DAY) if len(path) > 1 else 0
    closed = trades.exit_ts < OPEN
    outside = (trades.entry_ts < first - step) | (trades.entry_ts > last) | (closed & (trades.exit_ts > last))
    if outside.any():
        row = int(outside.argmax())
        until = f" to {stamp(trades.exit_ts[row])}" if closed[row] else ""
        raise BadRequest(
            f"trade {trades.id[row]} ({stamp(trades.entry_ts[row])}{until}) lies outside the equity, "
            f"which goes from {stamp(first)} to {stamp(last)}; give the equity and the trades of the same account"
        )


def _check_flows(path: Path) -> None:
    if path.flows is None:
        return
    if not {"ts", "amount"} <= set(path.flows):
        raise BadRequest("the cash flows need the columns ts and amount")
    if not np.isfinite(path.flows["amount"].to_numpy(float)).all():
        raise BadRequest("a cash flow has an amount that is no number; correct it")
