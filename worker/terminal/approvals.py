"""``tidemark approvals``: changes that wait for a second person."""

from __future__ import annotations

from typing import Any

import typer

from worker.terminal.say import Json, say

app = typer.Typer(no_args_is_help=True, help="Changes that wait for a second person: list, approve, refuse, withdraw.")
Id = typer.Argument(..., help="Id of the request.")
Note = typer.Option("", help="Note, recorded in the audit trail.")
COLUMNS = ("id", "state", "summary", "requested_by", "requested_at", "expires_at", "decided_by", "note")


@app.command("list")
def list_(every: bool = typer.Option(False, "--all", help="Include requests that were decided or have expired."), as_json: Json = False) -> None:
    """List the requests that wait, oldest first."""
    from worker.terminal.here import desk

    at = desk()
    say([_row(each, as_json) for each in (at.approvals.all() if every else at.approvals.pending())], as_json, COLUMNS)


@app.command()
def approve(request: str = Id, note: str = Note, as_json: Json = False) -> None:
    """Approve a request: the change is made in the name of who requested it. Nobody approves a request of their own."""
    from worker.terminal.here import desk

    say(_row(desk().approvals.approve(request, note), as_json), as_json)


@app.command()
def refuse(request: str = Id, note: str = Note, as_json: Json = False) -> None:
    """Refuse a request: the change is not made."""
    from worker.terminal.here import desk

    say(_row(desk().approvals.refuse(request, note), as_json), as_json)


@app.command()
def withdraw(request: str = Id, as_json: Json = False) -> None:
    """Withdraw your own request."""
    from worker.terminal.here import desk

    say(_row(desk().approvals.withdraw(request), as_json), as_json)


def _row(request: Any, as_json: bool) -> dict[str, Any]:
    """A request; as JSON with the names of one release before beside those of today."""
    row = {name: getattr(request, name) for name in COLUMNS}
    return row | dict(asked_by=request.requested_by, asked_at=request.requested_at) if as_json else row
