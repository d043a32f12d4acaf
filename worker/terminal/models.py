"""``tidemark models``: versions of models, where each stands, and who decided so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from domain.errors import BadRequest
from worker.terminal.models_watch import watch
from worker.terminal.say import Json, say

app = typer.Typer(no_args_is_help=True, help="Models: list, show, export, verify, promote, retire, watch.")
app.command("watch")(watch)
Named = typer.Argument(..., help="Model: NAME is the version in production, else the newest that is not retired; or NAME@VERSION.")
COLUMNS = ("model", "stage", "learner", "target", "verdict", "dsr", "trials", "run", "created", "by", "badge")


@app.command("list")
def list_(name: str = typer.Argument("", help="Name whose versions are listed; default: all."), as_json: Json = False) -> None:
    """List every version, newest first."""
    from worker.terminal.here import desk

    say([_row(model) for model in desk().models.all(name)], as_json, COLUMNS)


@app.command()
def show(model: str = Named, as_json: Json = False) -> None:
    """Show a version: its gates, its stages with who and why, its files and what decided it."""
    from worker.terminal.here import desk

    at = desk()
    version = at.models.get(model)
    gates = [dict(gate=gate.name, passed=gate.passed, hard=gate.hard, sentence=gate.sentence) for gate in at.models.gates(version.title)]
    stages = [dict(stage=stage.stage, at=stage.at, by=stage.actor, reason=stage.reason, weak=stage.weak) for stage in at.models.history(version.title)]
    if as_json:
        return say(_row(version) | dict(hash=version.digest, files=dict(version.files), gates=[gate | dict(found=gate["sentence"]) for gate in gates], stages=stages, manifest=dict(version.manifest), report=dict(version.scores)), True)
    say(_row(version) | dict(hash=version.digest), False)
    print()
    for gate in gates:
        print(f"{'passed' if gate['passed'] else 'shut  ' if gate['hard'] else 'weak  '}  {gate['gate']}: {gate['sentence']}")
    print()
    say(stages, False, ("stage", "at", "by", "reason"))
    print()
    for name, content in version.files.items():
        print(f"{content}  {name}")


@app.command()
def export(model: str = Named, out: Path = typer.Option(..., help="Folder to write to: the model's files, as tidemark predict takes them, and registry.json."), as_json: Json = False) -> None:
    """Write the files of a version; one whose SHA-256 is wrong is refused."""
    from worker.terminal.here import desk

    files = desk().models.export(model)
    try:
        for name, content in files.items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes(content)
    except OSError as error:
        raise BadRequest(f"{out} cannot be written: {error.strerror}. Choose another folder for --out") from None
    say(dict(written=str(out), files=", ".join(sorted(files))), as_json)


@app.command()
def verify(model: str = Named, as_json: Json = False) -> None:
    """Compare every file with its SHA-256, and the ONNX form with the model itself on stored rows. Exit status 1 where something differs."""
    from worker.terminal.here import desk

    at = desk()
    version, verification = at.models.get(model), at.models.verify(model)
    parity = _parity(at, version) if not any(verification.files.values()) else dict(passed=False, sentence="Not compared: a file was changed.")
    passed = verification.passed and bool(parity["passed"])
    if as_json:
        say(dict(model=version.title, passed=passed, files={name: why or "as written" for name, why in verification.files.items()}, parity=parity, sentence=verification.sentence), True)
    else:
        print(f"{version.title}: {verification.sentence}\n{parity['sentence']}")
    raise typer.Exit(0 if passed else 1)


@app.command()
def promote(model: str = Named, reason: str = typer.Option("", help="Reason; required where baselines are not beaten or the deflated Sharpe ratio is under 0.95, and shown with the model."), as_json: Json = False) -> None:
    """Put a version into production; the one before is retired. Refused without a green gate and control, parity and a complete walk-forward."""
    from worker.terminal.here import desk, mirrored

    at = desk()
    version = at.models.promote(model, reason)
    mirrored(at)
    say(_row(version), as_json)


@app.command()
def retire(model: str = Named, reason: str = typer.Option("", help="Reason; kept in the audit trail."), as_json: Json = False) -> None:
    """Take a version out of use. Its files, stages and results stay."""
    from worker.terminal.here import desk, mirrored

    at = desk()
    version = at.models.retire(model, reason)
    mirrored(at)
    say(_row(version), as_json)


def _parity(at: Any, version: Any) -> dict[str, Any]:
    """Recomputed on the rows that were stored with the model; those of a model of files are not there."""
    from worker.parity import parity_of

    rows, y = at.models.held_out(version.title)
    if rows is None:
        return dict(version.scores.get("parity") or dict(passed=True, sentence="ONNX and the model itself are not compared: no rows are stored with a model of files."))
    return parity_of({name: content for name, content in at.models.export(version.title).items() if name in version.files}, rows, y)


def _row(model: Any) -> dict[str, Any]:
    report = model.scores
    trials, verdict = report.get("trials") or {}, report.get("verdict") or {}
    return dict(
        model=model.title, stage=model.stage.stage, learner=model.learner, target=model.target, verdict=verdict.get("state"), dsr=trials.get("dsr"), trials=trials.get("count"), run=model.run or None,
        synthetic=model.synthetic, created=model.created_at, by=model.actor, badge=model.badge,
    )  # fmt: skip
