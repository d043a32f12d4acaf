"""What a model is trained or used on, from files: bars with their context, columns and rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from domain.errors import BadRequest
from domain.parsing import object_of
from worker.terminal.features import read_with_context
from worker.terminal.options import once
from worker.terminal.traded_series import named_file
from worker.terminal.user_module import UserCode, load


@dataclass(frozen=True)
class Beside:
    """What features read beside the bars, as the options give it."""

    htf: Sequence[str] = ()
    other: Sequence[str] = ()
    macro: Sequence[str] = ()
    outside: Mapping[str, Any] = field(default_factory=dict)
    impact: str = "high"
    clock: str = ""


def inputs_of(bars: Sequence[str], instrument: str, timeframe: str, side: str, uses: tuple[Any, ...], rules: Any, beside: Beside = Beside(), trades: Path | None = None) -> tuple[Any, ...]:
    """One an instrument; the closes of each are context of the others."""
    from domain.backtest.study import Series
    from domain.features import closes
    from domain.market import content_version, instruments
    from domain.market.side import resolve_side
    from domain.training.inputs import Inputs
    from worker.settings import load as settings

    if not bars:
        raise BadRequest("no bars are given; give --bars FILE, or --data with the id of a dataset")
    table = instruments(settings().instruments_file)
    closed = _trades(trades) if trades else None
    parts: list[Inputs] = []
    for name, path in list(once("--bars", (named_file(text, instrument, table) for text in bars))):
        read, context = read_with_context(str(path), name, timeframe, beside.htf, beside.other, beside.macro, beside.outside, beside.impact, beside.clock)
        quoted = resolve_side(side, read.side, path.name)
        series = Series(table[name], read.timeframe, read.bars, quoted, content_version(read.bars, name, read.timeframe, quoted))
        own = closed[closed["instrument"] == name].reset_index(drop=True) if closed is not None and "instrument" in closed else closed
        parts.append(Inputs(series, context, uses, rules, trades=own))
    if len({str(part.series.timeframe) for part in parts}) > 1:
        raise BadRequest(f"the bars are of {', '.join(sorted({str(part.series.timeframe) for part in parts}))}; pooled instruments need one timeframe")
    known = {part.series.instrument.name: closes(part.series.bars, part.series.instrument, part.series.timeframe) for part in parts}
    return tuple(_among(part, known) for part in parts)


def walked(inputs: Sequence[Any], texts: Sequence[str]) -> tuple[Any, ...]:
    """The inputs with learned regimes as columns, by the plan that is given as JSON; as they are without one."""
    from domain.training.regime_columns import planned, with_regimes

    if not texts:
        return tuple(inputs)
    if len(texts) > 1:
        raise BadRequest("--regimes is given several times; beside --bars give one plan, which holds for all instruments")
    plan = object_of(texts[0], "--regimes", '{"states": "3", "train": 5000, "step": 2500}, or an id of a run beside --data')
    observed = plan.pop("observed", [])
    return tuple(with_regimes(part, planned(plan, part, observed)) for part in inputs)


def _among(part: Any, known: Mapping[str, Any]) -> Any:
    """With the closes of the others as context, of its columns and of a strategy's."""
    context = replace(part.context, others={**{name: values for name, values in known.items() if name != part.series.instrument.name}, **part.context.others})
    return replace(part, context=context, series=replace(part.series, context=context))


@contextmanager
def user_code(module: Path | None) -> Iterator[str]:
    """A block in which the person's own features, strategies and learners are there; gives the SHA-256 of their file, empty without one."""
    import hashlib

    defined = load(module)[0] if module else []
    with UserCode(module, defined):
        yield hashlib.sha256(module.read_bytes()).hexdigest() if module else ""


def _trades(path: Path) -> Any:
    import pandas as pd

    try:
        return pd.read_csv(path)
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror}. Give the trades.csv of a backtest") from None
    except ValueError:
        raise BadRequest(f"{path} is not a CSV of trades; give the trades.csv of a backtest") from None
