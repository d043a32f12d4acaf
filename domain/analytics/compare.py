"""Two runs side by side: figures, settings, and the first fill that differs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics.metrics import FAMILIES, METRICS
from domain.analytics.reading_order import in_reading_order
from domain.errors import listed

ORDER = ("bar_ts", "ts", "instrument", "side", "reason", "lots", "price")     # which column is named first where a fill differs in several


@dataclass(frozen=True)
class Difference:
    """The first fill that is not the same. ``row`` counts from 1; ``a`` and ``b`` are None where that side has no such fill."""

    row: int
    column: str
    a: Any
    b: Any
    sentence: str


def compare_metrics(a: Mapping[str, float | None], b: Mapping[str, float | None]) -> pd.DataFrame:
    """``key, title, unit, family, a, b, difference`` (b − a, NaN where one has no value), in the order of FAMILIES; figures of neither are left out.

    >>> compare_metrics({"sharpe": 1.0}, {"sharpe": 1.5})[["key", "difference"]].to_numpy().tolist()
    [['sharpe', 0.5]]
    """
    keys = sorted((key for key in METRICS if key in a or key in b), key=lambda key: list(FAMILIES).index(METRICS[key].family))
    columns = [np.array([_number(run.get(key)) for key in keys], float) for run in (a, b)]
    described = {name: [getattr(METRICS[key], name) for key in keys] for name in ("key", "title", "unit", "family")}
    return pd.DataFrame(dict(**described, a=columns[0], b=columns[1], difference=columns[1] - columns[0]))


def compare_specs(a: Mapping[str, Any], b: Mapping[str, Any]) -> pd.DataFrame:
    """``path, a, b`` for everything that differs in two nested specs, in the order of a, as text; what is absent is empty.

    >>> compare_specs({"costs": {"spread": 1.0}, "seed": 1}, {"costs": {"spread": 2.0}, "seed": 1}).to_numpy().tolist()
    [['costs.spread', '1.0', '2.0']]
    """
    first, second = dict(_leaves(a)), dict(_leaves(b))
    paths = [path for path in dict.fromkeys([*first, *second]) if path not in first or path not in second or not _same(first[path], second[path])]
    return pd.DataFrame([(path, _text(first, path), _text(second, path)) for path in paths], columns=["path", "a", "b"])


def compare_settings(specs: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """``path`` and a column for each of several nested specs, for everything in which they are not all alike, as text; what is absent is empty.

    >>> compare_settings({"a": {"costs": {"spread": 1.0}}, "b": {"costs": {"spread": 2.0}}, "c": {"costs": {"spread": 1.0}}}).to_numpy().tolist()
    [['costs.spread', '1.0', '2.0', '1.0']]
    """
    leaves = {name: dict(_leaves(spec)) for name, spec in specs.items()}
    first = next(iter(leaves.values()))
    paths = dict.fromkeys(path for own in leaves.values() for path in own)
    differ = [path for path in paths if any((path in own) != (path in first) or (path in own and not _same(own[path], first[path])) for own in leaves.values())]
    return pd.DataFrame([(path, *(_text(own, path) for own in leaves.values())) for path in differ], columns=["path", *specs])


def metrics_beside(metrics: Mapping[str, Mapping[str, float | None]]) -> pd.DataFrame:
    """``key, title, unit, family`` and a column for each run, NaN where it has no value, in reading order; figures of none are left out.

    >>> metrics_beside({"a": {"sharpe": 1.0}, "b": {"sharpe": None}})[["key", "a", "b"]].to_numpy().tolist()
    [['sharpe', 1.0, nan]]
    """
    keys = in_reading_order(key for key in METRICS if any(key in own for own in metrics.values()))
    described = {name: [getattr(METRICS[key], name) for key in keys] for name in ("key", "title", "unit", "family")}
    return pd.DataFrame(described | {run: np.array([_number(own.get(key)) for key in keys], float) for run, own in metrics.items()})


def first_difference(fills_a: pd.DataFrame, fills_b: pd.DataFrame) -> Difference | None:
    """The first difference of two lists of fills, in a sentence; None where they are the same. Numbers are the same only to the last bit.

    >>> fills = pd.DataFrame(dict(ts=pd.to_datetime(["2024-01-02T10:00Z"]), instrument="EURUSD", side="buy", lots=1.0, price=1.1))
    >>> first_difference(fills, fills.assign(price=1.2)).sentence
    'Fill 1 (2024-01-02 10:00:00 UTC, EURUSD buy): price is 1.1 in the first and 1.2 in the second.'
    """
    columns = [name for name in fills_a if name in fills_b]
    only = [name for name in (*fills_a, *fills_b) if name not in columns]
    shorter = min(len(fills_a), len(fills_b))
    apart = {name: _apart(fills_a[name].iloc[:shorter], fills_b[name].iloc[:shorter]) for name in columns}
    row = min(apart.values(), default=shorter)
    if row < shorter:
        return _differing(fills_a.iloc[row], fills_b.iloc[row], row, [name for name in columns if apart[name] == row])
    if len(fills_a) != len(fills_b):
        return _missing(fills_a, fills_b, shorter)
    return Difference(0, only[0], only[0] in fills_a or None, only[0] in fills_b or None, f"Only one of the two has the column {only[0]}.") if only else None


def _apart(a: pd.Series, b: pd.Series) -> int:
    """The first row in which two columns differ, or their length; NaN is the same as NaN."""
    left, right = _plain(a), _plain(b)
    with np.errstate(invalid="ignore"):
        differ = left != right
    if left.dtype.kind == "f" and right.dtype.kind == "f":
        differ &= ~(np.isnan(left) & np.isnan(right))
    rows = np.flatnonzero(differ)
    return int(rows[0]) if len(rows) else len(a)


def _plain(column: pd.Series) -> np.ndarray:
    if isinstance(column.dtype, pd.DatetimeTZDtype) or column.dtype.kind == "M":
        return column.dt.as_unit("ns").astype("int64").to_numpy()
    return column.to_numpy() if column.dtype.kind in "iufb" else column.astype(str).to_numpy(object)


def _differing(a: pd.Series, b: pd.Series, row: int, columns: Sequence[str]) -> Difference:
    column = next((name for name in ORDER if name in columns), columns[0])
    first, second = _shown(a[column]), _shown(b[column])
    others = [_words(name) for name in columns if name != column]
    more = f" {listed(others).capitalize()} differ{'s' if len(others) == 1 else ''} too." if others else ""
    return Difference(row + 1, column, first, second, f"Fill {row + 1} ({_named(a)}): {_words(column)} is {first} in the first and {second} in the second.{more}")


def _words(column: str) -> str:
    """
    >>> _words("bar_ts"), _words("stop_loss")
    ('bar time', 'stop loss')
    """
    return " ".join("time" if word == "ts" else word for word in column.split("_"))


def _missing(a: pd.DataFrame, b: pd.DataFrame, shorter: int) -> Difference:
    longer, which = (a, "first") if len(a) > len(b) else (b, "second")
    sentence = f"The first {shorter:,} fills are the same; fill {shorter + 1} ({_named(longer.iloc[shorter])}) is in the {which} only, which has {len(longer) - shorter:,} more."
    first, second = (_named(frame.iloc[shorter]) if len(frame) > shorter else None for frame in (a, b))
    return Difference(shorter + 1, "fill", first, second, sentence)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)) and value:
        for place, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{place}]")
    else:
        yield path, value


def _same(a: Any, b: Any) -> bool:
    return bool(a == b) or (isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b))


def _text(leaves: Mapping[str, Any], path: str) -> str:
    return str(leaves[path]) if path in leaves else ""


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _shown(value: Any) -> Any:
    """A plain value for people and JSON."""
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    return value.item() if isinstance(value, np.generic) else value


def _named(fill: pd.Series) -> str:
    words = [_shown(fill["ts"])] if "ts" in fill else []
    return ", ".join([*words, " ".join(str(fill[name]) for name in ("instrument", "side") if name in fill)])
