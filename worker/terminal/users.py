"""``tidemark users``: who may sign in to the pages."""

from __future__ import annotations

import sys
from typing import Any

import typer

from domain.errors import BadRequest
from worker.terminal.say import Json, say

app = typer.Typer(no_args_is_help=True, help="People who sign in: add, role, disable, enable, password, totp, sessions, list.")
Name = typer.Argument(..., help="The user's name.")
COLUMNS = ("id", "role", "state", "email", "signs_in", "code", "sessions")
SESSION = ("id", "user", "how", "address", "agent", "created_at", "seen_at", "expires_at")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List every user, by name."""
    from worker.terminal.here import desk

    say([_row(each) for each in desk().users.all()], as_json, COLUMNS)


@app.command()
def add(
    name: str = Name,
    role: str = typer.Option("viewer", help="Role: viewer, analyst, trader, auditor or admin."),
    email: str = typer.Option("", help="E-mail address of the account at the OpenID provider."),
    no_password: bool = typer.Option(False, "--no-password", help="Signs in at the OpenID provider only."),
    as_json: Json = False,
) -> None:
    """Add a user. The password is prompted for, or read from standard input; never given as an argument."""
    from worker.terminal.here import desk

    at = desk()
    say(_row(at.users.add(name, role, "" if no_password else _password(), email)), as_json)


@app.command()
def role(name: str = Name, role: str = typer.Argument(..., help="Role: viewer, analyst, trader, auditor or admin."), as_json: Json = False) -> None:
    """Give a user another role; it applies at once, in open pages too."""
    from worker.terminal.here import desk

    say(_row(desk().users.role(name, role)), as_json)


@app.command()
def disable(name: str = Name, as_json: Json = False) -> None:
    """Disable a user: sessions, open pages and tokens end at once."""
    from worker.terminal.here import desk

    say(_row(desk().users.disable(name)), as_json)


@app.command()
def enable(name: str = Name, as_json: Json = False) -> None:
    """Let a disabled user sign in again."""
    from worker.terminal.here import desk

    say(_row(desk().users.enable(name)), as_json)


@app.command()
def password(name: str = Name, as_json: Json = False) -> None:
    """Set a new password, prompted for or read from standard input; the user's sessions end."""
    from worker.terminal.here import desk

    at = desk()
    at.users.get(name)
    say(_row(at.users.set_password(name, _password())), as_json)


@app.command()
def totp(name: str = Name, off: bool = typer.Option(False, "--off", help="Switch one-time codes off, as after a lost phone."), as_json: Json = False) -> None:
    """Make a new key for one-time codes, shown now and never again; or switch them off."""
    from worker.terminal.here import desk

    at = desk()
    say(_row(at.users.reset_code(name)) if off else dict(id=at.users.get(name).id, address=at.users.new_code(name)), as_json)


@app.command()
def sessions(
    name: str = typer.Argument("", help="The user's name; everybody's where it is left out."),
    revoke: str = typer.Option("", help="Id of a session to end."),
    revoke_all: bool = typer.Option(False, "--revoke-all", help="End every session of the user."),
    as_json: Json = False,
) -> None:
    """List who is signed in and where, or end sessions, in open pages too."""
    from worker.terminal.here import desk

    at = desk()
    if revoke:
        at.users.revoke(revoke)
    if revoke_all and not name:
        raise BadRequest("whose sessions? name the user: tidemark users sessions NAME --revoke-all")
    if revoke_all:
        at.users.revoke_all(name)
    say([{field: getattr(each, field) for field in SESSION} for each in at.users.sessions(name)], as_json, SESSION[:7])


def _row(person: Any) -> dict[str, Any]:
    return {name: getattr(person, name) for name in COLUMNS}


def _password() -> str:
    """From the person at the terminal, twice; else the first line of standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise BadRequest("no password came on standard input; run this in a terminal, or send the password on one line")
    return given
