"""How a frame of features is computed: each column once, inputs first, with the same values for every caller."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Iterable, MutableMapping
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.features.base import BAR_COLUMNS, FACTS, FAMILIES, FEATURES, TIMES, Column, Use, inputs_of, spec_of, use
from domain.features.context import Context
from domain.market.bars import ts_of
from domain.market.resample import join_closed, resample
from domain.market.timeframe import Timeframe

KERNELS = Path(__file__).parent / "kernels"
ROUNDING = Path(__file__).parents[1] / "rounding.py"
COLUMNS = "columns"     # an input that gives any column: of the bars by its name, or of a use
Cache = MutableMapping[str, Column]


def compute(bars: pd.DataFrame, uses: Iterable[Use], context: Context = Context(), cache: Cache | None = None) -> pd.DataFrame:
    """``bars`` with a column added for each use. The bars are not changed.

    ``cache`` keeps columns under the hash of the data, the feature's code and its parameters; what it gives is what computing gives.

    >>> bars = pd.DataFrame({"high": [2.0, 4.0, 3.0], "low": [1.0, 2.0, 2.5], "close": [1.5, 3.0, 2.5]})
    >>> compute(bars, [use("true_range")])["true_range"].tolist()
    [nan, 2.5, 0.5]
    """
    table = FeatureTable(bars, context, cache)
    columns = {use.column: table.column(use) for use in uses}
    if not columns:
        return bars
    return pd.DataFrame({**{name: bars[name] for name in bars}, **{name: pd.Series(column, bars.index, copy=False) for name, column in columns.items()}}, copy=False)


def warm_up_of(use_: Use, context: Context = Context()) -> int:
    """How many bars pass before it has a value, those of its inputs counted; of longer bars as many as they span at least.

    >>> warm_up_of(use("atr", window=14)), warm_up_of(use("atr_ratio", window=14, against=100))
    (14, 113)
    """
    own = spec_of(use_.name).bars_before(dict(use_.params)) + max(map(warm_up_of, inputs_of(use_)), default=0)
    if not use_.timeframe or context.timeframe is None:
        return own
    return (own + 1) * (Timeframe.named(use_.timeframe).nanoseconds // context.timeframe.nanoseconds) - 1


class FeatureTable:
    """Columns of a table of bars, each computed once and cached."""

    def __init__(self, bars: pd.DataFrame, context: Context = Context(), cache: Cache | None = None) -> None:
        self.bars, self.context, self.cache = bars, context, cache
        self._columns: dict[str, Column] = {}
        self._families: dict[str, dict[str, Column]] = {}
        self._longer: dict[str, tuple[FeatureTable, np.ndarray]] = {}
        self.states: dict[str, np.ndarray] = {}

    def column(self, use: Use) -> Column:
        if use.column not in self._columns:
            self._columns[use.column] = self._joined(use) if self.is_longer(use) else self._cached(use)
        return self._columns[use.column]

    def is_longer(self, use: Use) -> bool:
        if not use.timeframe:
            return False
        if self.context.timeframe is None:
            raise BadRequest(f"{use.column} needs longer bars: say the timeframe of these")
        return str(self.context.timeframe) != use.timeframe

    def longer(self, timeframe: str) -> tuple[FeatureTable, np.ndarray]:
        """The table of longer bars, and which of its rows has closed by the end of each bar here."""
        if timeframe not in self._longer:
            context, target = self.context, Timeframe.named(timeframe)
            assert context.timeframe is not None
            bars = context.longer[timeframe] if timeframe in context.longer else resample(self.bars, context.timeframe, target, context.calendar or "fx")
            table = FeatureTable(bars, context.on(target), self.cache)
            self._longer[timeframe] = table, join_closed(self.input("end"), table.input("end")) if len(bars) else np.full(len(self.bars), -1)
        return self._longer[timeframe]

    def input(self, name: str) -> Any:
        """What a function gets for an argument of that name."""
        if name in FEATURES:
            return self.column(use(name))
        if name in FAMILIES:
            return self._family(name)
        if name in FACTS:
            return getattr(self.context, name)
        if name == COLUMNS:
            return lambda wanted: self.column(wanted) if isinstance(wanted, Use) else self.input(wanted)
        if name not in self._columns:
            self._columns[name] = self._bar_column(name)
        return self._columns[name]

    def _bar_column(self, name: str) -> Column:
        if name in TIMES:
            return ts_of(self.bars) if name == "ts" else self.context.ends(self.bars)
        if name in self.bars:
            return self.bars[name].to_numpy(np.float64)
        if name in BAR_COLUMNS[4:]:
            return np.full(len(self.bars), np.nan)
        raise BadRequest(f"the bars have no column {name!r}")

    def _family(self, name: str) -> dict[str, Column]:
        if name not in self._families:
            series = getattr(self.context, name)
            self._families[name] = {key: values.at(self.input("end")) for key, values in sorted(series.items())} if series else {}
        return self._families[name]

    def _joined(self, use_: Use) -> Column:
        table, row = self.longer(use_.timeframe)
        values = table.column(replace(use_, timeframe=""))
        return np.append(values, np.nan)[row]       # -1, where no longer bar has closed, is the last place

    def _cached(self, use: Use) -> Column:
        if self.cache is None:
            return self._computed(use)
        key = self._key(use)
        if key not in self.cache:
            self.cache[key] = self._computed(use)
        return self.cache[key]

    def _computed(self, use: Use) -> Column:
        spec, params = spec_of(use.name), dict(use.params)
        places = spec.places(params)
        if places is not None:
            params["state"] = self.states[use.column] = np.zeros(places)
        returned = spec.function(*(self.input(name) for name in spec.inputs), **params)
        try:
            if np.iscomplexobj(returned):
                raise TypeError
            values = np.asarray(returned, np.float64)
        except (TypeError, ValueError):
            raise BadRequest(f"{use.column} gave {_kind(returned)}; a feature gives one value a bar, a number or NaN") from None
        if values.shape != (len(self.bars),):
            raise BadRequest(f"{use.column} gave {_kind(returned)} for {len(self.bars):,} bars; a feature gives one value a bar")
        return values

    def _key(self, use: Use) -> str:
        text = json.dumps([self._version, use.column, code_of(use.name), *(code_of(inner.name) for inner in inputs_of(use) if use.name not in FEATURES)])
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def _version(self) -> str:
        """A hash of all that a feature may see."""
        digest, context = hashlib.blake2b(digest_size=32), self.context
        for name in sorted(self.bars):
            values = ts_of(self.bars) if name == "ts" else np.ascontiguousarray(self.bars[name].to_numpy(np.float64))
            digest.update(name.encode() + values.tobytes())
        for family in (*FAMILIES, "forecasts"):
            for name, series in sorted(getattr(context, family).items()):
                digest.update(name.encode() + series.times.tobytes() + series.values.tobytes())
        digest.update(repr((context.instrument, str(context.timeframe))).encode() + context.headlines.times.tobytes() + context.headlines.values.tobytes() + context.releases.tobytes())
        return digest.hexdigest()


def _kind(value: Any) -> str:
    """
    >>> _kind(np.zeros(3)), _kind(None), _kind(["a"])
    ('3 numbers', 'nothing', 'values that are not numbers (list)')
    """
    shape = getattr(value, "shape", None)
    numbers = getattr(getattr(value, "dtype", None), "kind", "") in ("b", "i", "u", "f")
    if value is None:
        return "nothing"
    if shape is not None and numbers:
        return f"{shape[0]:,} numbers" if len(shape) == 1 else f"a table of {' × '.join(map(str, shape))}" if shape else "one number"
    return "one number" if isinstance(value, (int, float)) else f"values that are not numbers ({type(value).__name__})"


@lru_cache(maxsize=1024)
def code_of(name: str) -> str:
    """A hash of what a feature and its inputs are made of: their source files, and the compiled loops."""
    spec = spec_of(name)
    sources = [Path(inspect.getsourcefile(inspect.unwrap(spec.function)) or ""), *sorted(KERNELS.glob("*.py")), ROUNDING]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources if path.is_file()))
    digest.update("".join(code_of(dependency) for dependency in spec.inputs if dependency in FEATURES).encode())
    return digest.hexdigest()
