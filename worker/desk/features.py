"""Features: catalogue, named feature sets, computation, and the look-ahead check."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pandas as pd

from domain.errors import BadRequest, TidemarkError, listed
from domain.features import FEATURES, Use, parse, use, warm_up_of
from domain.features.needs import needs
from domain.features.recipes import recipes as built_in
from domain.params import build, values_of
from domain.strategies import STRATEGIES, Strategy
from worker.desk.backtests import BacktestRequest, Backtests
from worker.desk.context import DeskContext, Submitted, key_of, required
from worker.desk.export import safe
from worker.desk.needs import Lack, lacks, resolved, titled
from worker.desk.strategies import meant
from worker.desk.thin import thinned
from worker.store import Run

LONGEST, NOTE = 64, 2_000       # letters of a recipe's name and note
PRICE = "{} price"              # frame of an instrument's closes


@dataclass(frozen=True)
class Entry:
    """One feature of the catalogue. ``warm_up``: bars before its first value, by its defaults. ``about``: its docstring."""

    name: str
    family: str
    unit: str
    low: float | None
    high: float | None
    warm_up: int
    help: str
    about: str
    source: str
    inputs: tuple[str, ...]
    parameters: Mapping[str, Any]
    written: str


@dataclass(frozen=True)
class Recipe:
    """A named set of features; ``own``: saved by a user."""

    name: str
    columns: tuple[str, ...]
    note: str
    own: bool
    actor: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True)
class FeatureRequest:
    """``datasets`` are ids, one of each instrument; each is context for the others. ``columns``: texts such as ``atr(14)@H1``."""

    datasets: Sequence[str]
    timeframe: str
    start: datetime
    end: datetime
    columns: Sequence[str] = ()


class Features:
    def __init__(self, context: DeskContext) -> None:
        self._context, self._backtests = context, Backtests(context)

    # -- choices

    def catalogue(self) -> list[Entry]:
        """Every feature, family by family."""
        every = (
            Entry(feature.name, feature.family, feature.unit, feature.low, feature.high, warm_up_of(use(feature.name)), feature.help, feature.about, feature.source, feature.inputs, dict(feature.params), use(feature.name).column)
            for feature in FEATURES.values()
        )
        return sorted(every, key=lambda entry: (entry.family, entry.name))

    def recipes(self) -> list[Recipe]:
        """Feature sets: the user's first, then the built-in ones."""
        with self._context.store.read() as unit:
            own = [Recipe(recipe.name, recipe.columns, recipe.note, True, recipe.actor, recipe.created_at) for recipe in unit.recipes.all()]
        return own + [Recipe(feature_set.name, tuple(use.column for use in feature_set.uses), feature_set.about, False) for feature_set in built_in().values()]

    def columns_of(self, recipe: str) -> list[str]:
        """The columns of a recipe, or a sentence that there is none of that name."""
        return list(required(next((feature_set for feature_set in self.recipes() if feature_set.name == recipe), None), "feature set", recipe).columns)

    def units(self, columns: Iterable[str]) -> dict[str, str]:
        """Column -> unit."""
        return {column: FEATURES[parse(column).name].unit for column in columns}

    def faults(self, columns: Iterable[str], timeframe: str = "") -> dict[str, str]:
        """Column text -> error message, for invalid columns."""
        sentences = {}
        for text in columns:
            try:
                self._read(text, timeframe)
            except TidemarkError as refusal:
                sentences[text] = str(refusal)
        return sentences

    def _read(self, text: str, timeframe: str = "") -> str:
        """The column's own name."""
        from domain.market.timeframe import Timeframe

        use = parse(text)
        if use.timeframe and timeframe and Timeframe.named(use.timeframe) < Timeframe.named(timeframe):
            raise BadRequest(f"{text} uses {use.timeframe} bars, shorter than the {timeframe} bars of the request; choose {timeframe} or longer")
        return use.column

    # -- recipes of one's own

    def save_recipe(self, name: str, columns: Sequence[str], note: str = "") -> Recipe:
        """Save a feature set under a name; an existing set of that name is replaced."""
        name, note = name.strip(), note.strip()[:NOTE]
        if not name or len(name) > LONGEST or not name.isprintable():
            raise BadRequest(f"the name of a feature set is {name[:LONGEST]!r}; give it one of 1 to {LONGEST} letters")
        if name in built_in():
            raise BadRequest(f"{name!r} is a built-in feature set, which cannot be changed; choose another name")
        written = self._columns(columns)
        with self._context.store.unit() as unit:
            before = unit.recipes.as_stored(name)
            unit.recipes.put(name, written, note, self._context.user, unit.now())
            unit.audit(self._context.user, "recipe_replaced" if before else "recipe_saved", f"recipe:{name}", name=name, columns=written, note=note, before=list(before.columns) if before else [])
            recipe = required(unit.recipes.get(name), "feature set", name)
        return Recipe(recipe.name, recipe.columns, recipe.note, True, recipe.actor, recipe.created_at)

    def delete_recipe(self, name: str) -> None:
        """Delete a user's feature set. Runs that used it keep their columns."""
        with self._context.store.unit() as unit:
            recipe = required(unit.recipes.as_stored(name), "feature set", name)
            unit.recipes.remove(name)
            unit.audit(self._context.user, "recipe_deleted", f"recipe:{name}", name=name, columns=list(recipe.columns))

    def _columns(self, columns: Sequence[str], timeframe: str = "") -> list[str]:
        """Each once, by its own name; all that is wrong in one sentence."""
        faults = self.faults(columns, timeframe)
        if faults:
            raise BadRequest("; ".join(faults.values()))
        if not columns:
            raise BadRequest("no feature is chosen; choose a feature set, or write features such as atr(14)")
        return list(dict.fromkeys(self._read(text) for text in columns))

    # -- submission; an identical request on the same code returns the existing job

    def spec(self, request: FeatureRequest, columns: bool = True, more: Sequence[Use] = ()) -> dict[str, Any]:
        """The request as plain values; raises ``BadRequest`` where it is not valid. Without ``columns`` it need not name any. Where the columns, or ``more``
        features, use external data, with the versions in use; a later import makes another request."""
        written = self._columns(request.columns, request.timeframe) if columns or request.columns else []
        with self._context.store.read() as unit:
            used = [required(unit.datasets.get(name), "dataset", name) for name in request.datasets]
            outside = resolved(unit, [*map(parse, written), *more], [self._backtests._instrument(dataset) for dataset in used], self._context.settings.outside.release_impact)
        self._backtests._check(self._span(request), used)
        return dict(datasets=[dataset.version for dataset in used], timeframe=request.timeframe, start=request.start.isoformat(), end=request.end.isoformat(), columns=written, **outside)

    def lacks(self, request: FeatureRequest) -> list[Lack]:
        """External data that the request's columns need and that is missing or does not cover its span; invalid columns are skipped."""
        uses = [parse(text) for text in request.columns if not self.faults([text])]
        with self._context.store.read() as unit:
            used = [dataset for name in request.datasets if (dataset := unit.datasets.get(name))]
            return lacks(unit, uses, [self._backtests._instrument(dataset) for dataset in used], (request.start, request.end))

    def lacked(self, run_id: str) -> dict[str, list[str]]:
        """Column of a run -> titles of the external data that it needs and that the run did not have."""
        run = self.get(run_id)
        outside = run.spec.get("outside", {})
        with self._context.store.read() as unit:
            instruments = [self._backtests._instrument(dataset) for version in run.spec["datasets"] if (dataset := unit.datasets.get(version))]
        needed = {column: needs([parse(column)], instruments) for column in run.spec["columns"]}
        wanting = {
            column: [titled("series", name) for name in need.series if name not in outside.get("series", {})] + [titled(kind, "") for kind in ("headlines", "releases") if getattr(need, kind) and kind not in outside]
            for column, need in needed.items()
        }
        return {column: titles for column, titles in wanting.items() if titles}

    def submit(self, kind: str, what: str, request: FeatureRequest, spec: Mapping[str, Any], example: bool = False) -> Submitted:
        """A job on features: ``what`` is the beginning of its title."""
        names, made_up = self._backtests._names(spec["datasets"])
        return self._context.submit(kind, f"{what} · {names} {request.timeframe}{made_up}", spec, queue="research", key=key_of(kind, spec), example=example)

    def submit_columns(self, request: FeatureRequest) -> Submitted:
        """Compute them."""
        spec = self.spec(request)
        return self.submit("columns", self.title_of(spec["columns"]), request, spec)

    def submit_gate(self, request: FeatureRequest, strategy: str = "", params: Mapping[str, Any] | None = None) -> Submitted:
        """Check whether any column, or any signal of the strategy, changes when later bars are removed."""
        if not strategy:
            spec = self.spec(request)
        else:
            title = strategy
            strategy, params = meant(self._context, strategy, params or {})
            strategy_: Strategy = build(STRATEGIES[strategy], params)
            spec = self.spec(replace(request, columns=()), columns=False, more=strategy_.features()) | dict(strategy=strategy, params=values_of(strategy_))
        return self.submit("gate", f"Look-ahead check: {title if strategy else self.title_of(spec['columns'])}", request, spec)

    def bars_in(self, request: FeatureRequest) -> int:
        """Estimated number of bars of a request."""
        return self._backtests.bars_in(self._span(request))

    def _span(self, request: FeatureRequest) -> BacktestRequest:
        return BacktestRequest("", {}, request.datasets, request.timeframe, request.start, request.end, {})

    def title_of(self, columns: Sequence[str]) -> str:
        """The title of a feature set: its name, or its first columns."""
        named = next((recipe.name for recipe in self.recipes() if set(recipe.columns) == set(columns)), "")
        return named or listed(columns, 2)

    # -- reading

    def latest(self, kind: str, limit: int = 100) -> list[Run]:
        """Newest first."""
        with self._context.store.read() as unit:
            return unit.runs.latest(kind, limit)

    def get(self, run_id: str, kind: str = "") -> Run:
        with self._context.store.read() as unit:
            run = required(unit.runs.get(run_id), "run", run_id)
        if kind and run.kind != kind:
            raise BadRequest(f"run {run_id} is of the kind {run.kind.replace('_', ' ')}, and {kind.replace('_', ' ')} is looked for; choose one from the list")
        return run

    def request_of(self, run_id: str) -> FeatureRequest:
        """The request of a run, to run it again or to edit it."""
        spec = self.get(run_id).spec
        with self._context.store.read() as unit:
            datasets = [required(unit.datasets.get(version), "dataset", version[:8]).id for version in spec["datasets"]]
        start, end = (datetime.fromisoformat(spec[edge]) for edge in ("start", "end"))
        return FeatureRequest(datasets, spec["timeframe"], start, end, spec["columns"])

    def frame(self, run_id: str, instrument: str, columns: Sequence[str] = ()) -> pd.DataFrame:
        """``ts`` and a column for each feature; some of them alone where ``columns`` names them."""
        run = self.get(run_id, "columns")
        if instrument not in run.frames:
            raise BadRequest(f"run {run_id} has no {instrument}; it has {listed(member['instrument'] for member in run.summary['members'])}")
        return self._context.store.frames.get(run.frames[instrument], ["ts", *columns] if columns else None)

    def drawn(self, run_id: str, instrument: str, column: str, last: int = 0, budget: int = 900) -> tuple[pd.DataFrame, int]:
        """``row, ts, close, value`` of the ``last`` bars (0: all), thinned so that both keep their extremes; and how many bars those are."""
        values = self.frame(run_id, instrument, [column])
        close = self._context.store.frames.get(self.get(run_id).frames[PRICE.format(instrument)], ["close"])
        frame = pd.DataFrame(dict(row=range(len(values)), ts=values["ts"], close=close["close"], value=values[column])).tail(last or len(values)).reset_index(drop=True)
        settled = frame.dropna(subset=["value"])
        rows = {*thinned(frame, ("close",), budget)["row"], *(thinned(settled, ("value",), budget)["row"] if len(settled) else ())}
        return frame[frame["row"].isin(rows)].reset_index(drop=True), len(frame)

    def download(self, run_id: str, instrument: str, form: str) -> bytes:
        """``ts`` and the columns, as CSV or Parquet."""
        frame = self.frame(run_id, instrument)
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"run:{run_id}", what=f"columns of {instrument}", form=form, rows=len(frame))
        sink = io.BytesIO()
        if form == "parquet":
            frame.to_parquet(sink, index=False, compression="zstd")
        else:
            _write_csv(frame, sink)
        return sink.getvalue()

    def delete(self, run_id: str) -> Run:
        """Remove the run; its audit events stay."""
        return self._backtests.delete(run_id)


def _write_csv(frame: pd.DataFrame, sink: io.BytesIO) -> None:
    """ISO times in UTC, numbers as the shortest text that reads back the same, nothing where there is no value; by Arrow, which is many times as fast as pandas."""
    import pyarrow as pa
    from pyarrow.csv import WriteOptions, write_csv

    times = frame["ts"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    write_csv(pa.Table.from_pandas(safe(frame.assign(ts=times)), preserve_index=False), sink, WriteOptions(quoting_style="needed"))
