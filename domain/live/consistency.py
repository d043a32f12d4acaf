"""Whether a session on paper is the backtest of its tape: row by row, bit by bit. Any difference is critical."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from domain.trading.task import EQUITY, FILLS, TRADES

SHOWN = 3           # differing rows of each table that are shown
TABLES: Mapping[str, tuple[str, ...]] = dict(trades=TRADES, fills=FILLS, equity=EQUITY)
KEYS = dict(trades="trade_id", fills="fill_id", equity="ts")
ENDS = dict(trades="exit_ts", fills="ts", equity="ts")


@dataclass(frozen=True)
class Books:
    """Tables as trades.csv, fills.csv and equity.csv hold them."""

    trades: pd.DataFrame
    fills: pd.DataFrame
    equity: pd.DataFrame

    def before(self, until: pd.Timestamp | None) -> Books:
        """What was over before then; all of it for None."""
        if until is None:
            return self
        return Books(*(table[table[ENDS[kind]] < until].reset_index(drop=True) for kind, table in self.each()))

    def each(self) -> Iterator[tuple[str, pd.DataFrame]]:
        yield from (("trades", self.trades), ("fills", self.fills), ("equity", self.equity))


@dataclass(frozen=True)
class Alert:
    """``severity``: warning or critical."""

    severity: str
    sentence: str


@dataclass(frozen=True)
class Consistency:
    """What a check found. ``until``: rows before then were compared, None for all; ``rows``: how many of each table; ``figures``: of a broker's session."""

    session: str
    alerts: tuple[Alert, ...]
    rows: Mapping[str, int]
    until: pd.Timestamp | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.alerts

    @property
    def severity(self) -> str:
        """The highest among the alerts; empty without one."""
        return max((alert.severity for alert in self.alerts), key=("warning", "critical").index, default="")

    @property
    def sentence(self) -> str:
        """The verdict in one sentence, with the first alert."""
        if self.holds and not any(self.rows.values()):
            return f"{self.session} has nothing to compare yet."
        if self.holds:
            return f"{self.session} is its backtest: {', '.join(f'{count:,} rows of {kind}' for kind, count in self.rows.items())} compared."
        more = f" {len(self.alerts) - 1} more." if len(self.alerts) > 1 else ""
        return f"{self.session} parts from its backtest. {self.alerts[0].sentence}{more}"

    def plain(self) -> dict[str, Any]:
        alerts = [dict(severity=alert.severity, sentence=alert.sentence) for alert in self.alerts]
        until = None if self.until is None else self.until.isoformat()
        return dict(session=self.session, holds=self.holds, severity=self.severity, sentence=self.sentence, alerts=alerts, rows=dict(self.rows), until=until, figures=dict(self.figures), notes=list(self.notes))


def exact(session: str, own: Books, backtest: Books, until: pd.Timestamp | None = None) -> Consistency:
    """The check of a session of mode ``replay`` or ``paper``. ``until``: of a session that goes on, the first instant that its tape does not hold whole."""
    mine, theirs = own.before(until), backtest.before(until)
    alerts = [Alert("critical", sentence) for kind, table in mine.each() for sentence in differences(kind, table, getattr(theirs, kind))]
    return Consistency(session, tuple(alerts), {kind: len(table) for kind, table in mine.each()}, until)


def differences(kind: str, own: pd.DataFrame, backtest: pd.DataFrame) -> list[str]:
    """The first rows of a table that are not the same to the last bit, a sentence each, and how many more there are.

    >>> table = pd.DataFrame({name: [0.0] for name in EQUITY}).assign(ts=pd.to_datetime(["2026-08-03T10:00Z"]))
    >>> differences("equity", table, table.assign(equity=0.5))
    ['Row 1 of equity (2026-08-03 10:00:00 UTC): equity is 0.0 in the session and 0.5 in the backtest.']
    """
    columns, key = TABLES[kind], KEYS[kind]
    mine, theirs = (table.sort_values(key, kind="stable").reset_index(drop=True) for table in (own, backtest))
    shorter = min(len(mine), len(theirs))
    apart = np.zeros((shorter, len(columns)), bool)
    for place, name in enumerate(columns):
        apart[:, place] = _differ(mine[name].iloc[:shorter], theirs[name].iloc[:shorter])
    rows = np.flatnonzero(apart.any(axis=1))
    sentences = [_differing(kind, mine.iloc[row], theirs.iloc[row], row, [columns[k] for k in np.flatnonzero(apart[row])]) for row in rows[:SHOWN]]
    if len(rows) > SHOWN:
        sentences.append(f"{len(rows) - SHOWN:,} more rows of {kind} differ.")
    return [*sentences, *([_longer(kind, mine, theirs, shorter)] if len(mine) != len(theirs) else [])]


def _differ(own: pd.Series, backtest: pd.Series) -> np.ndarray:
    """Where two columns differ; the same not-a-number is the same, 0 and −0 are not."""
    if own.dtype.kind == "M" or isinstance(own.dtype, pd.DatetimeTZDtype):
        return own.dt.as_unit("ns").astype("int64").to_numpy() != backtest.dt.as_unit("ns").astype("int64").to_numpy()
    if own.dtype.kind in "iufb" and backtest.dtype.kind in "iufb":
        a, b = (column.to_numpy(np.float64) for column in (own, backtest))
        return (a.view(np.int64) != b.view(np.int64)) & ~(np.isnan(a) & np.isnan(b))
    a, b = (column.astype(object).where(column.notna(), "").astype(str).to_numpy(object) for column in (own, backtest))
    return np.asarray(a != b, bool)


def _differing(kind: str, own: pd.Series, backtest: pd.Series, row: int, columns: list[str]) -> str:
    first, *others = columns
    more = f"; {', '.join(others)} differ{'s' if len(others) == 1 else ''} too" if others else ""
    return f"Row {row + 1} of {kind} ({_named(kind, own)}): {first} is {_shown(own[first])} in the session and {_shown(backtest[first])} in the backtest{more}."


def _longer(kind: str, own: pd.DataFrame, backtest: pd.DataFrame, shorter: int) -> str:
    table, which = (own, "session") if len(own) > len(backtest) else (backtest, "backtest")
    return f"Row {shorter + 1} of {kind} ({_named(kind, table.iloc[shorter])}) is in the {which} only, which has {len(table) - shorter:,} more."


def _named(kind: str, row: pd.Series) -> str:
    about = f", {row['instrument']} {row['side']}" if "instrument" in row else ""
    return f"{_shown(row[ENDS[kind]])}{about}"


def _shown(value: Any) -> str:
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    return str(value.item() if isinstance(value, np.generic) else value)
