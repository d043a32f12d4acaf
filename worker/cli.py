"""The terminal: ``tidemark``, or ``python -m worker.cli``. The same desk as the pages; verbs that compute import the engine when called."""

from __future__ import annotations

import os
import sys
import warnings

import typer

from domain.errors import SecondPerson, TidemarkError
from worker import trouble
from worker.memory import keep_freed
from worker.terminal import (
    approvals,
    audit,
    backtest,
    backups,
    compliance,
    costs,
    data,
    features,
    instruments,
    jobs,
    models,
    models_watch,
    paper,
    policy,
    regimes,
    runs,
    scan,
    strategies,
    strategy_signals,
    sweep,
    tokens,
    train,
    tune,
    users,
)
from worker.terminal.usage import UsageError, is_help, sentence_of

app = typer.Typer(name="tidemark", no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, help="Research, backtest and paper-trade, and prove what happened.")
app.add_typer(data.app, name="data")
app.add_typer(runs.app, name="runs")
app.add_typer(jobs.app, name="jobs")
app.add_typer(audit.app, name="audit")
app.add_typer(costs.app, name="costs")
app.add_typer(instruments.app, name="instruments")
app.add_typer(compliance.app, name="compliance")
app.add_typer(features.app, name="features")
app.add_typer(regimes.app, name="regimes")
app.add_typer(models.app, name="models")
runs.app.command("split")(regimes.split)
models.app.command("watch")(models_watch.watch)
app.command("backup")(backups.backup)
app.command("restore")(backups.restore)
app.command("signals")(strategy_signals.signals)
app.command("backtest")(backtest.backtest)
app.command("sweep")(sweep.sweep)
app.command("walk-forward")(sweep.walk_forward)
app.command("stress")(sweep.stress)
app.command("optimise")(sweep.optimise)
app.command("scan")(scan.scan)
app.command("train")(train.train)
app.command("predict")(train.predict)
app.command("tune")(tune.tune)
app.add_typer(policy.app, name="policy")
app.add_typer(strategies.app, name="strategies")
app.add_typer(paper.app, name="paper")
app.add_typer(tokens.app, name="tokens")
app.add_typer(users.app, name="users")
app.add_typer(approvals.app, name="approvals")


@app.command()
def up(
    host: str = typer.Option("", help="Address to listen on; default: [app] host of config.toml."),
    port: int = typer.Option(0, help="Port of the page; default: [app] port of config.toml."),
    only: str = typer.Option("", help="Start one part only, as in a container: page, worker, scheduler, sessions or notifier."),
    workers_only: bool = typer.Option(False, "--workers-only", help="Start workers and scheduler only, for another machine's workspace."),
) -> None:
    """Start queue server, workers, scheduler and page as one process tree; Ctrl-C stops all of it."""
    from worker.supervise import only as be
    from worker.supervise import up as run

    os.environ.update({name: value for name, value in (("TIDEMARK_APP_HOST", host), ("TIDEMARK_APP_PORT", str(port or ""))) if value})
    if only:
        be(only)
    raise typer.Exit(run(app=not workers_only))


def main() -> None:
    keep_freed()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")     # threads that wait for each other sleep: on busy processors turning round costs four times the work
    if not sys.warnoptions:     # warnings of libraries are for programmers, not for users of the terminal
        warnings.simplefilter("ignore")
    try:
        status = app(prog_name="tidemark", standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except SecondPerson as kept:
        print(f"tidemark: {kept}", file=sys.stderr)
        sys.exit(3)
    except TidemarkError as error:
        refused(str(error))
    except UsageError as error:
        if is_help(error):
            error.show()
            sys.exit(2)
        refused(sentence_of(error))
    except typer.Abort:
        print("tidemark: cancelled", file=sys.stderr)
        sys.exit(1)
    except trouble.kinds() as error:
        if not (sentence := trouble.sentence_of(error, *addresses())):
            raise
        print(f"tidemark: {sentence}", file=sys.stderr)
        sys.exit(1)


def refused(sentence: str) -> None:
    print(f"tidemark: {sentence}", file=sys.stderr)
    sys.exit(2)


def addresses() -> tuple[str, ...]:
    """Of the workspace that was meant, for what must not be repeated."""
    from worker.settings import load

    try:
        return trouble.addresses(load())
    except TidemarkError:
        return ()


if __name__ == "__main__":
    main()
