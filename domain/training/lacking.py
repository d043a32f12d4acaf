"""Data that a model's columns read and that are not there: refused, for a model would answer all the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from domain.errors import BadRequest, listed
from domain.features import Context, Use
from domain.features.needs import needs
from domain.strategies.lacking import has_values, inputs_of
from domain.training.inputs import Inputs


def refuse_lacking(columns: Sequence[str], inputs: Sequence[Inputs], data: Sequence[Mapping[str, Any]] = ()) -> None:
    """Raises BadRequest naming each of a model's ``columns`` that reads what is not among ``inputs``. ``data``: of its question,
    which says beside what other instruments it learnt; without it these are not looked at."""
    lacking = {name: column for part in inputs for use in part.uses if use.column in columns for name, column in _lacking(use, part, data)}
    if lacking:
        named = listed(f"{column} needs {name}" for name, column in sorted(lacking.items()))
        raise BadRequest(f"the model learnt from data that are not here: {named}; give them with the bars, for without them the model's answers mean nothing")


def others_of(inputs: Sequence[Inputs]) -> list[str]:
    """Instruments beside those of ``inputs`` that one of their columns reads, as the question names them."""
    pooled = {part.series.instrument.name for part in inputs}
    return sorted({name for part in inputs if any("others" in inputs_of(use) for use in part.uses) for name in part.context.others} - pooled)


def _lacking(use: Use, part: Inputs, data: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    yield from ((name, use.column) for name in _outside(use, part.context))
    reads = inputs_of(use)
    yield from ((f"bars with {name}", use.column) for name in ("volume", "spread") if name in reads and len(part.series.bars) and not has_values(part.series.bars, name))
    if "others" in reads and data and (beside := _beside(part, data)) != {*part.context.others}:
        here = listed(sorted(part.context.others)) if part.context.others else "none"
        yield f"the other instruments that it was trained beside, {listed(sorted(beside))} (here: {here})" if beside else f"no other instrument beside it (here: {here})", use.column


def _beside(part: Inputs, data: Sequence[Mapping[str, Any]]) -> set[str]:
    """The other instruments that the model learnt beside this one."""
    return {str(each["instrument"]) for each in data if each["instrument"] != part.series.instrument.name} | {name for each in data for name in each.get("others", ())}


def _outside(use: Use, context: Context) -> Iterator[str]:
    needed = needs([use], [context.instrument])
    yield from (name for name in needed.series if name not in context.macro or not len(context.macro[name].times))
    if needed.headlines and not len(context.headlines.times):
        yield "headlines"
    if needed.releases and not len(context.releases):
        yield "a calendar of releases"
