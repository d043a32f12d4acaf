"""``tidemark compliance rules``: rule sets of one's own, version by version, and the presets beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from domain.parsing import is_file
from worker.terminal.say import Json, say

app = typer.Typer(no_args_is_help=True, help="Rule sets: list, show, save, compare, retire.")
COLUMNS = ("name", "title", "version", "phases", "confidence", "retrieved", "overridden")
Why = typer.Option("", help="Why it is changed, in a few words; it is recorded with the version.")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List every preset, then your own rule sets with their newest version."""
    from worker.terminal.here import desk

    say([_row(row) for row in desk().rule_sets.all()], as_json, COLUMNS)


@app.command()
def show(
    name: str = typer.Argument(..., help="Name of a preset or of a rule set of yours."), version: int = typer.Option(0, help="Version of a rule set of yours; default: the newest."),
    versions: bool = typer.Option(False, "--versions", help="List its versions: when, who and why."), as_json: Json = False,
) -> None:  # fmt: skip
    """Show a rule set as TOML, each figure with source, date and confidence."""
    from worker.terminal.here import desk

    at = desk()
    if versions:
        rows = [dict(version=each.version, saved=each.created_at, by=each.actor, why=each.why, retired=each.retired, digest=each.digest) for each in at.rule_sets.versions(name)]
        return say(rows, as_json, ("version", "saved", "by", "why", "retired"))
    text = at.rule_sets.text(name, version)
    if as_json:
        return say(_row(at.rule_sets.row(name)) | dict(text=text, figures=at.rule_sets.sources(at.rule_sets.get(name, "", version)).to_dict("records")), True)
    print(text, end="")


@app.command()
def save(
    file: Path = typer.Argument(..., help="TOML of a rule set."), name: str = typer.Option("", help="Name to save it under; default: the file's name in it, else that of the file."),
    why: str = Why, base: str = typer.Option("", help="Preset that it began from: figures that differ are shown as overridden. Default: as before, or by the name in the file."), as_json: Json = False,
) -> None:  # fmt: skip
    """Save FILE as the newest version of a rule set of yours; earlier versions stay."""
    from domain.compliance import load
    from domain.errors import BadRequest
    from domain.parsing import text_in
    from worker.terminal.here import desk

    if not is_file(file):
        raise BadRequest(f"there is no file {file}; give the path of a rule set as TOML")
    rule_set, at = load(text_in(file), file.name), desk()
    saved = at.rule_sets.save(name or rule_set.name or file.stem, rule_set, why, base)
    say(dict(name=saved.name, version=saved.version, digest=saved.digest, base=saved.base, why=saved.why), as_json)


@app.command()
def diff(
    a: str = typer.Argument(..., help="A rule set: NAME, or NAME@VERSION."), b: str = typer.Argument(..., help="Another one, or another version: NAME@VERSION."),
    phase: str = typer.Option("", help="Phase to compare; default: each in its first."), as_json: Json = False,
) -> None:  # fmt: skip
    """Compare two rule sets, or two versions of one: each figure that differs, with its source."""
    from worker.terminal.here import desk

    rows = desk().rule_sets.difference(a, b, phase).to_dict("records")
    if not rows and not as_json:
        print("Nothing differs.")
        return
    say(rows, as_json, ("figure", "before", "after", "source_before", "source_after", "confidence_before", "confidence_after"))


@app.command()
def retire(name: str = typer.Argument(..., help="Name of a rule set of yours."), why: str = Why, as_json: Json = False) -> None:
    """Take a rule set of yours off the lists. Its versions and the results by them stay."""
    from worker.terminal.here import desk

    retired = desk().rule_sets.retire(name, why)
    say(dict(retired=name, version=retired.version), as_json)


def _row(row: Any) -> dict[str, Any]:
    return dict(
        name=row.name, title=row.title, version=row.version, phases=", ".join(row.phases), firm=row.firm, account=row.account, currency=row.currency, confidence=row.confidence,
        retrieved=row.retrieved.isoformat() if row.retrieved else "", age=row.age, old=row.old, base=row.base, overridden=", ".join(row.overridden),
    )  # fmt: skip
