"""``tidemark costs``: cost profiles, trading costs under a name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from domain.errors import BadRequest
from worker.terminal.say import Json, say

OPTIONS = {"spread": "--spread", "slippage": "--slippage", "commission_per_lot": "--commission", "swap_long": "--swap-long", "swap_short": "--swap-short"}
app = typer.Typer(no_args_is_help=True, help="Cost profiles: list, save, delete.")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List every cost profile, by name."""
    from worker.terminal.here import desk

    rows = [_row(profile) for profile in desk().cost_profiles.list()]
    say(rows, as_json, ("name", "instruments", "unit", "spread", "slippage", "commission_per_lot", "swap_long", "swap_short", "source", "date"))


@app.command()
def save(
    name: str = typer.Argument(..., help="Name of the profile."),
    instruments: str = typer.Option("", help="Instruments that it is for, separated by commas. Empty: all."),
    spread: float | None = typer.Option(None, help="Spread in pips, for bars that carry none. Left out: the instrument's default."),
    slippage: float | None = typer.Option(None, help="Slippage in pips, at market and stop fills. Left out: none."),
    commission: float | None = typer.Option(None, help="Commission per lot per side, in account currency."),
    swap_long: float | None = typer.Option(None, help="Swap of long positions per lot and night, in quote currency; negative is paid."),
    swap_short: float | None = typer.Option(None, help="Swap of short positions per lot and night, in quote currency; negative is paid."),
    config: Path | None = typer.Option(None, help="TOML with [costs], and [costs.EURUSD] for single instruments, instead of the numbers above."),
    source: str = typer.Option("", help="Where the numbers come from."),
    date: str = typer.Option("", help="Day that the numbers hold for, like 2024-01-31. Left out: today."),
    as_json: Json = False,
) -> None:
    """Save costs under a name, to be chosen in the forms of backtests and optimizations."""
    from worker.terminal.here import desk

    given = dict(spread=spread, slippage=slippage, commission_per_lot=commission, swap_long=swap_long, swap_short=swap_short)
    if config and (twice := [name for name, value in given.items() if value is not None]):
        raise BadRequest(f"--config has the costs, and {OPTIONS[twice[0]]} is given beside it; give either the file or the numbers")
    costs = _of(config) if config else {key: value for key, value in given.items() if value is not None}
    names = [instrument.strip() for instrument in instruments.split(",") if instrument.strip()]
    say(_row(desk().cost_profiles.save(name, costs, names, source, date)), as_json)


@app.command()
def delete(name: str = typer.Argument(..., help="Name of the profile."), as_json: Json = False) -> None:
    """Delete a cost profile. Runs that used it keep their numbers."""
    from worker.terminal.here import desk

    desk().cost_profiles.delete(name)
    say(dict(deleted=name), as_json)


def _of(config: Path) -> dict[str, Any]:
    """Costs in a file are in price units where it names no unit, as in every configuration."""
    from worker.settings import read_toml

    document = read_toml(config)
    if not isinstance(document.get("costs"), dict):
        raise BadRequest(f"{config} has no section [costs]; write the costs there")
    return {"unit": "price", **document["costs"]}


def _row(profile: Any) -> dict[str, Any]:
    return dict(
        name=profile.name, instruments=", ".join(profile.instruments) or "all", **{name: value for name, value in profile.costs.items() if name != "instruments"}, own=json.dumps(profile.costs.get("instruments", {})), source=profile.source, date=profile.dated, user=profile.actor,
    )  # fmt: skip
