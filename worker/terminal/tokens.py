"""``tidemark tokens``: with which programs use the API."""

from __future__ import annotations

from typing import Any

import typer

from worker.terminal.say import Json, say

app = typer.Typer(no_args_is_help=True, help="Tokens of programs that use the API: create, list, revoke.")
COLUMNS = ("id", "name", "role", "state", "created_by", "expires_at", "used_at")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List every token, newest first; the secrets are kept nowhere."""
    from worker.terminal.here import desk

    say([_row(token) for token in desk().tokens.all()], as_json, COLUMNS)


@app.command()
def create(
    name: str = typer.Argument(..., help="Name of the program that uses it."),
    role: str = typer.Option("viewer", help="Role: viewer, analyst, trader, auditor or admin."),
    days: int = typer.Option(90, help="Days that it is valid, 1 to 366."),
    as_json: Json = False,
) -> None:
    """Create a token. Its secret is shown now and never again."""
    from worker.terminal.here import desk

    token, secret = desk().tokens.create(name, role, days)
    say(dict(_row(token), secret=secret), as_json)


@app.command()
def revoke(name: str = typer.Argument(..., help="Id or name of the token."), as_json: Json = False) -> None:
    """Revoke a token; it is refused from now on."""
    from worker.terminal.here import desk

    say(_row(desk().tokens.revoke(name)), as_json)


def _row(token: Any) -> dict[str, Any]:
    times = {name: at.isoformat(timespec="seconds") if (at := getattr(token, name)) else "" for name in ("expires_at", "used_at")}
    return {name: getattr(token, name) for name in COLUMNS[:5]} | times
