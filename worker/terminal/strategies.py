"""``tidemark strategies``: conditions that users write, checked and tried on files, and the library of written strategies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from worker.terminal.bars import Clock
from worker.terminal.features import (
    HEADLINES,
    LONGER,
    MACRO,
    OTHER,
    RELEASES,
    Frame,
    Impact,
    Utc,
    outside_of,
    read_with_context,
    write_frame,
)
from worker.terminal.say import Json, say

app = typer.Typer(no_args_is_help=True, help="Strategies that users write: conditions, and the library.")

Expression = Annotated[str, typer.Option("--expression", help='Condition, such as "cross_above(close, sma(50)) and rsi(14) < 70"; see docs/expressions.md.')]
Name = Annotated[str, typer.Option("--instrument", help="Instrument of --bars. Default: none, and features of its trading days count days of UTC.")]


@app.command("check")
def check(expression: Expression, timeframe: Annotated[str, typer.Option("--timeframe", help="Timeframe of the bars it is for: M1 M5 M15 M30 H1 H4 D1.")] = "", as_json: Json = False) -> None:
    """Check a condition: what it says in plain words, or the column of what is wrong (exit status 2)."""
    from domain.expressions.reading import reading
    from domain.expressions.writing import written
    from domain.features.expression import NAME as PART
    from domain.features.expression import catalogue, condition_of_text, rows_of, uses_in

    tree = condition_of_text(expression, timeframe)
    columns = [f"{dict(use.params)['text']}@{use.timeframe}" if use.name == PART else use.column for use in uses_in(tree)]
    preview = dict(condition=written(tree), reading=reading(tree, catalogue().features), columns=columns, bars=rows_of(tree))
    say(preview if as_json else preview | dict(columns=", ".join(columns) or "those of the bars"), as_json)


@app.command("try")
def try_(
    expression: Expression, bars: Annotated[str, typer.Option("--bars", help="File of bars: CSV or Parquet with ts open high low close [volume spread].")], out: Annotated[Path, typer.Option(help="FILE.csv or FILE.parquet to write: ts and value, 1, 0 or empty for unknown.")],
    instrument: Name = "", timeframe: Frame = "", htf: list[str] = LONGER, other: list[str] = OTHER, macro: list[str] = MACRO, headlines: Path | None = HEADLINES, releases: Path | None = RELEASES, impact: Impact = "high", utc: Utc = False, clock: Clock = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Evaluate a condition at the close of each bar of a file: 1 true, 0 false, empty unknown."""
    from domain.features.expression import condition_of_text

    condition_of_text(expression, timeframe)        # before any file is read
    read, context = read_with_context(bars, instrument, timeframe, htf, other, macro, outside_of(headlines, releases, utc), impact, clock)
    values = tried(expression, read.bars, context)
    write_frame(values, out)
    value = values["value"]
    say(dict(bars=len(values), true=int((value == 1).sum()), false=int((value == 0).sum()), unknown=int(value.isna().sum()), written=str(out)), as_json)


def tried(expression: str, bars: Any, context: Any) -> Any:
    """``ts`` and ``value`` of each bar: 1, 0, or none where it is unknown."""
    import pandas as pd

    from domain.expressions.evaluate import numbers_of
    from domain.features.engine import FeatureTable
    from domain.features.expression import column_of, condition_of_text

    tree = condition_of_text(expression, str(context.timeframe))
    values = column_of(tree, FeatureTable(bars, context).input("columns"), len(bars))
    return pd.DataFrame(dict(ts=bars["ts"], value=pd.array(numbers_of(values), dtype="Float64").astype("Int64")))



COLUMNS = ("name", "version", "type", "timeframe", "pairs", "created", "why")
Why = Annotated[str, typer.Option("--why", help="Why it is saved or retired; a few words that stay with the version.")]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the saved strategies, each in its newest version."""
    from worker.terminal.here import desk

    say([_row(saved) for saved in desk().strategies.all()], as_json, COLUMNS)


@app.command("show")
def show(name: str = typer.Argument(..., help="NAME, the newest version, or NAME@VERSION."), as_json: Json = False) -> None:
    """Show a saved strategy: its JSON, and what it says in plain words."""
    from worker.terminal.here import desk

    at = desk()
    saved = at.strategies.get(name)
    if as_json:
        return say(_row(saved) | dict(reading=saved.about, strategy=json.loads(saved.stored.text), versions=[_row(each) for each in at.strategies.versions(saved.stored.name)]), True)
    print(saved.stored.text, end="")
    print(f"\n{saved.title}, saved {saved.stored.created_at:%Y-%m-%d %H:%M} UTC by {saved.stored.actor}: {saved.stored.why}\n{saved.about}")


@app.command("save")
def save(file: Path = typer.Argument(..., help="JSON of a strategy."), why: Why = "", as_json: Json = False) -> None:
    """Save a strategy as the newest version under its name."""
    from worker.terminal.here import desk
    from worker.terminal.strategy_file import read

    say(_row(desk().strategies.save(read(file).text, why)), as_json)


@app.command("retire")
def retire(name: str = typer.Argument(..., help="Name of a saved strategy."), why: Why = "", as_json: Json = False) -> None:
    """Take a strategy off the lists; its versions and the runs of it stay."""
    from worker.terminal.here import desk

    row = desk().strategies.retire(name, why)
    say(dict(name=row.name, version=row.version, retired=True), as_json)


def _row(saved: Any) -> dict[str, Any]:
    definition, stored = saved.definition, saved.stored
    return dict(name=stored.name, version=stored.version, type=definition.type, timeframe=definition.timeframe, pairs=", ".join(definition.pairs), created=stored.created_at, why=stored.why, actor=stored.actor, digest=stored.digest)
