"""The terminal: ``tidemark``, or ``python -m worker.cli``. The same desk as the pages; verbs that compute import the engine when called."""

from __future__ import annotations

import sys

import typer

from domain.errors import TidemarkError
from worker.memory import keep_freed
from worker.terminal import audit, backtest, data, jobs, runs, sweep
from worker.terminal.say import Json, say

app = typer.Typer(name="tidemark", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Research, backtest and paper-trade, and prove what happened.")
app.add_typer(data.app, name="data")
app.add_typer(runs.app, name="runs")
app.add_typer(jobs.app, name="jobs")
app.add_typer(audit.app, name="audit")
app.command("backtest")(backtest.backtest)
app.command("sweep")(sweep.sweep)
app.command("walk-forward")(sweep.walk_forward)
app.command("stress")(sweep.stress)
app.command("optimise")(sweep.optimise)
features = typer.Typer(no_args_is_help=True, help="Features: causal columns computed from bars.")
app.add_typer(features, name="features")


@app.command()
def up(
    host: str = typer.Option("", help="Address to listen on; default: [app] host."),
    port: int = typer.Option(0, help="Port of the page; default: [app] port."),
    workers_only: bool = typer.Option(False, "--workers-only", help="No page: workers and scheduler for another machine's workspace."),
) -> None:
    """Start queue server, workers, scheduler and page as one tree of processes; Ctrl-C stops all of it."""
    import os

    from worker.supervise import up as run

    os.environ.update({name: value for name, value in (("TIDEMARK_APP_HOST", host), ("TIDEMARK_APP_PORT", str(port or ""))) if value})
    raise typer.Exit(run(app=not workers_only))


@features.command("list")
def list_features(as_json: Json = False) -> None:
    """Every feature: family, unit, inputs, parameters, source."""
    from domain.features import FEATURES

    rows = [
        dict(name=f.name, family=f.family, unit=f.unit, inputs=", ".join(f.inputs), params=", ".join(f"{k}={v}" for k, v in f.params.items()), source=f.source, help=f.help)
        for f in FEATURES.values()
    ]
    say(rows, as_json, ("name", "family", "unit", "inputs", "params", "source"))


def main() -> None:
    keep_freed()
    try:
        app()
    except TidemarkError as error:
        print(f"tidemark: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
