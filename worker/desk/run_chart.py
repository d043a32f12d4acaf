"""The bars of a run at any zoom, with its trades, the levels of one of them, and the columns its strategy decided on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd

from domain.features import FEATURES
from domain.market import Instrument, instrument, resample
from domain.market.timeframe import Timeframe
from domain.market.zoom import Window, candles_of, counts, last_values, window
from domain.params import build
from domain.strategies import STRATEGIES
from domain.trading.protection import stop_path
from worker.desk.context import DeskContext, Submitted, key_of, required
from worker.desk.trades import Protection, Trades
from worker.store import Dataset, Run

HELD = 256 << 20        # bytes of series that are kept in memory
MOST_MARKS = 360        # single fills in a window; more are counted
GROUPS = 72             # counts in a window
OVERLAY = "price"       # the unit of columns that are drawn over the candles
BARS = ["ts", "open", "high", "low", "close", "volume"]
Arrays = dict[str, np.ndarray]


class SeriesCache:
    """Series by key, as many as fit into ``most`` bytes; those not used for longest go first.

    >>> cache = SeriesCache(16)
    >>> first = cache.get("a", lambda: {"x": np.zeros(1)})
    >>> cache.get("a", dict) is first, list(cache.get("b", lambda: {"x": np.zeros(2)})), cache.get("a", dict)
    (True, ['x'], {})
    """

    def __init__(self, most: int) -> None:
        self._most, self._held, self._lock = most, OrderedDict[Any, Arrays](), Lock()

    def get(self, key: Any, make: Callable[[], Arrays]) -> Arrays:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        arrays = make()
        with self._lock:
            self._held[key] = arrays
            while len(self._held) > 1 and self._bytes() > self._most:
                self._held.popitem(last=False)
        return arrays

    def _bytes(self) -> int:
        return sum(array.nbytes for arrays in self._held.values() for array in arrays.values())


CACHE = SeriesCache(HELD)


@dataclass(frozen=True)
class Marks:
    """Fills in a window. ``single``: candle, row, trade, entry, buy, won, price, lots, reason; where they are too many for that,
    ``grouped``: candle, first, last (rows), trades (entered there)."""

    single: pd.DataFrame | None
    grouped: pd.DataFrame | None


@dataclass(frozen=True)
class Level:
    """A price line of the chosen trade: its candle and price at each point."""

    name: str
    candles: Sequence[int]
    prices: Sequence[float]


@dataclass(frozen=True)
class Column:
    """A column that the strategy decided on: its value at each candle's close. ``overlay``: it is a price among the candles."""

    unit: str
    values: np.ndarray
    overlay: bool


@dataclass(frozen=True)
class View:
    """``rows``: bars of the whole run. ``candles``: as ``domain.market.zoom.candles_of`` gives them, ``ts`` in seconds since 1970, UTC."""

    rows: int
    window: Window
    candles: Mapping[str, np.ndarray]
    marks: Marks
    levels: Sequence[Level]
    features: Mapping[str, Column]


class RunChart:
    def __init__(self, context: DeskContext) -> None:
        self._context, self._trades = context, Trades(context)

    def series(self, run_id: str) -> dict[str, tuple[Instrument, str]]:
        """Instrument -> itself, and the side of its prices, in the order of the run's data."""
        return {dataset.instrument: (self._instrument(dataset), dataset.side) for dataset in self._datasets(self._run(run_id))}

    def rows(self, run_id: str, name: str) -> int:
        """Bars of one instrument in the run."""
        return len(self._bars(self._run(run_id), name)["ts"])

    def place(self, run_id: str, trade_id: int) -> tuple[str, int, int]:
        """The instrument of a trade, and the rows of its first and last fill."""
        run, fills = self._run(run_id), self._trades.protection(run_id, trade_id)
        name = str(fills.trade["instrument"])
        rows = _rows(self._bars(run, name)["ts"], fills.fills["bar_ts"])
        return name, int(rows.min()), int(rows.max())

    def view(self, run_id: str, name: str, first: float, last: float, budget: int, trade_id: int | None = None) -> View:
        """The candles of rows ``first`` to ``last`` and as many on both sides, ``budget`` of them in the middle part."""
        run = self._run(run_id)
        bars = self._bars(run, name)
        shown = window(first, last, len(bars["ts"]), budget)
        candles = candles_of(bars, shown)
        candles["ts"] = candles["ts"] // 1_000_000_000
        levels = self._levels(run_id, name, trade_id, bars["ts"], shown) if trade_id else []
        features = {column: self._column(run, column, values, bars, shown) for column, values in self._columns(run, name).items()}
        return View(len(bars["ts"]), shown, candles, _marks(self._fills(run, name, bars["ts"]), shown), levels, features)

    # -- the strategy's columns

    def has_features(self, run_id: str) -> bool:
        """Whether the run's strategy decides on columns at all."""
        spec = self._run(run_id).spec
        return spec["strategy"] in STRATEGIES and bool(build(STRATEGIES[spec["strategy"]], spec["params"]).features())

    def features_run(self, run_id: str) -> Run | None:
        """Where the columns were computed; None where they were not."""
        with self._context.store.read() as unit:
            return next((each for each in unit.runs.latest("run_features", 10_000) if each.spec["run"] == run_id), None)

    def submit_features(self, run_id: str) -> Submitted:
        """Compute the columns that the run's strategy decided on, of all its bars."""
        run = self._run(run_id)
        spec = dict(run=run_id, datasets=list(run.spec["datasets"]))
        return self._context.submit("run_features", f"Features of {run.title}", spec, key=key_of("run_features", spec), example=run.example)

    def _columns(self, run: Run, name: str) -> Arrays:
        stored = self.features_run(run.id)
        if stored is None or name not in stored.frames:
            return {}
        return CACHE.get(("features", stored.frames[name]), lambda: _numbers(self._context.store.frames.get(stored.frames[name])))

    def _column(self, run: Run, column: str, values: np.ndarray, bars: Arrays, shown: Window) -> Column:
        stored = self.features_run(run.id)
        feature = FEATURES.get(stored.summary["columns"].get(column, "")) if stored else None
        unit = feature.unit if feature else ""
        return Column(unit, last_values(values, shown), unit == OVERLAY and _among(values, bars))

    # -- parts

    def _bars(self, run: Run, name: str) -> Arrays:
        dataset = next((each for each in self._datasets(run) if each.instrument == name), None)
        key = (required(dataset, "dataset of", name).version, run.spec["timeframe"], run.spec["start"], run.spec["end"])
        return CACHE.get(key, lambda: self._read(run, required(dataset, "dataset of", name)))

    def _read(self, run: Run, dataset: Dataset) -> Arrays:
        """The bars that the run traded."""
        start, end = pd.Timestamp(run.spec["start"]), pd.Timestamp(run.spec["end"])
        every = self._context.store.frames.get(dataset.frame, end=end.to_pydatetime())
        every = every.assign(ts=every["ts"].dt.as_unit("ns"))
        own, timeframe = Timeframe.named(dataset.timeframe), Timeframe.named(run.spec["timeframe"])
        if own != timeframe:
            every = resample(every, own, timeframe, self._instrument(dataset).calendar)
        bars = every[every["ts"] >= start]
        given = {column: bars[column].to_numpy(np.float64, copy=True) for column in BARS[1:] if column in bars}
        if "volume" in given and not np.nansum(given["volume"]):
            del given["volume"]
        return dict(ts=bars["ts"].astype("int64").to_numpy(copy=True)) | given

    def _fills(self, run: Run, name: str, ts: np.ndarray) -> pd.DataFrame:
        """Fills of the instrument in the order of their rows, each with the result of its trade."""
        key = ("fills", run.frames["fills"], run.frames["trades"], name)
        return pd.DataFrame(CACHE.get(key, lambda: self._read_fills(run, name, ts)), copy=False)

    def _read_fills(self, run: Run, name: str, ts: np.ndarray) -> Arrays:
        fills = self._context.store.frames.get(run.frames["fills"], ["trade_id", "bar_ts", "instrument", "side", "lots", "price", "reason"])
        fills = fills[fills["instrument"] == name]
        pnl = self._context.store.frames.get(run.frames["trades"], ["trade_id", "pnl"]).set_index("trade_id")["pnl"]
        rows = _rows(ts, fills["bar_ts"])
        order = np.argsort(rows, kind="stable")
        entry = ~fills["trade_id"].duplicated().to_numpy()
        arrays = dict(row=rows, trade=fills["trade_id"].to_numpy(), entry=entry, buy=(fills["side"] == "buy").to_numpy(), won=pnl.reindex(fills["trade_id"]).to_numpy() > 0)
        arrays |= dict(price=fills["price"].to_numpy(), lots=fills["lots"].to_numpy(), reason=fills["reason"].astype(str).to_numpy(object))
        return {column: values[order] for column, values in arrays.items()}

    def _levels(self, run_id: str, name: str, trade_id: int, ts: np.ndarray, shown: Window) -> list[Level]:
        own = self._trades.protection(run_id, trade_id)
        if str(own.trade["instrument"]) != name:
            return []
        rows = _rows(ts, own.fills["bar_ts"])
        first, last = int(rows.min()), int(rows.max())
        lines = [(price_name, np.array([first, max(last, first + 1)]), np.array([price, price])) for price_name, price in own.levels.items()]
        lines.append(("stop", np.arange(first, last + 1), _stops(own, ts, first, last)))
        return [level for line in lines if (level := _level(*line, shown))]

    def _datasets(self, run: Run) -> list[Dataset]:
        with self._context.store.read() as unit:
            return [dataset for version in run.spec["datasets"] if (dataset := unit.datasets.get(version))]

    def _instrument(self, dataset: Dataset) -> Instrument:
        return instrument(dataset.instrument, self._context.instruments_file)

    def _run(self, run_id: str) -> Run:
        with self._context.store.read() as unit:
            return required(unit.runs.get(run_id), "run", run_id)


def _among(values: np.ndarray, bars: Arrays) -> bool:
    """Whether a column lies where the prices are: an average is nearer to them than to nothing, a range is not."""
    step = max(len(values) // 2_000, 1)
    part, close = values[::step], bars["close"][::step]
    return bool(np.isfinite(part).any() and np.nanmedian(np.abs(part - close)) < np.nanmedian(np.abs(part)))


def _numbers(frame: pd.DataFrame) -> Arrays:
    return {str(name): frame[name].to_numpy(np.float64, copy=True) for name in frame if name != "ts"}


def _rows(ts: np.ndarray, instants: pd.Series) -> np.ndarray:
    """The bar in which each instant falls."""
    at = pd.to_datetime(instants, utc=True).dt.as_unit("ns").astype("int64").to_numpy()
    return np.clip(np.searchsorted(ts, at, side="right") - 1, 0, len(ts) - 1)


def _stops(own: Protection, ts: np.ndarray, first: int, last: int) -> np.ndarray:
    moved = (_rows(ts, own.moves["bar_ts"]) - first).tolist() if len(own.moves) else []
    return stop_path(float(own.trade["stop_loss"]), moved, own.moves["stop_loss"].tolist(), last - first + 1)


def _level(name: str, rows: np.ndarray, prices: np.ndarray, shown: Window) -> Level | None:
    """The line in the window: of several points in one candle the last."""
    candles = shown.candle_of(rows)
    number = len(shown.starts)
    if not len(rows) or candles[-1] < 0 or candles[0] >= number or np.isnan(prices).all():
        return None
    kept = np.append(candles[1:] != candles[:-1], True) & np.isfinite(prices) & (candles >= 0) & (candles < number)
    if len(rows) == 2:      # a straight line between two ends is cut at the window's
        ends = np.clip(candles, 0, number - 1)
        return Level(name, ends.tolist(), prices.tolist()) if ends[0] != ends[1] else Level(name, [int(ends[0])], [float(prices[0])])
    return Level(name, candles[kept].tolist(), prices[kept].tolist())


def _marks(fills: pd.DataFrame, shown: Window) -> Marks:
    low, high = (int(np.searchsorted(fills["row"], edge)) for edge in (shown.first, shown.last))
    inside = fills.iloc[low:high]
    if len(inside) <= MOST_MARKS:
        return Marks(inside.assign(candle=shown.candle_of(inside["row"].to_numpy())), None)
    number = len(shown.starts)
    step = max(-(-number // GROUPS), 1)
    coarse = Window(shown.first, shown.last, shown.size * step)
    entered = counts(inside["row"].to_numpy()[inside["entry"].to_numpy(bool)], coarse)
    middle = np.minimum(np.arange(len(coarse.starts)) * step + step // 2, number - 1)
    table = pd.DataFrame(dict(candle=middle, first=coarse.starts, last=coarse.ends + 1, trades=entered))
    return Marks(None, table[table["trades"] > 0].reset_index(drop=True))
