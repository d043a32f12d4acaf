"""``tidemark compliance fields``: which field of a regulation is missing for which order record."""

from __future__ import annotations

from pathlib import Path

import typer

from worker.terminal.say import Json, say

SHOWN = ("number", "field", "article", "state", "required", "missing", "examples")


def fields(
    run: str = typer.Option("", "--run", help="Run whose orders and fills are checked."),
    entity: str = typer.Option(
        "", "--entity", help="Or the audit events of orders that name an entity, such as session:ID."
    ),
    sets: list[str] = typer.Option(
        [], "--set", help="Set of fields: rts24, cftc-1.35 or cat; may repeat. Default: all."
    ),
    out: Path | None = typer.Option(
        None, help="Folder to write SET-fields.csv and SET-missing.csv to: every field, and every record without one."
    ),
    as_json: Json = False,
) -> None:
    """Compare order records with the fields that RTS 24, CFTC 1.35 and CAT require, and list what is missing in which
    record. It is no statement that records suffice."""
    from domain.errors import BadRequest
    from worker.terminal.here import desk

    if bool(run) == bool(entity):
        raise BadRequest("give either --run ID or --entity KIND:ID")
    at = desk()
    checks = at.fields.of_run(run, sets) if run else at.fields.of_entity(entity, sets)
    written = [name for result in checks for name in _written(result, out)] if out else []
    if as_json:
        return say(
            dict(
                run=run or None,
                entity=entity or None,
                notice=at.fields.notice(),
                sets=[_plain(result) for result in checks],
            )
            | (dict(written=written) if out else {}),
            True,
        )
    for result in checks:
        about = result.fields
        print(
            f"{about.title}: {about.authority}\n{about.who}\nSource: {about.figure.source}, read "
            f"{about.figure.retrieved}, {about.figure.confidence}\n"
        )
        say(result.rows.to_dict("records"), False, SHOWN)
        print(f"\n{result.sentence}\n")
    print(at.fields.notice())


def _plain(result) -> dict:
    about = result.fields
    return dict(
        set=about.key,
        title=about.title,
        authority=about.authority,
        who=about.who,
        source=about.figure.source,
        retrieved=about.figure.retrieved.isoformat(),
        confidence=about.figure.confidence,
        records=result.records,
        sentence=result.sentence,
        fields=result.rows.assign(asked=result.rows["required"]).to_dict("records"),     # its name of one release before beside it
    )


def _written(result, out: Path) -> list[str]:
    from domain.errors import BadRequest
    from worker.terminal import csv

    names = [f"{result.fields.key}-fields.csv", f"{result.fields.key}-missing.csv"]
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, table in zip(names, (result.rows, result.missing), strict=True):
            csv.write(table, out / name)
    except OSError as error:
        raise BadRequest(f"{out} cannot be written: {error.strerror}. Choose another folder for --out") from None
    return names
