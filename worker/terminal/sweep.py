"""``tidemark sweep``, ``walk-forward``, ``stress``, ``optimise``: searches on the workspace's bars, counted in its ledger of trials."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import BadRequest
from worker.terminal.options import From, To, instant, params_of, space_of
from worker.terminal.say import Json, say
from worker.terminal.strategy_file import StrategyFile, needed, timeframe_of

Data = Annotated[list[str], typer.Option("--data", help="Dataset, by id or version. May repeat.")]
Strategy = Annotated[str, typer.Option(help="Strategy name.")]
Params = Annotated[str, typer.Option(help="Strategy parameters as JSON.")]
Frame = Annotated[str, typer.Option("--timeframe", help="Timeframe: M1 M5 M15 M30 H1 H4 D1; default: inferred from the bars.")]
Rules = Annotated[Path | None, typer.Option("--config", help="TOML file with [account] [costs] [execution] [sizing] [limits], over the defaults of config.toml.")]
Saved = Annotated[str, typer.Option("--costs", help="Name of a saved cost profile, in place of [costs].")]
Vary = Annotated[list[str], typer.Option("--vary", help="Parameter and its values, NAME=LOW:HIGH:STEP or NAME=A,B,C; rules as costs.slippage. May repeat.")]
Out = Annotated[Path | None, typer.Option(help="Folder to write the tables to, as CSV.")]
FIGURE = "Metric to maximise: sharpe, net, calmar or expectancy."
SPACE = 'Parameters and their ranges as JSON: {"lookback": [5, 200], "stop_atr": {"low": 0.5, "high": 8, "log": true}}.'
HEADLINE = ("trades", "net_return", "max_drawdown", "sharpe", "profit_factor", "expectancy_r")


def sweep(
    data: Data,
    vary: Vary,
    strategy: Strategy = "",
    strategy_file: StrategyFile = None,
    params: Params = "{}",
    timeframe: Frame = "",
    start: From = "",
    end: To = "",
    config: Rules = None,
    costs: Saved = "",
    by: str = typer.Option("sharpe", help="Metric that the combinations are ranked by, such as sharpe or net_return."),
    most: int = typer.Option(10, min=1, help="Number of combinations to show."),
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Backtest every combination of a grid of parameters."""
    from domain.optimise.objective import RANKABLE, ranked_by

    grid = grid_of(vary)
    ranked_by(by, ("number", *grid, *RANKABLE))
    at, request = request_of(data, *needed(strategy, params, strategy_file), timeframe_of(timeframe, strategy_file), start, end, config, costs)
    run = _done(at, at.sweeps.submit_sweep(request, grid), as_json)
    _write(at, run, ("table", "matrix"), out)
    best, overfitting = at.sweeps.table(run.id, by, most).to_dict("records"), run.summary["overfitting"]
    head = dict(
        run=run.id, combinations=run.summary["combinations"], infeasible=sum(run.summary["refused"].values()),
        trials_on_this_data=at.sweeps.trials(run.id), pbo=overfitting and overfitting["pbo"],
    )  # fmt: skip
    notes = [*unmet(vary), *_infeasible(run)]
    if as_json:
        return say(head | dict(refused=head["infeasible"], reasons=run.summary["refused"], notes=notes, best=best), True)
    say(head, False)
    say(best, False, ("number", *run.summary["grid"], *HEADLINE))
    _print_notes(notes)


def walk_forward(
    data: Data,
    vary: Vary,
    strategy: Strategy = "",
    strategy_file: StrategyFile = None,
    params: Params = "{}",
    timeframe: Frame = "",
    start: From = "",
    end: To = "",
    config: Rules = None,
    costs: Saved = "",
    in_sample: int = typer.Option(365, help="Length of the in-sample window, in days."),
    out_of_sample: int = typer.Option(90, help="Length of the out-of-sample window, in days."),
    step: int = typer.Option(0, help="Days from one fold to the next; 0: the out-of-sample length."),
    anchored: bool = typer.Option(False, "--anchored", help="Every in-sample window begins at the start of the data."),
    embargo: int = typer.Option(0, help="Bars left out between the in-sample and the out-of-sample window."),
    objective: str = typer.Option("sharpe", help=FIGURE),
    fewest_trades: int = typer.Option(30, help="Minimum trades in sample; combinations with fewer are not chosen."),
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Fit a grid of parameters on moving windows and trade each choice in the window after."""
    grid = grid_of(vary)
    at, request = request_of(data, *needed(strategy, params, strategy_file), timeframe_of(timeframe, strategy_file), start, end, config, costs)
    windows = dict(in_sample=in_sample, out_of_sample=out_of_sample, step=step, anchored=anchored, embargo=embargo)
    run = _done(at, at.sweeps.submit_walk_forward(request, grid, windows, dict(figure=objective, fewest_trades=fewest_trades)), as_json)
    _write(at, run, ("folds", "fits", "equity", "trades"), out)
    folds, metrics, notes = at.sweeps.folds(run.id).to_dict("records"), run.summary["metrics"], [*unmet(vary), *_infeasible(run)]
    head = dict(
        run=run.id, folds=run.summary["folds"], traded=run.summary["traded"], infeasible=sum(run.summary["refused"].values()),
        efficiency=run.summary["efficiency"], **{key: metrics[key] for key in HEADLINE},
    )  # fmt: skip
    if as_json:
        return say(head | dict(drift=run.summary["drift"], notes=notes, table=folds), True)
    say(head, False)
    say(folds, False, ("fold", "test_start", "test_end", *run.summary["grid"], "in_sample_return", "out_of_sample_return", "out_of_sample_trades"))
    _print_notes(notes)


def stress(
    data: Data,
    strategy: Strategy = "",
    strategy_file: StrategyFile = None,
    params: Params = "{}",
    timeframe: Frame = "",
    start: From = "",
    end: To = "",
    config: Rules = None,
    costs: Saved = "",
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Backtest one strategy again under higher costs, delayed fills and other intrabar orders."""
    at, request = request_of(data, *needed(strategy, params, strategy_file), timeframe_of(timeframe, strategy_file), start, end, config, costs)
    run = _done(at, at.sweeps.submit_stress(request), as_json)
    _write(at, run, ("table", "curves"), out)
    rows = run.summary["scenarios"]
    say(dict(run=run.id, scenarios=rows) if as_json else rows, as_json, ("title", *HEADLINE, "change"))


def optimise(
    data: Data,
    strategy: Strategy = "",
    strategy_file: StrategyFile = None,
    space: str = typer.Option(..., help=SPACE),
    params: Params = "{}",
    timeframe: Frame = "",
    start: From = "",
    end: To = "",
    config: Rules = None,
    costs: Saved = "",
    trials: int = typer.Option(200, help="Number of combinations to try."),
    sampler: str = typer.Option("tpe", help="Sampler: tpe, nsga2 or random."),
    objective: str = typer.Option("sharpe", help=FIGURE),
    second: str = typer.Option("", help="Second objective (Pareto front)."),
    fewest_trades: int = typer.Option(30, help="Minimum trades; fewer count as failed."),
    seed: int = typer.Option(0, help="Sampler seed."),
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Search for good parameters, each trial suggested by those before it."""
    ranges = space_of(space)
    at, request = request_of(data, *needed(strategy, params, strategy_file), timeframe_of(timeframe, strategy_file), start, end, config, costs)
    how = dict(trials=trials, sampler=sampler, first=objective, second=second, fewest_trades=fewest_trades, seed=seed)
    run = _done(at, at.sweeps.submit_optimise(request, ranges, how), as_json)
    _write(at, run, ("table",), out)
    summary = run.summary
    head = dict(
        run=run.id, trials=summary["trials"], pruned=summary["given_up"], failed=summary["failed"], infeasible=summary.get("infeasible", 0),
        trials_on_this_data=at.sweeps.trials(run.id),
    )  # fmt: skip
    best = [trial["params"] | dict(zip(summary["objectives"], trial["values"], strict=True)) for trial in summary["best"]]
    notes = [*summary.get("notes", []), *_infeasible(run)]
    if as_json:
        return say(head | dict(given_up=head["pruned"], notes=notes, best=best), True)
    say(head, False)
    say(best, False, tuple(best[0]) if best else ("number",))
    _print_notes(notes)


def grid_of(vary: Sequence[str]) -> dict[str, list[Any]]:
    """
    >>> grid_of(["lookback=10:30:10", "quiet=0,0.8", "costs.slippage_kind=fixed,atr"])
    {'lookback': [10, 20, 30], 'quiet': [0, 0.8], 'costs.slippage_kind': ['fixed', 'atr']}
    """
    from domain.optimise import between

    return {name: between(values[0], values[1], values[2], f"the range of {name}") if ranged else values for name, values, ranged in _varied(vary)}


def unmet(vary: Sequence[str]) -> list[str]:
    """A sentence for each range whose end no step meets."""
    from domain.optimise import unmet_end

    return [note for name, values, ranged in _varied(vary) if ranged and (note := unmet_end(name, *values))]


def _varied(vary: Sequence[str]) -> list[tuple[str, list[Any], bool]]:
    """Name, values, and whether those are low, high and step; each name once."""
    varied = dict[str, tuple[str, list[Any], bool]]()
    for text in vary:
        name, equals, values = text.partition("=")
        name, parts = name.strip(), values.split(":")
        if not equals or not name or not values or len(parts) not in (1, 3):
            raise BadRequest(f"--vary is {text!r}; write NAME=LOW:HIGH:STEP or NAME=A,B,C")
        if name in varied:
            raise BadRequest(f"--vary gives {name} twice; give it once, with all its values: {name}=A,B,C")
        given = [_value(part) for part in (parts if len(parts) == 3 else values.split(","))]
        if len(parts) == 3 and any(isinstance(number, str) for number in given):
            raise BadRequest(f"--vary is {text!r}; LOW, HIGH and STEP must be numbers")
        if "" in given:
            raise BadRequest(f"--vary is {text!r}; a value is missing between its commas")
        varied[name] = (name, given, len(parts) == 3)
    return list(varied.values())


def _value(text: str) -> Any:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text.strip()


def _infeasible(run: Any) -> list[str]:
    """How many combinations the strategy refused, and why."""
    refused = run.summary.get("refused", {})
    count = sum(refused.values())
    return [f"{count:,} {'combination is' if count == 1 else 'combinations are'} infeasible; the first: {next(iter(refused))}."] if refused else []


def _print_notes(notes: Sequence[str]) -> None:
    for note in notes:
        print(f"Note: {note}")


def request_of(data: Sequence[str], strategy: str, params: str, timeframe: str, start: str, end: str, config: Path | None, costs: str = "") -> tuple[Any, Any]:
    """The desk, and the request."""
    from datetime import timedelta

    from worker.desk import BacktestRequest
    from worker.terminal.backtest import rules_in
    from worker.terminal.here import desk

    at = desk()
    used = [at.data.get(name) for name in data]
    first, last = min(dataset.first_ts for dataset in used), max(dataset.last_ts for dataset in used) + timedelta(seconds=1)
    rules = rules_in(config)[0].values() if config else {}
    period = instant("--from", start, first), instant("--to", end, last)
    return at, BacktestRequest(strategy, params_of(params), [dataset.id for dataset in used], timeframe or used[0].timeframe, *period, rules, cost_profile=costs)


def _done(at: Any, submitted: Any, quiet: bool) -> Any:
    from worker.terminal.here import finished

    return at.sweeps.get(finished(at, submitted, quiet).result["run"])


def _write(at: Any, run: Any, names: Sequence[str], out: Path | None) -> None:
    if out is None:
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in names:
            (out / f"{name}.csv").write_bytes(at.sweeps.download(run.id, name))
    except OSError as error:
        raise BadRequest(f"{out} cannot be written: {error.strerror}. Choose another folder for --out") from None
