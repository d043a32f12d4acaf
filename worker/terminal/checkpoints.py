"""``tidemark audit checkpoints``, ``key`` and ``witness``: what leaves the system, and the process that receives it elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer

from worker.terminal.say import Json, say

COLUMNS = ("number", "age", "size", "root", "went_to")
LIMIT = 50
key = typer.Typer(invoke_without_command=True, help="Key of the audit trail: show, rotate.")
Out = typer.Option(None, "--out", help="File to write.")


def checkpoints(
    out: Path | None = typer.Option(None, help="File to write the signed notes to, oldest first: one for each state of the trail that was signed."),
    now: bool = typer.Option(False, "--now", help="Sign one of this moment first."),
    acknowledge: str = typer.Option("", help="Reason. Accept that the trail is another than that of an earlier checkpoint, so that checkpoints are signed again."),
    limit: int = typer.Option(LIMIT, min=1, max=100_000, help="Number of the newest checkpoints to list."),
    heartbeats: bool = typer.Option(False, "--heartbeats", help="With --out: also those that only repeat the one before."),
    as_json: Json = False,
) -> None:
    """List the signed checkpoints, newest first: age in seconds, size, root and where each went."""
    from worker.terminal.here import desk

    at = desk().checkpoints
    if acknowledge.strip():
        at.acknowledge(acknowledge.strip())
    if now:
        at.sign_now()
    rows = [_row(row) for row in at.page(limit)]
    for problem in at.problems():
        print(f"tidemark: {problem}", file=sys.stderr)
    if out is not None:
        text = at.text(heartbeats)
        _write(out, text)
        say(dict(written=str(out), checkpoints=text.count("\n\n")), as_json)
    elif as_json:
        say(rows, True)
    else:
        say([{**row, "age": f"{row['age']:,.0f} s", "root": row["root"][:16], "went_to": ", ".join(row["went_to"]) or "nowhere yet"} for row in rows], False, COLUMNS)


@key.callback()
def key_show(context: typer.Context, out: Path | None = Out, as_json: Json = False) -> None:
    """Show the key that others verify by, with its fingerprint; make it where there is none."""
    if context.invoked_subcommand is None:
        _show(out, as_json)


@key.command()
def show(out: Path | None = Out, as_json: Json = False) -> None:
    """Show the key that others verify by, with its fingerprint; make it where there is none."""
    _show(out, as_json)


@key.command()
def rotate(
    why: str = typer.Option("", help="Reason, recorded in the audit trail."),
    lost: bool = typer.Option(False, "--lost", help="The key is lost: make another that nothing vouches for. Needs --why."),
    as_json: Json = False,
) -> None:
    """Replace the key by a new one, which the old one signs; checkpoints of both verify."""
    from domain.errors import BadRequest
    from worker.terminal.here import desk

    if lost and not why.strip():
        raise BadRequest("--lost makes a key that nothing vouches for; say why with --why REASON")
    say(desk().checkpoints.rotate_key(why.strip(), lost), as_json)


def witness(
    home: Path = typer.Option(..., help="Folder of this witness: its key, and the last checkpoint of each trail."),
    listen: str = typer.Option("127.0.0.1:8601", help="Address and port to listen on, HOST:PORT."),
    name: str = typer.Option("", help="Name of this witness in its cosignatures, fixed at the first start. Default: tidemark-witness/ and random letters."),
    keys: list[str] = typer.Option([], "--key", help="Key of a trail to witness, a verifier key or a file that holds one; may repeat. Default: the key that a trail shows first is trusted."),
    accept: Path | None = typer.Option(None, help="Signed checkpoint to go on from, though it does not follow from the last one seen: after a restore. Then exit."),
) -> None:
    """Run a witness: it cosigns a trail's checkpoint only if it follows from the last one it saw."""
    from worker.witness.main import accepted, serve

    if accept is not None:
        say(accepted(home, accept, keys), False)
        return
    serve(listen, home, name, keys)


def _show(out: Path | None, as_json: bool) -> None:
    from worker.terminal.here import desk

    at = desk().checkpoints
    if not at.keys():
        at.sign_now()
    present = at.keys()[-1]
    facts: dict[str, Any] = dict(key=present.text, fingerprint=present.fingerprint, earlier=[dict(key=row.text, fingerprint=row.fingerprint, up_to=row.most) for row in at.keys()[:-1]])
    if out is not None:
        _write(out, at.key_text())
        facts["written"] = str(out)
    say(facts if as_json else {**facts, "earlier": len(facts["earlier"])}, as_json)


def _row(row: Any) -> dict[str, Any]:
    receipts = [dict(receiver=receipt.receiver, state=receipt.state, at=receipt.at, text=receipt.text) for receipt in row.receipts]
    return dict(number=row.number, at=row.at, age=round(row.age, 1), size=row.size, root=row.root, heartbeat=row.heartbeat, went_to=list(row.went), receipts=receipts, note=row.text)


def _write(path: Path, text: str) -> None:
    from domain.errors import BadRequest

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise BadRequest(f"{path} cannot be written: {error.strerror}. Name another file with --out") from None
