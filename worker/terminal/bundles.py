"""``tidemark audit bundle`` and ``tidemark audit proof``: evidence for somebody who has no access to this workspace."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import typer

from worker.terminal.options import instant
from worker.terminal.say import Json, say

SINCE = "Only from this instant on, ISO 8601 in UTC."
UNTIL = "Only before this instant, ISO 8601 in UTC."
CHECKPOINT = "A signed checkpoint that somebody holds; the proofs then lead to it. Default: the last one of this workspace."


def bundle(
    out: Path = typer.Option(..., help="ZIP file to write."),
    entity: str = typer.Option("", help="Only events of this run:ID, job:ID, dataset:ID …; each then has its own proof."),
    since: str = typer.Option("", help=SINCE),
    until: str = typer.Option("", help=UNTIL),
    checkpoint: Path = typer.Option(None, help=CHECKPOINT),
    as_json: Json = False,
) -> None:
    """Write events, checkpoints, proofs, public key and verify.py to one file that anyone verifies offline with bare Python."""
    from domain.errors import BadRequest
    from worker.store import Filter
    from worker.terminal.here import desk

    at = desk()
    if entity and not all(entity.partition(":")):
        raise BadRequest(f"--entity is {entity!r}; write run:ID, job:ID or dataset:ID")
    wanted = Filter(since=stamp("--since", since), until=stamp("--until", until), entity=entity)
    held = text_of("--checkpoint", checkpoint)
    out.parent.mkdir(parents=True, exist_ok=True)
    at.checkpoints.cover()
    result = at.bundle.write(out, wanted, held)
    result["checkpoint"] = result["checkpoint"] if as_json else result["checkpoint"].get("size", "none yet")
    say(dict(written=str(out), **result), as_json)


def proof(
    event: str = typer.Argument(..., help="Number, id or hash of the event."),
    out: Path = typer.Option(None, help="File to write; default: the proof is printed."),
    checkpoint: Path = typer.Option(None, help=CHECKPOINT),
) -> None:
    """Prove one event in at most 1 KB, for `python verify.py PROOF --key FILE --checkpoint FILE`. An event that is too long for it is a file beside it."""
    import sys

    from worker.terminal.here import desk

    at = desk()
    at.checkpoints.cover(event)
    proof = at.bundle.proof(event, text_of("--checkpoint", checkpoint))
    if out is None:
        print(proof.text)
        if proof.apart:
            print("tidemark: the event is too long for its proof; with --out FILE its record is written beside it", file=sys.stderr)
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(f"{proof.text}\n", encoding="utf-8")
    if proof.apart:
        out.with_name(f"{out.name.removesuffix('.json')}.event.json").write_bytes(proof.body.encode())


def text_of(option: str, path: Path | None) -> str:
    """The text of a file that an option names; empty where it names none."""
    from domain.errors import BadRequest

    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadRequest(f"{option} is {path}, which is not a text file; give the file of a signed checkpoint or of a key") from None
    except OSError as error:
        raise BadRequest(f"{option} is {path}, which cannot be read: {error.strerror}. Give the file of a signed checkpoint or of a key") from None


def stamp(option: str, text: str) -> str:
    """As the trail writes instants, which are compared as text."""
    return f"{instant(option, text, datetime.min).astimezone(UTC):%Y-%m-%dT%H:%M:%S}" if text.strip() else ""
