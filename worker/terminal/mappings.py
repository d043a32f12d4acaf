"""``tidemark data mappings``: the columns of files in no known format, under a name; and files staged by one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from domain.errors import BadRequest
from worker.terminal.say import Json, say

app = typer.Typer(no_args_is_help=True, help="Column mappings of delimited files in no known format: list, show, save, delete.")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List every column mapping, by name."""
    from worker.terminal.here import desk

    rows = [_row(stored) for stored in desk().mappings.list()]
    say(rows, as_json, ("name", "separator", "decimal", "columns", "clock", "side", "user"))


@app.command()
def show(name: str = typer.Argument(..., help="Name of the mapping."), as_json: Json = False) -> None:
    """Print a column mapping as TOML, as --mapping reads it."""
    from worker.terminal.here import desk

    mapping = dict(desk().mappings.get(name).mapping)
    if as_json:
        return say(mapping, True)
    print(toml_text(mapping), end="")


@app.command()
def save(
    name: str = typer.Argument(..., help="Name of the mapping; one of that name is replaced."),
    file: Path = typer.Argument(..., help="TOML with separator, decimal, header_lines, time_format, clock, bar_time, side, spread_unit and [columns] (time, open, high, low, close, volume, spread; or bid, ask)."),
    as_json: Json = False,
) -> None:
    """Save a column mapping under a name."""
    from worker.terminal.here import desk

    say(_row(desk().mappings.save(name, document_of(file))), as_json)


@app.command()
def delete(name: str = typer.Argument(..., help="Name of the mapping."), as_json: Json = False) -> None:
    """Delete a column mapping. Datasets imported by it keep it in their provenance."""
    from worker.terminal.here import desk

    desk().mappings.delete(name)
    say(dict(deleted=name), as_json)


def staged_file(at: Any, path: str, mapping: str, asks: bool = False) -> Any:
    """The staged file, recognised by ``mapping`` (a name or a TOML file) where one is given; ``asks``: the file holds the ask prices of another's bars."""
    if not mapping:
        return _recognised(at, path)
    wanted: Any = document_of(Path(mapping)) if mapping.endswith(".toml") else mapping
    if asks:
        wanted = {**(wanted if isinstance(wanted, dict) else at.mappings.get(wanted).mapping), "side": ""}
    staged = at.data.stage_path(path, own_rights=True, unmapped=True)
    try:
        return at.mappings.apply(staged, wanted)
    except BadRequest:
        at.data.discard(staged)
        raise


def _recognised(at: Any, path: str) -> Any:
    """The staged file; where no reader recognises it, a refusal that names the mappings that fit its header."""
    staged = at.data.stage_path(path, own_rights=True, unmapped=True)
    if staged.recognised.format != "unmapped":
        return staged
    fitting = at.mappings.offered(staged)
    at.data.discard(staged)
    advice = f"The mapping {fitting[0]!r} was made on such a file: add --mapping {fitting[0]!r}" if fitting else "Or say which column is what: --mapping FILE.toml"
    raise BadRequest(f"{staged.recognised.evidence.rstrip('.')}. {advice}")


def document_of(file: Path) -> dict[str, Any]:
    from worker.settings import read_toml

    return dict(read_toml(file))


def toml_text(mapping: Mapping[str, Any]) -> str:
    """
    >>> print(toml_text({"separator": ";", "header_lines": 1, "side": "", "columns": {"time": "Zeit", "open": 2}}), end="")
    separator = ";"
    header_lines = 1
    <BLANKLINE>
    [columns]
    time = "Zeit"
    open = 2
    """
    plain = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in mapping.items() if key != "columns" and value not in ("", [], ())]
    columns = [f"{role} = {json.dumps(reference, ensure_ascii=False)}" for role, reference in mapping["columns"].items()]
    return "\n".join([*plain, "", "[columns]", *columns]) + "\n"


def _row(stored: Any) -> dict[str, Any]:
    mapping = stored.mapping
    columns = ", ".join(f"{role}: {reference}" for role, reference in mapping["columns"].items())
    return dict(name=stored.name, separator=repr(mapping["separator"]), decimal=mapping["decimal"], columns=columns, clock=mapping["clock"] or "inferred", side=mapping["side"] or "as chosen", user=stored.actor)
