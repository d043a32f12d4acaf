"""``tidemark models watch``: drift of a model, or of all in production, on the newest bars of the workspace."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from domain.errors import BadRequest
from worker.terminal.options import params_of
from worker.terminal.say import Json, say

DriftParams = Annotated[str, typer.Option(help="Thresholds of drift, as JSON: window (bars), psi, q, band (share), brier (deviations).")]


def watch(model: Annotated[str, typer.Argument(help="NAME or NAME@VERSION; without one every version in production.")] = "", params: DriftParams = "{}", retrain: Annotated[bool, typer.Option("--retrain", help="If it drifted, train MODEL again on the newest bars: a candidate.")] = False, as_json: Json = False) -> None:
    """Compare a model's columns and predictions on the newest bars with what it learnt. Exit status 1 if it drifted; nothing is ever swapped."""
    from worker.terminal.here import desk, finished

    if retrain and not model:
        raise BadRequest("--retrain needs the model that is to be trained again: tidemark models watch NAME --retrain")
    at = desk()
    run = finished(at, at.drift.submit(model, params_of(params)), as_json).result["run"]
    checks = [check for check in at.drift.checks(limit=20) if check.run == run]
    if as_json:
        say([_values(check) | dict(columns=at.drift.table(run, check.model).to_dict("records")) for check in checks], True)
    else:
        _show(checks)
    drifted = any(check.state == "alarm" for check in checks)
    if retrain and drifted:
        result = finished(at, at.drift.retrain(model), as_json).result
        if not as_json:
            print(f"trained  {result['model']}, a candidate; {checks[0].model} stays where it is")
    raise typer.Exit(1 if drifted else 0)


def _values(check: Any) -> dict[str, Any]:
    return dict(model=check.model, run=check.run, at=check.at.isoformat(), state=check.state, sentence=check.sentence, alarms=list(check.alarms), **check.facts)


def _show(checks: list[Any]) -> None:
    if not checks:
        print("No model is in production; name one to watch it: tidemark models watch NAME")
    for check in checks:
        print(f"{check.state}: {check.model}: {check.sentence}")
        for alarm in check.alarms:
            print(f"- {alarm}")
        if check.state == "alarm":
            print(f"  retrain: tidemark models watch {check.model} --retrain makes a candidate on the newest bars")
