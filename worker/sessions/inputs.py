"""What a session trades on beside its bars, as stored tables that its source names: ``inputs``, one entry a table, each with the hash of its content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.features import Context
from domain.live.inputs import Finer, Inputs
from domain.live.plan import Plan
from domain.market.instrument import instruments
from domain.market.timeframe import Timeframe
from domain.outside.timed_values import TimedValues
from domain.trading.signals import read_signals
from domain.trading.task import Rate
from worker.sessions.models import with_selection
from worker.store import Store
from worker.store.frames import Frames

Entry = Mapping[str, Any]
KINDS = ("signals", "rate", "macro", "headlines", "releases", "forecasts", "finer")


def plan_of(store: Store, instruments_file: str, plan: Mapping[str, Any], source: Mapping[str, Any]) -> Plan:
    """A session's plan with the instruments of the workspace, what its source names, and its model. A table that is gone or was altered is refused, and a model as well."""
    frames = store.frames
    read = Plan.of(plan, instruments(instruments_file))
    entries = source.get("inputs", ())
    if strange := [entry.get("kind") for entry in entries if entry.get("kind") not in KINDS]:
        raise BadRequest(f"the session reads {', '.join(map(str, strange))} beside its bars, which this program does not know; go on with the program that started it")
    signals = next((_signals(frames, read, entry) for entry in entries if entry["kind"] == "signals"), None)
    rates = [_rate(frames, read, entry) for entry in entries if entry["kind"] == "rate"]
    contexts = _contexts(frames, read.series, [entry for entry in entries if "series" in entry and entry["kind"] != "finer"])
    finer = {entry["series"]: Finer(Timeframe.named(entry["timeframe"]), frames.get(entry["frame"]), read.instrument(entry["series"]).calendar) for entry in entries if entry["kind"] == "finer"}
    return with_selection(store, replace(read, inputs=Inputs(signals, rates, contexts, finer)), source)


def refuse_unstartable(store: Store, instruments_file: str, plan: Mapping[str, Any], source: Mapping[str, Any]) -> None:
    """Raises BadRequest for what a session cannot be started with, before it is written."""
    from domain.live.deciders import Deciders
    from domain.live.lacking import refuse_lacking

    read = plan_of(store, instruments_file, plan, source)
    refuse_lacking(read, read.inputs.contexts)
    if read.inputs.selection is not None:
        Deciders(read, read.inputs.contexts, lambda series: ())


def _signals(frames: Frames, plan: Plan, entry: Entry) -> pd.DataFrame:
    return read_signals(frames.get(entry["frame"]), tuple(dict.fromkeys(plan.instrument(text).name for text in plan.series)))


def _rate(frames: Frames, plan: Plan, entry: Entry) -> Rate:
    if entry["instrument"] not in plan.instruments:
        raise BadRequest(f"the session converts along {entry['instrument']}, and the table of instruments has it no more; put it back into the instruments file")
    return Rate(plan.instruments[entry["instrument"]], Timeframe.named(entry["timeframe"]), frames.get(entry["frame"]), entry["side"])


def _contexts(frames: Frames, series: Sequence[str], entries: Iterable[Entry]) -> dict[str, Context]:
    contexts: dict[str, Context] = {}
    for entry in entries:
        table, before = frames.get(entry["frame"]), contexts.get(entry["series"], Context())
        known = np.ascontiguousarray(table["known"].to_numpy(np.int64))
        if entry["kind"] == "releases":
            contexts[entry["series"]] = replace(before, releases=known)
            continue
        if entry["kind"] == "forecasts":
            quantiles = {str(name): TimedValues(known, np.ascontiguousarray(table[name].to_numpy(np.float64))) for name in table if name != "known"}
            contexts[entry["series"]] = replace(before, forecasts=quantiles)
            continue
        values = TimedValues(known, np.ascontiguousarray(table["value"].to_numpy(np.float64)))
        contexts[entry["series"]] = replace(before, headlines=values) if entry["kind"] == "headlines" else replace(before, macro={**before.macro, entry["name"]: values})
    return {text: contexts[text] for text in series if text in contexts}
