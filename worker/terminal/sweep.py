"""``tidemark sweep``, ``walk-forward``, ``stress``, ``optimise``: searches on the workspace's bars, counted in its ledger of trials."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import BadRequest
from worker.terminal.say import Json, say

Data = Annotated[list[str], typer.Option("--data", help="Dataset, by id or version. May repeat.")]
Strategy = Annotated[str, typer.Option(help="A strategy by name,")]
Params = Annotated[str, typer.Option(help="with its parameters as JSON.")]
Frame = Annotated[str, typer.Option("--timeframe", help="M1 M5 M15 M30 H1 H4 D1; default: as the bars lie.")]
Edge = Annotated[str, typer.Option(help="ISO 8601; default: all bars.")]
Rules = Annotated[Path | None, typer.Option("--config", help="TOML with [account] [costs] [execution] [sizing] over the defaults of config.toml.")]
Vary = Annotated[list[str], typer.Option("--vary", help="NAME=LOW:HIGH:STEP or NAME=A,B,C; rules as costs.slippage. May repeat.")]
Out = Annotated[Path | None, typer.Option(help="Folder to write the tables into, as CSV.")]
HEADLINE = ("trades", "net_return", "max_drawdown", "sharpe", "profit_factor", "expectancy_r")


def sweep(
    data: Data, vary: Vary, strategy: Strategy, params: Params = "{}", timeframe: Frame = "", start: Edge = "", end: Edge = "", config: Rules = None,
    by: str = typer.Option("sharpe", help="Figure that the best are shown by."), most: int = typer.Option(10, help="How many are shown."), out: Out = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Backtest every combination of a grid of parameters."""
    at, asked_for = question(data, strategy, params, timeframe, start, end, config)
    run = _done(at, at.sweeps.submit_sweep(asked_for, grid_of(vary)), as_json)
    _write(at, run, ("table", "matrix"), out)
    best = at.sweeps.table(run.id, by, most).to_dict("records")
    found = run.summary["overfitting"]
    told = dict(run=run.id, combinations=run.summary["combinations"], refused=sum(run.summary["refused"].values()), trials_on_this_data=at.sweeps.trials(run.id), pbo=found and found["pbo"])
    if as_json:
        return say(told | dict(best=best), True)
    say(told, False)
    say(best, False, ("number", *run.summary["grid"], *HEADLINE))


def walk_forward(
    data: Data, vary: Vary, strategy: Strategy, params: Params = "{}", timeframe: Frame = "", start: Edge = "", end: Edge = "", config: Rules = None,
    in_sample: int = typer.Option(365, help="Days to fit on."), out_of_sample: int = typer.Option(90, help="Days to test on."), step: int = typer.Option(0, help="Days from fold to fold; 0: as the test."),
    anchored: bool = typer.Option(False, "--anchored", help="Every fit begins at the start of the data."), embargo: int = typer.Option(0, help="Bars left out between fit and test."),
    objective: str = typer.Option("sharpe", help="sharpe, net, calmar or expectancy."), fewest_trades: int = typer.Option(30, help="Combinations with fewer trades are not chosen."), out: Out = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Fit a grid of parameters on moving windows, trade each choice in the window after."""
    at, asked_for = question(data, strategy, params, timeframe, start, end, config)
    windows = dict(in_sample=in_sample, out_of_sample=out_of_sample, step=step, anchored=anchored, embargo=embargo)
    asked = at.sweeps.submit_walk_forward(asked_for, grid_of(vary), windows, dict(figure=objective, fewest_trades=fewest_trades))
    run = _done(at, asked, as_json)
    _write(at, run, ("folds", "fits", "equity", "trades"), out)
    folds, metrics = at.sweeps.folds(run.id).to_dict("records"), run.summary["metrics"]
    told = dict(run=run.id, folds=run.summary["folds"], traded=run.summary["traded"], efficiency=run.summary["efficiency"], **{key: metrics[key] for key in HEADLINE})
    if as_json:
        return say(told | dict(drift=run.summary["drift"], table=folds), True)
    say(told, False)
    say(folds, False, ("fold", "test_start", "test_end", *run.summary["grid"], "in_sample_return", "out_of_sample_return", "out_of_sample_trades"))


def stress(data: Data, strategy: Strategy, params: Params = "{}", timeframe: Frame = "", start: Edge = "", end: Edge = "", config: Rules = None, out: Out = None, as_json: Json = False) -> None:
    """Backtest one question again: dearer, later, and with the order inside the bars decided otherwise."""
    at, asked_for = question(data, strategy, params, timeframe, start, end, config)
    run = _done(at, at.sweeps.submit_stress(asked_for), as_json)
    _write(at, run, ("table", "curves"), out)
    rows = run.summary["scenarios"]
    say(dict(run=run.id, scenarios=rows) if as_json else rows, as_json, ("title", *HEADLINE, "change"))


def optimise(
    data: Data, strategy: Strategy, space: str = typer.Option(..., help='Parameter -> range as JSON: {"lookback": [5, 200], "stop_atr": {"low": 0.5, "high": 8, "log": true}}'),
    params: Params = "{}", timeframe: Frame = "", start: Edge = "", end: Edge = "", config: Rules = None,
    trials: int = typer.Option(200, help="Combinations to try."), sampler: str = typer.Option("tpe", help="tpe, nsga2 or random."), objective: str = typer.Option("sharpe", help="sharpe, net, calmar or expectancy."),
    second: str = typer.Option("", help="A second one: the result is a front."), fewest_trades: int = typer.Option(30, help="Fewer count as failed."), seed: int = typer.Option(0, help="Of the sampler."), out: Out = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Search for good parameters, each trial suggested by those before it."""
    at, asked_for = question(data, strategy, params, timeframe, start, end, config)
    how = dict(trials=trials, sampler=sampler, first=objective, second=second, fewest_trades=fewest_trades, seed=seed)
    run = _done(at, at.sweeps.submit_optimise(asked_for, _json("--space", space), how), as_json)
    _write(at, run, ("table",), out)
    told = dict(run=run.id, trials=run.summary["trials"], given_up=run.summary["given_up"], failed=run.summary["failed"], trials_on_this_data=at.sweeps.trials(run.id))
    best = [one["params"] | dict(zip(run.summary["objectives"], one["values"], strict=True)) for one in run.summary["best"]]
    if as_json:
        return say(told | dict(best=best), True)
    say(told, False)
    say(best, False, tuple(best[0]) if best else ("number",))


def grid_of(vary: Sequence[str]) -> dict[str, list[Any]]:
    """
    >>> grid_of(["lookback=10:30:10", "quiet=0,0.8", "costs.slippage_kind=fixed,atr"])
    {'lookback': [10, 20, 30], 'quiet': [0, 0.8], 'costs.slippage_kind': ['fixed', 'atr']}
    """
    from domain.optimise import between

    grid = {}
    for text in vary:
        name, equals, values = text.partition("=")
        parts = values.split(":")
        if not equals or not values or len(parts) not in (1, 3):
            raise BadRequest(f"--vary is {text!r}; write NAME=LOW:HIGH:STEP or NAME=A,B,C")
        numbers = [_value(part) for part in parts]
        if len(parts) == 3 and any(isinstance(number, str) for number in numbers):
            raise BadRequest(f"--vary is {text!r}; LOW, HIGH and STEP must be numbers")
        grid[name] = between(*numbers) if len(parts) == 3 else [_value(part) for part in values.split(",")]
    return grid


def _value(text: str) -> Any:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text.strip()


def _json(option: str, text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadRequest(f"{option} is not JSON: {error}") from None
    if not isinstance(values, dict):
        raise BadRequest(f"{option} is {text}; it must be a JSON object")
    return values


def question(data: Sequence[str], strategy: str, params: str, timeframe: str, start: str, end: str, config: Path | None) -> tuple[Any, Any]:
    """The desk, and the question."""
    from datetime import timedelta

    from worker.desk import Question
    from worker.terminal.backtest import _rules
    from worker.terminal.here import desk

    at = desk()
    used = [at.data.get(name) for name in data]
    first, last = min(one.first_ts for one in used), max(one.last_ts for one in used) + timedelta(seconds=1)
    rules = _rules(config)[0].values() if config else {}
    return at, Question(strategy, _json("--params", params), [one.id for one in used], timeframe or used[0].timeframe, _instant(start, first), _instant(end, last), rules)


def _instant(text: str, default: datetime) -> datetime:
    from datetime import UTC

    try:
        found = datetime.fromisoformat(text) if text else default
    except ValueError:
        raise BadRequest(f"{text!r} is not a time; write it like 2024-01-31 or 2024-01-31T08:00") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


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
