"""``tidemark runs``: finished backtests."""

from __future__ import annotations

from pathlib import Path

import typer

from worker.terminal.say import Json, say

app = typer.Typer(no_args_is_help=True, help="Runs: list, show, export, delete.")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Every run, newest first."""
    from worker.terminal.here import desk

    rows = [_row(run) for run in desk().backtests.latest()]
    if not as_json:
        rows = [row | {f"{name}_%": f"{row[name]:.1%}".rstrip("%") for name in ("net_return", "max_drawdown")} for row in rows]
    say(rows, as_json, ("id", "created", "title", "name", "trades", "net_return_%", "max_drawdown_%", "synthetic"))


@app.command()
def show(run: str = typer.Argument(..., help="Its id."), as_json: Json = False) -> None:
    """Figures, counts and remarks of one run."""
    from worker.terminal.here import desk

    one = desk().backtests.get(run)
    if as_json:
        return say(dict(_row(one), spec=dict(one.spec), manifest=dict(one.manifest), summary=dict(one.summary), frames=dict(one.frames)), True)
    say(_row(one) | {key: value for key, value in one.summary["metrics"].items()}, False)
    for remark in one.summary["remarks"]:
        print(f"- {remark}")


@app.command()
def export(run: str = typer.Argument(..., help="Its id."), out: Path = typer.Option(..., help="Folder to write into."), as_json: Json = False) -> None:
    """Write trades.csv, fills.csv, equity.csv and manifest.json of a run."""
    from worker.terminal.here import desk

    at = desk()
    out.mkdir(parents=True, exist_ok=True)
    for what, form in (("trades", "csv"), ("fills", "csv"), ("equity", "csv"), ("manifest", "json")):
        (out / f"{what}.{form}").write_bytes(at.backtests.download(run, what, form))
    say(dict(run=run, written=str(out)), as_json)


@app.command()
def delete(run: str = typer.Argument(..., help="Its id."), as_json: Json = False) -> None:
    """Remove a run. Its audit events stay."""
    from worker.terminal.here import desk

    say(dict(deleted=desk().backtests.delete(run).id), as_json)


def _row(run) -> dict:
    metrics = run.summary["metrics"]
    return dict(id=run.id, created=run.created_at, title=run.title, name=run.name, trades=metrics["trades"], net_return=metrics["net_return"], max_drawdown=metrics["max_drawdown"], synthetic=run.synthetic)
