"""A model applied to a strategy's signals: what it was never trained on decides, or nothing is taken.

Up to the model's last label its stored predictions of the walk-forward decide, each made by a fold that had not seen the signal; where there is none, the
signal is not taken. After it the model itself decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.errors import BadRequest, listed
from domain.params import build, values_of
from domain.strategies import Strategy
from domain.strategies.base import unfiltered
from domain.training.fitted_pipeline import FittedPipeline
from domain.training.inputs import Inputs
from domain.training.lacking import refuse_lacking
from domain.training.question import Question
from domain.training.samples import sample_set
from domain.training.seen import as_seen
from domain.training.targets import TARGETS, TargetParams

WALK, LIVE, NONE, COLD = "walk-forward", "model", "none", "warm-up"


@dataclass(frozen=True)
class Applied:
    """``table``: a row an entry signal that has warm columns, by instrument and number (row of ``study.decided``): ``instrument number start source taken size``.
    ``until``: the model's last label, UTC."""

    table: pd.DataFrame
    until: pd.Timestamp

    def keep(self, instrument: str, signals: pd.DataFrame) -> pd.DataFrame:
        """Exits, and the entries that are taken, with their share of the sizer's lots. Entries that the columns were not warm for are not taken."""
        own = self.table[self.table["instrument"] == instrument]
        taken, size = np.zeros(len(signals), bool), np.ones(len(signals))
        taken[own["number"].to_numpy(np.int64)] = own["taken"].to_numpy(bool)
        size[own["number"].to_numpy(np.int64)] = own["size"].to_numpy(np.float64)
        entry = signals["order"].to_numpy(object) != "exit"
        own_size = signals["size"].to_numpy(np.float64)        # NaN: none of its own, which is 1
        sized = signals if (size[entry & taken] == 1.0).all() else signals.assign(size=np.where(entry & taken, np.nan_to_num(own_size, nan=1.0) * size, own_size))
        return sized[taken | ~entry].reset_index(drop=True)

    def counts(self) -> dict[str, dict[str, int]]:
        """Signals and those taken, by what decided."""
        return {source: dict(signals=int((self.table["source"] == source).sum()), taken=int(self.table.loc[self.table["source"] == source, "taken"].sum())) for source in (WALK, LIVE, NONE, COLD)}

    @property
    def sentence(self) -> str:
        """How much of each was used."""
        counts = self.counts()
        walk, live, none, cold = (counts[source] for source in (WALK, LIVE, NONE, COLD))
        parts = [
            f"{walk['signals']:,} signal{' was' if walk['signals'] == 1 else 's were'} decided by its walk-forward ({walk['taken']:,} taken)",
            f"{live['signals']:,} by the model itself, after its last label of {self.until:%Y-%m-%d %H:%M} UTC ({live['taken']:,} taken)",
            f"{none['signals']:,} up to that label without a walk-forward prediction, not taken",
            *([f"{cold['signals']:,} in the warm-up of its columns, not taken"] if cold["signals"] else []),
        ]  # fmt: skip
        return f"{'; '.join(parts)}."


def check(question: Question, strategy: Strategy, name: str, inputs: Sequence[Inputs]) -> None:
    """Raises BadRequest where the model says nothing about these signals."""
    target = TARGETS[question.target]
    if target.on != "signals" or not question.strategy:
        raise BadRequest(f"the model forecasts {question.target} of {'bars' if target.on != 'signals' else 'closed trades'} and filters no signals of a strategy; use one that was trained on signals")
    if question.strategy != name:
        raise BadRequest(f"the model was trained on signals of {question.strategy}, and {name} is traded; use the same strategy")
    trained = values_of(build(type(strategy), question.strategy_params))
    other = [f"{key} {value} and not {trained[key]}" for key, value in values_of(unfiltered(strategy)).items() if value != trained.get(key)]
    if other:
        raise BadRequest(f"the model was trained on signals of {name} with other parameters ({listed(other)}); use the same ones")
    learnt = {str(part["instrument"]): str(part["timeframe"]) for part in question.data}
    for part in inputs:
        instrument, timeframe = part.series.instrument.name, str(part.series.timeframe)
        if learnt.get(instrument) != timeframe:
            raise BadRequest(f"the model was trained on {listed(f'{key} {value}' for key, value in learnt.items())}, and {instrument} {timeframe} is traded")


def applied(question: Question, pipeline: FittedPipeline, inputs: Sequence[Inputs], strategy: Strategy, stored: pd.DataFrame, last: pd.Timestamp) -> Applied:
    """``stored``: the model's predictions of its walk-forward with ``instrument start taken size``, empty without one. ``last``: the last end of a label of its samples."""
    if pipeline.filter is None:
        raise BadRequest("the model has no filter of signals; train it on signals of a strategy")
    refuse_lacking(pipeline.columns, inputs, question.data)
    sampled = sample_set(inputs, strategy, question.target, build(TargetParams, question.target_params), labelled=False)
    assert sampled.signals is not None
    until = max(int(last.value), pipeline.until)
    outputs = pipeline.predict(as_seen(sampled, pipeline.columns))
    names = np.array(sampled.instruments, object)[sampled.samples.instrument]
    table = pd.DataFrame(dict(instrument=names, number=sampled.signals["number"].to_numpy(np.int64), start=sampled.samples.start, taken=outputs["taken"].to_numpy(bool), size=outputs["size"].to_numpy(np.float64)))
    table["source"] = np.where(table["start"] > until, LIVE, NONE)
    table = _with_stored(table, stored)
    table.loc[table["source"] == NONE, "taken"] = False
    return Applied(pd.concat([table, _cold(sampled.warm_up, table)], ignore_index=True), pd.Timestamp(until, tz="UTC"))


def _with_stored(table: pd.DataFrame, stored: pd.DataFrame) -> pd.DataFrame:
    """Stored decisions in the place of the model's own, by instrument, deciding bar and place among the signals of that bar; where a bar has another number of
    signals here than there, for one of them had no label, it is not known which is which, and none is used."""
    if stored.empty:
        return table
    keys = ["instrument", "start", "place", "of"]
    known = _placed(stored.assign(start=stored["start"].dt.as_unit("ns").astype("int64")))
    merged = _placed(table).merge(known[[*keys, "taken", "size"]], how="left", on=keys, suffixes=("", "_stored"))
    there = merged["taken_stored"].notna().to_numpy() & (table["source"] != LIVE).to_numpy()
    taken, size = (np.where(there, merged[f"{name}_stored"].to_numpy(object), table[name].to_numpy(object)) for name in ("taken", "size"))
    return table.assign(source=np.where(there, WALK, table["source"]), taken=taken.astype(bool), size=size.astype(np.float64))


def _placed(table: pd.DataFrame) -> pd.DataFrame:
    bars = table.groupby(["instrument", "start"])
    return table.assign(place=bars.cumcount(), of=bars["start"].transform("size"))


def _cold(count: int, table: pd.DataFrame) -> pd.DataFrame:
    """Signals before the columns were warm: counted, and of no instrument's signals, so that they are not taken."""
    return pd.DataFrame({name: pd.Series(["" if name == "instrument" else COLD if name == "source" else False if name == "taken" else 0] * count, dtype=object if name in ("instrument", "source") else table[name].dtype) for name in table})
