"""``tidemark runs``: finished backtests."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from pathlib import Path

import typer

from worker.terminal.options import From, To
from worker.terminal.say import Json, say
from worker.terminal.strategy_file import StrategyFile, needed, timeframe_of
from worker.terminal.sweep import Data, Frame, Params, Rules, Saved, Strategy

app = typer.Typer(no_args_is_help=True, help="Runs: start, list, show, export, report, compare, reproduce, histories, delete.")


@app.command()
def start(
    data: Data,
    strategy: Strategy = "",
    strategy_file: StrategyFile = None,
    params: Params = "{}",
    timeframe: Frame = "",
    start: From = "",
    end: To = "",
    config: Rules = None,
    costs: Saved = "",
    model: str = typer.Option("", help="Model that filters the strategy's signals: NAME, the version in production, or NAME@VERSION."),
    separate: bool = typer.Option(False, "--each", help="One run per dataset, each on a separate account; default: one shared account."),
    as_json: Json = False,
) -> None:
    """Backtest a strategy on the workspace's bars, as the Backtest page does."""
    from worker.desk.batches import request_per_dataset
    from worker.desk.context import Submitted
    from worker.terminal.here import finished
    from worker.terminal.sweep import request_of

    at, request = request_of(data, *needed(strategy, params, strategy_file), timeframe_of(timeframe, strategy_file), start, end, config, costs)
    request = replace(request, model=model)
    if not separate:
        return show(finished(at, at.backtests.submit(request), as_json).result["run"], as_json)
    batch = at.batches.submit(request_per_dataset(request))
    for member in at.batches.members(batch.id):
        finished(at, Submitted(member.job, member.job.open), as_json, refuse=False)
    table = at.batches.table(batch.id)
    rows = table.to_dict("records")
    say(dict(batch=batch.id, title=batch.title, runs=rows) if as_json else rows, as_json, ("run", "bars", "state", "trades", "net_return", "max_drawdown", "sharpe", "profit_factor"))
    raise typer.Exit(0 if (table["state"] == "done").all() else 1)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List all runs, newest first."""
    from worker.terminal.here import desk

    at = desk()
    rows = [_row(run) for run in at.backtests.latest()]
    if not as_json:
        rows = [row | {f"{name}_%": f"{row[name]:.1%}".rstrip("%") for name in ("net_return", "max_drawdown")} for row in rows]
    say(rows, as_json, ("id", "created", "title", "name", "trades", "net_return_%", "max_drawdown_%", "synthetic"))
    for why in at.stories.altered_runs("backtest").values():
        print(f"tidemark: {why}", file=sys.stderr)


@app.command()
def show(run: str = typer.Argument(..., help="Run id."), as_json: Json = False) -> None:
    """Show the metrics, counts and warnings of a run."""
    from worker.store.former_summaries import with_former_keys
    from worker.terminal.here import desk

    stored = desk().backtests.get(run)
    if as_json:
        return say(dict(_row(stored), spec=dict(stored.spec), manifest=dict(stored.manifest), summary=with_former_keys(stored.summary), frames=dict(stored.frames)), True)
    say(_row(stored) | {key: value for key, value in stored.summary["metrics"].items()}, False)
    for remark in stored.summary["remarks"]:
        print(f"- {remark['sentence']}")


@app.command()
def export(run: str = typer.Argument(..., help="Run id."), out: Path = typer.Option(..., help="Folder to write to."), as_json: Json = False) -> None:
    """Write trades.csv, fills.csv, equity.csv, reviews.csv and manifest.json of a run."""
    from worker.terminal.here import desk

    at = desk()
    frames = at.backtests.get(run).frames
    out.mkdir(parents=True, exist_ok=True)
    for what, form in (*((name, "csv") for name in ("trades", "fills", "equity", "reviews") if name in frames), ("manifest", "json")):
        (out / f"{what}.{form}").write_bytes(at.backtests.download(run, what, form))
    say(dict(run=run, written=str(out)), as_json)


@app.command()
def report(run: str = typer.Argument(..., help="Run id."), out: Path = typer.Option(..., help="Folder to write to."), as_json: Json = False) -> None:
    """Write report.html, report.txt, equity.svg and drawdown.svg of a run."""
    from worker.terminal.here import desk

    at = desk()
    contents = {(form if form.endswith("svg") else f"report.{form}"): at.compare.report(run, form) for form in at.compare.forms()}
    out.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (out / name).write_bytes(content)
    say(dict(run=run, written=[str(out / name) for name in contents]) if as_json else dict(run=run, written=str(out), files=", ".join(contents)), as_json)


@app.command()
def compare(a: str = typer.Argument(..., help="Id of the first run."), b: str = typer.Argument(..., help="Id of the second run."), as_json: Json = False) -> None:
    """Compare two runs: changed settings, metrics with their difference, and the first fill that differs."""
    from worker.terminal.here import desk

    comparison = desk().compare.runs(a, b)
    changed, metrics = comparison.changed.to_dict("records"), comparison.metrics.to_dict("records")
    if as_json:
        return say(dict(a=a, b=b, same=comparison.same, sentence=comparison.sentence, warnings=list(comparison.warnings), changed=changed, metrics=metrics, fills=asdict(comparison.fills) if comparison.fills else None), True)
    for warning in comparison.warnings:
        print(f"! {warning}")
    if changed:
        print("\nChanged settings")
        say(changed, False, ("path", "a", "b"))
    print("\nFigures")
    say([_figure(row, comparison.a.summary["currency"]) for row in metrics], False, ("figure", "a", "b", "difference"))
    print(f"\n{comparison.sentence}")


@app.command()
def reproduce(run: str = typer.Argument(..., help="Run id."), as_json: Json = False) -> None:
    """Run a backtest again and compare the results byte by byte. Exit status 1 unless they are identical to what is stored."""
    from worker.terminal.here import desk, finished

    at = desk()
    result = finished(at, at.compare.reproduce(run), as_json).result
    if as_json:
        say(result, True)
    else:
        say([dict(frame=row["name"], then=row["then"][:12], now=row["now"][:12], same="yes" if row["same"] else "no") for row in result["frames"]], False, ("frame", "then", "now", "same"))
        print(f"\n{result['verdict']}: {result['sentence']}")
    raise typer.Exit(0 if result["verdict"] == "same" else 1)


@app.command()
def histories(
    run: str = typer.Argument(..., help="Run id."), paths: int = typer.Option(1_000, help="Number of Monte Carlo paths, up to 100,000."), seed: int = typer.Option(0, help="Seed; the same seed draws the same paths."),
    out: Path | None = typer.Option(None, help="Folder to write histories.csv to: the end and the maximum drawdown of each path."), as_json: Json = False,
) -> None:  # fmt: skip
    """Monte Carlo: resample a run's trades in blocks with replacement, and show where the paths end."""
    from worker.terminal.here import desk, finished

    at = desk()
    drawn = at.backtests.get(finished(at, at.robustness.submit_histories(run, dict(paths=paths, seed=seed)), as_json).result["run"])
    figures = drawn.summary["histories"]["figures"]
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "histories.csv").write_bytes(at.backtests.download(drawn.id, "draws", "csv"))
    if as_json:
        return say(dict(run=drawn.id, of=run, **figures), True)
    spread = [dict(figure=name.replace("_", " "), unit=figures["unit"], **figures[name]) for name in ("final", "max_drawdown")]
    say({"run": drawn.id, "histories": figures["paths"], "of": f"{figures['steps']:,} {figures['sample']}", "chance of loss": figures["chance_of_loss"]}, False)
    say(spread, False, ("figure", "unit", "q05", "q25", "q50", "q75", "q95", "mean"))


@app.command()
def delete(run: str = typer.Argument(..., help="Run id."), as_json: Json = False) -> None:
    """Delete a run. Its audit events stay."""
    from worker.terminal.here import desk

    say(dict(deleted=desk().backtests.delete(run).id), as_json)


def _figure(row: dict, currency: str) -> dict:
    from domain.report.figures import MINUS, plain, shown

    a, b, apart = (plain(shown(row["key"], row["unit"], row[side], currency)) for side in ("a", "b", "difference"))
    return dict(figure=row["title"], a=a, b=b, difference=apart if apart.startswith((MINUS, "+")) or not row["difference"] > 0 else f"+{apart}")


def _row(run) -> dict:
    metrics = run.summary["metrics"]
    return dict(id=run.id, created=run.created_at, title=run.title, name=run.name, trades=metrics["trades"], net_return=metrics["net_return"], max_drawdown=metrics["max_drawdown"], synthetic=run.synthetic)
