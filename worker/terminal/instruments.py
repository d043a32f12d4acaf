"""``tidemark instruments``: the table of instruments, and its edits."""

from __future__ import annotations

from typing import Any

import typer

from domain.errors import BadRequest
from worker.terminal.say import Json, say

COLUMNS = ("name", "version", "kind", "quote", "tick", "pip", "lot_step", "min_lot", "contract", "leverage", "spread", "swap_long", "swap_short", "calendar", "group")
app = typer.Typer(no_args_is_help=True, help="Instruments: pip, tick, lots, contract, currency, swap, session calendar; edits are versions.")
SET = typer.Option([], "--set", help="A field and its value, as FIELD=VALUE; may repeat. Fields as in show: pip, tick, lot_step, min_lot, contract, quote, swap_long, swap_short, triple_day, calendar, group, source and others.")
WHY = typer.Option(..., help="Reason of the change, kept in the history and the audit trail.")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List every instrument; version 0 is as shipped."""
    from worker.terminal.here import desk

    say(desk().instruments.table().to_dict("records"), as_json, COLUMNS)


@app.command()
def show(name: str = typer.Argument(..., help="Instrument."), as_json: Json = False) -> None:
    """Show every field of an instrument."""
    from worker.terminal.here import desk

    at = desk()
    row = at.instruments.get(name)
    say(dict(name=name, version=at.instruments.version(name), **{key: getattr(row, key) for key in at.instruments.titles()}), as_json)


@app.command()
def edit(name: str = typer.Argument(..., help="Instrument."), set_: list[str] = SET, why: str = WHY, as_json: Json = False) -> None:
    """Save a new version of an instrument. Runs made before keep the version they used."""
    from worker.terminal.here import desk

    at, values = desk(), _values(set_)
    changed = at.instruments.changes(name, values)
    version = at.instruments.edit(name, values, why)
    say(dict(name=name, version=version.version, changed=changed) if as_json else dict(name=name, version=version.version, **{key: f"{old} → {new}" for key, (old, new) in changed.items()}), as_json)


@app.command()
def add(
    name: str = typer.Argument(..., help="Name of the new instrument."),
    like: str = typer.Option(..., help="Instrument whose fields are copied."),
    set_: list[str] = SET, why: str = WHY, as_json: Json = False,
) -> None:  # fmt: skip
    """Add an instrument; fields that are not set are those of another."""
    from worker.terminal.here import desk

    version = desk().instruments.add(name, like, _values(set_), why)
    say(dict(name=name, version=version.version), as_json)


@app.command()
def history(name: str = typer.Argument(..., help="Instrument."), as_json: Json = False) -> None:
    """List the versions of an instrument, newest first, each with what changed."""
    from worker.terminal.here import desk

    rows = desk().instruments.history(name)
    shown = [{**row, "changed": "new" if row["new"] else ", ".join(f"{key} {old} → {new}" for key, (old, new) in row["changed"].items())} for row in rows]
    say(rows if as_json else shown, as_json, ("version", "at", "by", "why", "changed"))


def _values(pairs: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key.strip():
            raise BadRequest(f"--set {pair!r} is no FIELD=VALUE; write it like --set swap_long=-6.5")
        values[key.strip()] = value.strip()
    return values
