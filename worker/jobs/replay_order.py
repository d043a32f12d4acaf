"""Replay of one order of a run: its signal, size, limits and fill decided again from the stored bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from domain.audit.replay import Answer, Check, compared
from domain.errors import BadRequest
from worker.jobs import questions
from worker.jobs.base import Work
from worker.jobs.replay_stored import Event, entity, gone
from worker.jobs.trial_rows import in_words
from worker.model_use import applied_to
from worker.store import Run
from worker.store.former_names import current

PROTECTED = ("stop_loss", "target_1", "target_2", "target_3", "target_4", "target_r_1")


def of_order(event: Event, spec: Mapping[str, Any], work: Work) -> Answer:
    """``spec``: order and instrument. Every row that was recorded of the order is compared, and its size with an independent formula."""
    with work.store.read() as unit:
        run = unit.runs.as_stored(entity(event, "run"))
    if run is None:
        return gone("run", entity(event, "run"))
    if run.kind != "backtest":
        raise BadRequest(f"run {run.id} is of the kind {run.kind.replace('_', ' ')}, which records no single orders; leave the order out")
    work.stage("Load bars")
    request = questions.read(run.spec, work)
    work.stage("Simulate")
    from domain.backtest import decision, study, trust

    used = applied_to(request, work)
    result = study.run(request.series, request.rules, request.strategy(), rates=request.rates, keep=used.keep if used else None, watch=work.within(0.1, 0.7))
    work.stage("Decide again")
    instrument = spec.get("instrument") or result.tasks[0].instrument.name
    again = decision.decision(result, request.series, request.strategy(), request.rates, instrument, int(spec["order"]))
    tables = {name: in_words(frame) for name, frame in (("fills", result.outcome.fills), ("reviews", result.outcome.reviews), ("protection", trust.protection(result)))}
    checks = [*_rows(run, tables, instrument, again.order, work), *_size(again)]
    return compared(checks, _notes(again), _plain(again))


def _rows(run: Run, tables: Mapping[str, pd.DataFrame], instrument: str, order: int, work: Work) -> list[Check]:
    """What was recorded of the order in each table, as text, beside what comes out now."""
    checks = []
    for name, now in tables.items():
        if name in run.frames:
            then, now = current(work.store.frames.get(run.frames[name])), current(now)
            columns = [column for column in then if column in now and column not in ("fill_id", "trade_id", "order_id", "instrument")]
            if name == "protection":
                columns = [column for column in columns if column in PROTECTED]
            recorded, computed = (_text(table[(table["instrument"].astype(str) == instrument) & (table["order_id"] == order)], columns) for table in (then, now))
            if recorded or computed:
                checks.append(Check(name, recorded, computed))
    return checks


def _text(rows: pd.DataFrame, columns: Sequence[str]) -> str:
    """Rows as text in full precision; empty values are left out."""
    return "; ".join(", ".join(f"{name} {_value(row[name])}" for name in columns if not pd.isna(row[name])) for row in rows.to_dict("records"))


def _value(value: Any) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, pd.Timestamp) else repr(value) if isinstance(value, float) else str(value)


def _size(again: Any) -> list[Check]:
    return [] if again.lots is None else [Check("size by the formula, lots", repr(float(again.lots)), repr(float(again.size.lots)))]


def _notes(again: Any) -> list[str]:
    if again.fill:
        return [f"Filled {again.fill['lots']:g} lots at {again.fill['price']:.10g}."]
    if again.reviews:
        from domain.trading.outcomes import label

        return [f"Not filled: {label(str(again.reviews[-1]['reason'])).lower()}."]
    return ["The order never filled: its price was not reached, or a position with its tag was open."]


def _plain(again: Any) -> dict[str, Any]:
    """The decision as plain values, for the job's result."""
    from domain.audit import plain

    size = {**again.size.plain(), **{name: getattr(again.inputs, name) for name in ("equity", "entry", "stop", "rate", "volatility")}, "results": len(again.inputs.results)}
    return plain(dict(
        instrument=again.instrument, order=again.order, decided=again.decided.to_pydatetime(), signal=dict(again.signal), features=dict(again.features), size=size,
        limits=[limit.plain() for limit in again.limits], fill=_times(again.fill), reviews=[_times(row) for row in again.reviews],
    ))  # fmt: skip


def _times(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.to_pydatetime() if isinstance(value, pd.Timestamp) else value for name, value in row.items()}
