"""``tidemark features examine`` and ``similar``: the feature laboratory on the workspace's bars."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import BadRequest, listed
from domain.parsing import is_file
from worker.terminal.options import instant, params_of
from worker.terminal.say import Json, say
from worker.terminal.strategy_file import StrategyFile, chosen

Data = Annotated[list[str], typer.Option("--data", help="Dataset, by id or version; one an instrument. May repeat.")]
Recipe = Annotated[str, typer.Option("--recipe", help="Feature set by name, your own or built-in.")]
COLUMN: list[str] = typer.Option([], "--columns", help='Feature, such as "atr(14)" or "atr(14)@H1"; more may follow. May repeat.')
REGIMES: list[str] = typer.Option(
    [], "--regimes",
    help="Regimes by which stability is tested too: the id of a regime run, one per instrument (may repeat), or MODEL.json from tidemark regimes fit, filtered along the bars. A model fitted on the same bars has hindsight; a walk-forward run has none.",
)  # fmt: skip
Rest = Annotated[list[str] | None, typer.Argument(hidden=True)]
Frame = Annotated[str, typer.Option("--timeframe", help="Timeframe: M1 M5 M15 M30 H1 H4 D1; default: inferred from the bars.")]
Start = Annotated[str, typer.Option(help="Start of the period, ISO 8601 in UTC; default: the first bar.")]
End = Annotated[str, typer.Option(help="End of the period, ISO 8601 in UTC, not included; default: the last bar.")]
From = Annotated[str, typer.Option("--from", help="Start of the forward return: open (of the next bar) or close (of the bar itself).")]
Out = Annotated[Path | None, typer.Option(help="Folder to write the tables to, as CSV.")]
RANKING = ("feature", "verdict", "q", "ic", "information", "information_q", "monotonicity", "years", "agreeing", "psi", "reason")
MATCHES = ("rank", "ts", "instrument", "distance", "followed")


def examine(
    data: Data, recipe: Recipe = "", columns: list[str] = COLUMN, rest: Rest = None, timeframe: Frame = "", start: Start = "", end: End = "",
    target: str = typer.Option("forward", help="Target: forward (return over the next bars) or trades (R of a strategy's trades)."), horizon: int = typer.Option(16, help="Horizon of the forward return, in bars."),
    begin: From = "open", strategy: str = typer.Option("", help="Strategy name, for the target trades."), params: str = typer.Option("{}", help="Strategy parameters as JSON."), strategy_file: StrategyFile = None,
    quantiles: int = typer.Option(10, help="Number of quantiles of the feature's value."), discovery: float = typer.Option(0.1, help="False discovery rate up to which a feature is significant."),
    most: int = typer.Option(20, help="Maximum number of features to propose."), regimes: list[str] = REGIMES, out: Out = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Rank features by what they predict, corrected for multiple testing, and propose a selection with reasons."""
    strategy, params = chosen(strategy, params, strategy_file)
    at, request = _request_of(data, recipe, [*columns, *(rest or [])], timeframe, start, end)
    ahead = dict(target=target) if target == "trades" else dict(target=target, horizon=horizon, start=begin)
    submitted = at.examinations.submit_examination(request, ahead, strategy, params_of(params), dict(quantiles=quantiles), dict(discovery=discovery, most=most), **_regimes(regimes))
    run = _done(at, submitted, as_json)
    _write(at, run, out)
    summary, rows = run.summary, at.examinations.ranking(run.id)[list(RANKING)].to_dict("records")
    head = dict(run=run.id, target=summary["target"]["name"], values=summary["target"]["values"], features=summary["tried"]["here"], tried_on_this_data=summary["tried"]["all"], telling=summary["telling"]["any"], proposed=summary["proposed"])
    if as_json:
        return say(head | dict(notes=summary["notes"], ranking=rows), True)
    say(head | dict(proposed=", ".join(summary["proposed"]) or "none"), False)
    say(rows, False, RANKING)


def similar(
    data: Data, recipe: Recipe = "", columns: list[str] = COLUMN, rest: Rest = None, timeframe: Frame = "", start: Start = "", end: End = "",
    when: str = typer.Option("", "--at", help="Bar to compare, by an instant inside it, ISO 8601 in UTC; default: the last bar."), instrument: str = typer.Option("", help="Instrument of the bar; default: that of the first dataset."),
    horizon: int = typer.Option(16, help="Horizon of the forward returns, in bars."), count: int = typer.Option(50, help="Number of matches."), begin: From = "open", out: Out = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Find past bars similar to one bar, by feature set vector50 unless chosen otherwise, and their forward returns."""
    written = [*columns, *(rest or [])]
    at, request = _request_of(data, recipe or ("" if written else "vector50"), written, timeframe, start, end)
    chosen = instant("--at", when, datetime.min) if when else None
    run = _done(at, at.examinations.submit_similar(request, chosen, instrument, dict(horizon=horizon, count=count, start=begin)), as_json)
    _write(at, run, out)
    summary, rows = run.summary, at.examinations.table(run.id, "matches").to_dict("records")
    figures, everything = summary["figures"]["matches"], summary["figures"]["all"]
    head = dict(run=run.id, instrument=summary["instrument"], bar=summary["ts"], matches=summary["matches"], median=figures["median"], median_of_all=everything["median"], share_up=figures["share_up"], share_up_of_all=everything["share_up"])
    if as_json:
        return say(head | dict(figures=summary["figures"], notes=summary["notes"], table=rows), True)
    say(head, False)
    say(rows, False, tuple(name for name in MATCHES if not rows or name in rows[0]))


def _request_of(data: Sequence[str], recipe: str, columns: Sequence[str], timeframe: str, start: str, end: str) -> tuple[Any, Any]:
    """The desk, and the request."""
    from datetime import timedelta

    from worker.desk import FeatureRequest
    from worker.terminal.here import desk
    if recipe and columns:
        raise BadRequest("give either --recipe or --columns")
    at = desk()
    used = [at.data.get(name) for name in data]
    first, last = min(dataset.first_ts for dataset in used), max(dataset.last_ts for dataset in used) + timedelta(seconds=1)
    written = at.features.columns_of(recipe) if recipe else list(columns)
    return at, FeatureRequest([dataset.id for dataset in used], timeframe or used[0].timeframe, instant("--start", start, first), instant("--end", end, last), written)


def _regimes(texts: Sequence[str]) -> dict[str, Any]:
    """Runs by their ids; or the model of a file."""
    from worker.terminal.regimes import model_of

    files = [text for text in texts if text.endswith(".json") or is_file(Path(text))]
    if not files:
        return dict(regimes=texts)
    if len(texts) > 1:
        raise BadRequest(f"--regimes is {listed(texts)}; give one regime model, or runs of regimes alone")
    return dict(model=model_of(Path(files[0])))


def _done(at: Any, submitted: Any, quiet: bool) -> Any:
    from worker.terminal.here import finished

    return at.examinations.get(finished(at, submitted, quiet).result["run"])


def _write(at: Any, run: Any, out: Path | None) -> None:
    if out is None:
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in run.frames:
            (out / f"{name}.csv").write_bytes(at.examinations.download(run.id, name))
    except OSError as error:
        raise BadRequest(f"{out} cannot be written: {error.strerror}. Choose another folder for --out") from None
