"""``tidemark audit``: verify the trail, export it, replay decisions; bundles and proofs are in ``bundles``."""

from __future__ import annotations

from pathlib import Path

import typer

from worker.terminal import bundles, checkpoints
from worker.terminal.say import Json, say

app = typer.Typer(no_args_is_help=True, help="Audit trail: verify, export, replay, bundle, proof, checkpoints, key, witness.")
app.command()(bundles.bundle)
app.command()(bundles.proof)
app.command("checkpoints")(checkpoints.checkpoints)
app.add_typer(checkpoints.key, name="key")
app.command("witness")(checkpoints.witness)


@app.command()
def verify(
    database: Path = typer.Option(None, help="A copy of a workspace's tidemark.db, which is only read. Default: this workspace's trail."),
    checkpoint: Path = typer.Option(None, help="A signed checkpoint that was kept elsewhere; needs --key."),
    key: Path = typer.Option(None, help="The trail's public key, kept elsewhere; needs --checkpoint."),
    as_json: Json = False,
) -> None:
    """Verify the whole audit trail, by itself or against a checkpoint that was kept elsewhere. Exit status 1 if a row does not hold."""
    from domain.errors import BadRequest
    from worker import evidence, held
    from worker.terminal.here import desk

    if (checkpoint is None) != (key is None):
        raise BadRequest("--checkpoint and --key go together: the key says whose checkpoint it is. Give both, or neither")
    kept = held.Held.of(bundles.text_of("--checkpoint", checkpoint), bundles.text_of("--key", key)) if checkpoint and key else None
    if database is not None:
        verdict = evidence.check_copy(database)
        verdict = held.in_copy(verdict, database, kept) if kept else verdict
    else:
        at = desk()
        verdict = at.trail.verify_now()
        verdict = at.bundle.against(verdict, kept) if kept else verdict
    say(verdict, as_json)
    raise typer.Exit(0 if verdict["holds"] else 1)


@app.command()
def export(
    out: Path = typer.Option(..., help="File to write."),
    form: str = typer.Option("jsonl", help="Format: jsonl (the exact bodies with their hashes) or csv (a view for spreadsheets)."),
    entity: str = typer.Option("", help="Only events of this job:ID, run:ID or dataset:ID."),
    since: str = typer.Option("", help="Only events from this instant on, ISO 8601 in UTC."),
    until: str = typer.Option("", help="Only events before this instant, ISO 8601 in UTC."),
    as_json: Json = False,
) -> None:
    """Export events to a file."""
    from domain.errors import BadRequest, unknown
    from worker.store import Filter
    from worker.terminal.here import desk

    if form not in ("jsonl", "csv"):
        raise unknown("form", form, ("jsonl", "csv"))
    if entity and not all(entity.partition(":")):
        raise BadRequest(f"--entity is {entity!r}; write job:ID, run:ID or dataset:ID")
    wanted = Filter(since=bundles.stamp("--since", since), until=bundles.stamp("--until", until), entity=entity)
    trail = desk().trail
    events = trail.page(wanted, 1, 1)[1]
    content = trail.jsonl(wanted) if form == "jsonl" else trail.csv(wanted)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(content)
    say(dict(written=str(out), events=events), as_json)


@app.command()
def replay(
    event: str = typer.Argument(..., help="Number, id or hash of the event."),
    order: int = typer.Option(0, help="Number of one order of the event's run, as in its fills; default: the whole run.", min=0),
    instrument: str = typer.Option("", help="Instrument of that order; default: the run's first."),
    as_json: Json = False,
) -> None:
    """Compute the decision of an event again and compare it with what was recorded. Exit status 1 where it differs or cannot be computed."""
    from worker.terminal.here import desk, finished

    at = desk()
    result = finished(at, at.trail.replay(event, order, instrument), as_json).result
    if as_json:
        say(result, True)
    else:
        rows = [dict(what=row["what"], recorded=row["recorded"][:40], now=row["now"][:40], same="yes" if row["same"] else "no") for row in result["checks"]]
        say(rows, False, ("what", "recorded", "now", "same"))
        for limit in result["decision"].get("limits", []):
            print(f"limit {limit['title']}: {limit['value'] or 0} of {limit['allowed'] or 0} {limit['unit']}, {'passes' if limit['passes'] else 'refuses'} at the {limit['when']}")
        print(f"\n{result['verdict']}: {result['sentence']}")
    raise typer.Exit(0 if result["verdict"] in ("equal", "unchanged") else 1)
