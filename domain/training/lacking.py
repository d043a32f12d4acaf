"""External data that a model's columns read and that is not there: refused, for a model would answer all the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from domain.errors import BadRequest, listed
from domain.features import Context, Use
from domain.features.needs import needs
from domain.training.inputs import Inputs


def refuse_lacking(columns: Sequence[str], inputs: Sequence[Inputs]) -> None:
    """Raises BadRequest naming each of a model's ``columns`` whose external data, of which it learnt, is not among ``inputs``."""
    lacking = {name: column for part in inputs for use in part.uses if use.column in columns for name, column in _lacking(use, part.context)}
    if lacking:
        named = listed(f"{column} needs {name}" for name, column in sorted(lacking.items()))
        raise BadRequest(f"the model learnt from external data that is not here: {named}; give it with the bars, for without it the model's answers mean nothing")


def _lacking(use: Use, context: Context) -> Iterator[tuple[str, str]]:
    needed = needs([use], [context.instrument])
    yield from ((name, use.column) for name in needed.series if name not in context.macro or not len(context.macro[name].times))
    if needed.headlines and not len(context.headlines.times):
        yield "headlines", use.column
    if needed.releases and not len(context.releases):
        yield "a calendar of releases", use.column
