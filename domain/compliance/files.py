"""Equity and trades as CSV files: read whole, every cell that cannot be read named with its row."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path as FilePath
from typing import Any

import numpy as np
import pandas as pd

from domain.compliance.path import CURVES
from domain.compliance.trades import NEEDED, YEARS
from domain.errors import BadRequest, listed
from domain.parsing import shown

EQUITY = ("ts", "balance", "equity")
COUNT = r"[+-]?\d+(\.\d+)?"


def read_equity(file: FilePath) -> pd.DataFrame:
    """``ts`` (UTC) ``balance equity [equity_low] [equity_high]``; other columns are left out. A time without a zone is UTC."""
    table = _table(file, "equity", EQUITY)
    columns: dict[str, Any] = dict(ts=_times(table["ts"], file))
    for name in CURVES:
        if name in table:
            columns[name] = _numbers(table[name], name, file)
    return pd.DataFrame(columns)


def read_trades(file: FilePath) -> pd.DataFrame:
    """The trades of ``tidemark backtest``, every cell as text; ``trades_of`` reads them."""
    return _table(file, "trades", NEEDED)


def _table(file: FilePath, what: str, needed: tuple[str, ...]) -> pd.DataFrame:
    names = _header(file, what)
    if missing := [name for name in needed if name not in names]:
        raise BadRequest(
            f"the {what} file {shown(file)} has the columns {listed(names, 12)} and no {listed(missing)}; "
            f"the first line must name {', '.join(needed)}"
        )
    text = {name: "str" for name in names if what == "trades" or name not in CURVES}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                file,
                header=None,
                names=names,
                skiprows=1,
                dtype=text,
                keep_default_na=False,
                index_col=False,
                encoding="utf-8-sig",
            )
    except pd.errors.EmptyDataError:
        table = pd.DataFrame({name: pd.Series([], dtype="str") for name in names})
    except (pd.errors.ParserError, pd.errors.ParserWarning, ValueError):
        raise BadRequest(
            f"the {what} file {shown(file)} cannot be read as a CSV in UTF-8; every row needs a cell for each "
            f"of its {len(names)} columns"
        ) from None
    return table


def _header(file: FilePath, what: str) -> list[str]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            names = [name.strip().lower() for name in next(csv.reader(lines), [])]
    except OSError as error:
        raise BadRequest(f"the {what} file {shown(file)} cannot be read: {error.strerror}") from None
    except ValueError:
        raise BadRequest(f"the {what} file {shown(file)} is not a CSV in UTF-8; save it as one") from None
    except csv.Error:
        raise BadRequest(f"the {what} file {shown(file)} is not a CSV in UTF-8; save it as one") from None
    if not any(names):
        raise BadRequest(f"the {what} file {shown(file)} is empty; the first line names the columns")
    if twice := next((name for k, name in enumerate(names) if name and name in names[:k]), ""):
        raise BadRequest(f"the {what} file {shown(file)} has the column {twice} twice; give it once")
    return [name or f"column {k}" for k, name in enumerate(names, 1)]


def _times(column: pd.Series, file: FilePath) -> pd.Series:
    words = column.astype("str").str.strip()
    times = pd.to_datetime(words, utc=True, format="ISO8601", errors="coerce")
    times = times.where(times.dt.year.between(*YEARS))
    bad = times.isna().to_numpy() | words.str.fullmatch(COUNT).to_numpy(bool)
    if bad.any():
        row = int(bad.argmax())
        cell = shown(words.iloc[row], 40)
        raise BadRequest(
            f"row {row + 1} of the equity {shown(file)}: ts is {cell!r}; write it in ISO 8601 and UTC, "
            f"such as 2024-01-31T08:00:00Z, from {YEARS[0]} to {YEARS[1]}"
        )
    return times.dt.as_unit("ns")


def _numbers(column: pd.Series, name: str, file: FilePath) -> np.ndarray:
    values = pd.to_numeric(column, errors="coerce").to_numpy(float)
    if not np.isfinite(values).all():
        row = int((~np.isfinite(values)).argmax())
        cell = shown(column.iloc[row], 40)
        raise BadRequest(
            f"row {row + 1} of the equity {shown(file)}: {name} is {cell!r}; it must be a number, so "
            "fill it in or leave the row out"
        )
    return values
