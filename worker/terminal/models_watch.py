"""``tidemark models watch``: drift of a model, or of all in production, on the newest bars of the workspace."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from worker.terminal.options import params_of
from worker.terminal.say import Json, say

DriftParams = Annotated[str, typer.Option(help="When drift is called so, as JSON: window (bars), psi, q, band (share), brier (deviations).")]


def watch(model: Annotated[str, typer.Argument(help="NAME or NAME@VERSION; without one every version in production.")] = "", params: DriftParams = "{}", as_json: Json = False) -> None:
    """Compare a model's columns and predictions on the newest bars with what it learnt. Exit status 1 if it drifted; nothing is ever swapped."""
    from worker.terminal.here import desk, finished

    at = desk()
    run = finished(at, at.drift.submit(model, params_of(params)), as_json).result["run"]
    checks = [check for check in at.drift.checks(limit=20) if check.run == run]
    if as_json:
        say([_values(check) | dict(columns=at.drift.table(run, check.model).to_dict("records")) for check in checks], True)
    else:
        _show(checks)
    raise typer.Exit(1 if any(check.state == "alarm" for check in checks) else 0)


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
            print(f"A candidate on the newest bars: tidemark models watch {check.model} --retrain, or Training, view Drift.")
