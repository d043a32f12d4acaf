"""Values as JSON: times RFC 3339 in UTC, exact decimals as text, a number that is none as null."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


def plain(value: Any) -> Any:
    """
    >>> plain({"at": datetime(2024, 5, 1, tzinfo=UTC), "price": Decimal("1.10"), "ratio": float("nan"), "n": np.int64(3), "all": (1, {2})})
    {'at': '2024-05-01T00:00:00Z', 'price': '1.10', 'ratio': None, 'n': 3, 'all': [1, [2]]}
    """
    if value is None or (isinstance(value, str | bool | int) and not isinstance(value, Enum)):
        return value
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, pd.DataFrame):
        return rows(value)
    if isinstance(value, list | tuple | Set | np.ndarray | pd.Series | pd.Index):
        return [plain(each) for each in value]
    return _single(value)


def _single(value: Any) -> Any:
    if value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, np.datetime64):
        return moment(pd.Timestamp(value))
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Enum | type):
        return plain(value.value) if isinstance(value, Enum) else value.__name__
    return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, Decimal | Path) else repr(value)


def moment(at: datetime) -> str:
    """
    >>> moment(datetime(2024, 5, 1, 12, 30, 0, 250_000, tzinfo=UTC)), moment(pd.Timestamp("2024-05-01"))
    ('2024-05-01T12:30:00.250000Z', '2024-05-01T00:00:00Z')
    """
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).isoformat().replace("+00:00", "Z")


def rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A table as one object a row.

    >>> rows(pd.DataFrame({"ts": pd.to_datetime(["2024-05-01"], utc=True), "close": [1.5], "stop": [float("nan")]}))
    [{'ts': '2024-05-01T00:00:00Z', 'close': 1.5, 'stop': None}]
    """
    columns = {str(name): column(frame[name]) for name in frame.columns}
    return [dict(zip(columns, each, strict=True)) for each in zip(*columns.values(), strict=True)]


def column(values: pd.Series) -> list[Any]:
    """The values of a column, each as JSON has it.

    >>> column(pd.Series([3, None], dtype="Int64"))
    [3, None]
    """
    if isinstance(values.dtype, pd.DatetimeTZDtype) or values.dtype.kind == "M":
        text = values.dt.tz_convert("UTC") if isinstance(values.dtype, pd.DatetimeTZDtype) else values
        return [None if each is pd.NaT else moment(each) for each in text]
    if values.dtype.kind in "iub" and not values.hasnans:
        return list(values.tolist())
    return [plain(each) for each in values.tolist()]
