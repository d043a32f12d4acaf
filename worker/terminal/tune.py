"""``tidemark tune``: parameters of a learner by their loss on validation parts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import BadRequest
from domain.parsing import object_of
from worker.terminal.features import COLUMN, Frame, Recipe, Rest, uses_of
from worker.terminal.options import params_of
from worker.terminal.options import space_of as ranges_of
from worker.terminal.say import Json, plain, say
from worker.terminal.strategy_file import StrategyFile, chosen
from worker.terminal.train import BARS, DATA, MODULE, Instrument, Side, rules_of, watch_of
from worker.terminal.training_inputs import inputs_of, user_code

SPACE = 'Parameters and their ranges as JSON: {"trees": [50, 500], "learning_rate": {"low": 0.01, "high": 0.3, "log": true}}; half_life and weights may be among them.'
Learner = Annotated[str, typer.Option(help="Learner name.")]
Target = Annotated[str, typer.Option(help="Target: r win above fake barrier on signals; return volatility direction on bars.")]
Params = Annotated[str, typer.Option(help="Parameters of the learner as JSON; those that are searched stand in --space.")]
TargetParams = Annotated[str, typer.Option(help="Parameters of the target as JSON: horizon, unit (bars, minutes), every, threshold.")]
Strategy = Annotated[str, typer.Option(help="Strategy whose signals are the samples.")]
StrategyParams = Annotated[str, typer.Option(help="Strategy parameters as JSON.")]
Scheme = Annotated[str, typer.Option(help="Split: walk_forward or cpcv.")]
SchemeParams = Annotated[str, typer.Option(help="Parameters of the split as JSON, as of tidemark train.")]
Config = Annotated[Path | None, typer.Option(help="TOML file with [account] [costs] [execution] [sizing] [limits] and [training], as of tidemark train.")]
Seed = Annotated[int, typer.Option(help="Seed of the fits, and of the search.")]
SHOWN = 10      # trials


def tune(
    learner: Learner, target: Target, space: Annotated[str, typer.Option(help=SPACE)], out: Annotated[Path | None, typer.Option(help="Folder for trials.csv, best.json (for --params of tidemark train) and a heat_X_Y.csv of each pair of parameters.")] = None,
    bars: list[str] = BARS, data: list[str] = DATA, instrument: Instrument = "", timeframe: Frame = "", side: Side = "", params: Params = "{}", target_params: TargetParams = "{}", strategy: Strategy = "", strategy_params: StrategyParams = "{}", strategy_file: StrategyFile = None,
    recipe: Recipe = "", columns: list[str] = COLUMN, module: Path | None = MODULE, scheme: Scheme = "walk_forward", scheme_params: SchemeParams = "{}", config: Config = None, seed: Seed = 0,
    trials: Annotated[int, typer.Option(help="Combinations to try; each counts as one trial.")] = 40, batch: Annotated[int, typer.Option(help="Trials suggested at once; workers share them.")] = 4, sampler: Annotated[str, typer.Option(help="Sampler: tpe or random.")] = "tpe",
    prune: Annotated[bool, typer.Option("--prune/--no-prune", help="Prune a trial after a fold where it is worse than the median.")] = True, rest: Rest = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Search a learner's parameters on the validation parts of the folds; no test part is used. Selects the trial whose 5 nearest are best on average."""
    if bool(bars) == bool(data):
        raise BadRequest("give either --bars FILE or --data with the id of a dataset")
    strategy, strategy_params = chosen(strategy, strategy_params, strategy_file)
    rules, options = rules_of(config)
    values = request_of(params, target_params, strategy, strategy_params, scheme, scheme_params, seed) | dict(options=options)
    ranges, how = ranges_of(space), dict(trials=trials, batch=batch, sampler=sampler, prune=prune, seed=seed)
    with user_code(module) as own:
        uses = uses_of(recipe, [*columns, *(rest or [])])
        if data:
            if module:
                raise BadRequest("--module cannot stand beside --data, whose job reads what the workspace holds; give --bars FILE instead")
            request = values | dict(columns=[use.column for use in uses], learner=learner, target=target, rules=rules.values() if config else {})
            head, table, maps = _stored(data, timeframe, request, ranges, how, as_json)
        else:
            head, table, maps = _here(inputs_of(bars, instrument, timeframe, side, uses, rules), learner, target, values, own, ranges, how, as_json)
    if out is not None:
        write(out, table, maps, head["params"])
    best = table.sort_values(["nearest", "number"], kind="stable", na_position="last").head(SHOWN).to_dict("records")
    if as_json:
        return say(head | dict(best=best), True)
    say(head | dict(params=json.dumps(plain(head["params"]))), False)
    say(best, False, tuple(name for name in table if name not in ("given_up", "infeasible", "chosen")))


def request_of(params: str, target_params: str, strategy: str, strategy_params: str, scheme: str, scheme_params: str, seed: int) -> dict[str, Any]:
    """The options that a question takes; raises BadRequest for what is no JSON object."""
    return dict(
        target_params=object_of(target_params, "--target-params", '{"horizon": 12}'), params=params_of(params), scheme=scheme, scheme_params=object_of(scheme_params, "--scheme-params", '{"train": 1460}'),
        strategy=strategy, strategy_params=object_of(strategy_params, "--strategy-params", '{"lookback": 20}'), seed=seed,
    )  # fmt: skip


def write(out: Path, table: Any, maps: Mapping[Any, Any], params: Mapping[str, Any]) -> None:
    from worker.cells import csv_of

    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "trials.csv").write_bytes(csv_of(table))
        (out / "best.json").write_text(json.dumps(plain(params), indent=1) + "\n", encoding="utf-8")
        for (x, y), cells in maps.items():
            (out / f"heat_{x}_{y}.csv").write_bytes(csv_of(cells))
    except OSError as error:
        raise BadRequest(f"{out} cannot be written: {error.strerror}. Choose another folder for --out") from None


def _here(inputs: tuple[Any, ...], learner: str, target: str, request: Mapping[str, Any], module: str, ranges: Mapping[str, Any], how: Mapping[str, Any], quiet: bool) -> tuple[dict[str, Any], Any, Mapping[Any, Any]]:
    """From files, in this process; no ledger counts its trials."""
    from domain.params import build
    from domain.training import train as training
    from domain.training.asking import question_of
    from domain.training.gate import gate_columns
    from domain.training.search_space import Tuning, space_of
    from domain.training.tune import tune as search

    question, tuning = question_of(inputs, target, learner, module=module, **request), build(Tuning, how)
    space_of(learner, ranges)
    training.refuse_leak(gate_columns(inputs, training.strategy_of(question), watch_of(True)))
    samples = training.samples_of(question, inputs)
    folds = training.folds_of(question, samples)
    result = search(question, samples, folds, ranges, tuning, watch_of(quiet))
    chosen = result.table[result.table["chosen"]].iloc[0]
    head = dict(
        trials=len(result.table), given_up=int(result.table["given_up"].sum()), infeasible=int(result.table["infeasible"].sum()), folds=len(folds), loss=float(chosen["loss"]), nearest=float(chosen["nearest"]),
        params={**question.learner_params, **result.params}, notes=[dimension.note for dimension in result.space if dimension.note],
    )  # fmt: skip
    return head, result.table, result.maps()


def _stored(data: list[str], timeframe: str, request: Mapping[str, Any], ranges: Mapping[str, Any], how: Mapping[str, Any], quiet: bool) -> tuple[dict[str, Any], Any, Mapping[Any, Any]]:
    """As a job of the workspace: its run is kept, and each trial is counted."""
    from worker.desk.training import TrainingRequest
    from worker.terminal.here import desk, finished

    at = desk()
    used = [at.data.get(name) for name in data]
    first, last = min(dataset.first_ts for dataset in used), max(dataset.last_ts for dataset in used) + timedelta(seconds=1)
    values = TrainingRequest([dataset.id for dataset in used], timeframe or used[0].timeframe, first, last, **request)
    run = at.tuning.get(finished(at, at.tuning.submit(values, ranges, how), quiet).result["run"])
    head = dict(run=run.id, **{name: run.summary[name] for name in ("trials", "given_up", "infeasible", "folds", "loss", "nearest")}, params=at.tuning.params(run.id), notes=run.summary["notes"])
    return head, at.tuning.table(run.id), {(x, y): at.tuning.heat(run.id, x, y) for x, y in run.summary["maps"]}
