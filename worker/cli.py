"""The terminal: ``tidemark``, or ``python -m worker.cli``. The same desk as the pages; verbs that compute import the engine when called."""

from __future__ import annotations

import sys

import typer

from domain.errors import TidemarkError
from worker import trouble
from worker.memory import keep_freed
from worker.terminal import audit, backtest, data, features, jobs, regimes, runs, sweep

app = typer.Typer(name="tidemark", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Research, backtest and paper-trade, and prove what happened.")
app.add_typer(data.app, name="data")
app.add_typer(runs.app, name="runs")
app.add_typer(jobs.app, name="jobs")
app.add_typer(audit.app, name="audit")
app.add_typer(features.app, name="features")
app.add_typer(regimes.app, name="regimes")
runs.app.command("split")(regimes.split)
app.command("backtest")(backtest.backtest)
app.command("sweep")(sweep.sweep)
app.command("walk-forward")(sweep.walk_forward)
app.command("stress")(sweep.stress)
app.command("optimise")(sweep.optimise)


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


def main() -> None:
    keep_freed()
    try:
        app()
    except TidemarkError as error:
        print(f"tidemark: {error}", file=sys.stderr)
        sys.exit(2)
    except trouble.kinds() as error:
        if not (sentence := trouble.sentence_of(error, *addresses())):
            raise
        print(f"tidemark: {sentence}", file=sys.stderr)
        sys.exit(1)


def addresses() -> tuple[str, ...]:
    """Of the workspace that was meant, for what must not be repeated."""
    from domain.config import load

    try:
        return trouble.addresses(load())
    except TidemarkError:
        return ()


if __name__ == "__main__":
    main()
