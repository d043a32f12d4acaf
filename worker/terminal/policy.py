"""``tidemark policy``: what to do with each signal, fitted to the rewards of every action and judged by replay; and what a policy would have earned on a log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import BadRequest, unknown
from domain.parsing import is_folder, object_of
from worker.terminal.features import COLUMN, Frame, Recipe, Rest, uses_of
from worker.terminal.say import Json, say
from worker.terminal.strategy_file import StrategyFile, needed
from worker.terminal.train import BARS, MODULE, Instrument, Side, rules_of, watch_of
from worker.terminal.training_inputs import inputs_of, user_code
from worker.terminal.tune import Config, Learner, Params, SchemeParams, Seed, Strategy, StrategyParams, Target, TargetParams, request_of

app = typer.Typer(no_args_is_help=True, help="Policies: skip a signal, or choose its size, stop, target and half out.")
FILE = "policies.json"
NEEDED = ("action", "r", "p")
COLUMNS = ("action", "propensity", "r", "p", "volatility", "side", "regime")     # of a log
SHOWN = ("policy", "signals", "taken", "reward", "trades", "net_return", "max_drawdown", "sharpe", "expectancy_r")


Policy = Annotated[str, typer.Option(help="Policies, comma-separated: heuristic, learned.")]
PolicyParams = Annotated[str, typer.Option(help='Their parameters as JSON: {"learned": {"depth": 3, "leaf": 100, "caution": 1}, "heuristic": {"volatile": 0.67}}.')]
Grid = Annotated[str, typer.Option(help='The actions as JSON: {"sizes": "0.5,1", "stops": "0.75,1,1.5", "targets": "0,1,2,3", "halves": true, "risk": 0.01}; target 0 is the signal\'s own.')]


@app.command()
def fit(
    learner: Learner, out: Annotated[Path, typer.Option(help="Folder for policies.json and choices.parquet.")], strategy: Strategy = "", strategy_file: StrategyFile = None, bars: list[str] = BARS, target: Target = "win",
    policy: Policy = "heuristic,learned", policy_params: PolicyParams = "{}", grid: Grid = "{}",
    instrument: Instrument = "", timeframe: Frame = "", side: Side = "", params: Params = "{}", target_params: TargetParams = "{}", strategy_params: StrategyParams = "{}", recipe: Recipe = "", columns: list[str] = COLUMN,
    module: Path | None = MODULE, scheme_params: SchemeParams = "{}", config: Config = None, seed: Seed = 0, rest: Rest = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Fit policies beside a model, fold by fold of a walk-forward, and replay the tests with each: against all signals as they are, and against the filter."""
    from domain.params import build
    from domain.training.actions import ActionGrid
    from domain.training.asking import question_of
    from domain.training.policy_file import chosen_policies, policy_facts, refuse_target

    refuse_target(target)
    chosen, actions = chosen_policies(policy, _params(policy_params)), build(ActionGrid, _grid(grid))
    actions.actions()
    strategy, strategy_params = needed(strategy, strategy_params, strategy_file)
    rules, options = rules_of(config)
    request = request_of(params, target_params, strategy, strategy_params, "walk_forward", scheme_params, seed) | dict(options=options)
    with user_code(module) as own:
        inputs = inputs_of(bars, instrument, timeframe, side, uses_of(recipe, [*columns, *(rest or [])]), rules)
        question = question_of(inputs, target, learner, module=own, **request)
        judged = _judged(question, inputs, rules, actions, chosen, watch_of(as_json))
    _show(policy_facts(judged, actions, question), judged.choices, out, as_json)


@app.command("of")
def of_run(
    run: Annotated[str, typer.Argument(help="Run of training, by id: a complete walk-forward on signals.")], out: Annotated[Path, typer.Option(help="Folder for policies.json and choices.parquet.")], policy: Policy = "heuristic,learned",
    policy_params: PolicyParams = "{}", grid: Grid = "{}", as_json: Json = False,
) -> None:  # fmt: skip
    """Fit policies to the folds of a run in the workspace, and replay its tests with each; a version registered afterwards keeps them."""
    from worker.terminal.here import desk, finished

    at = desk()
    samples = finished(at, at.policies.submit(run, _grid(grid), policy, _params(policy_params)), as_json).result["run"]
    _show(at.policies.get(samples).summary, at.policies.table(samples, "choices"), out, as_json)


def _show(facts: Mapping[str, Any], choices: Any, out: Path, as_json: bool) -> None:
    """Write both files, and say how the policies compare."""
    from domain.training.policy_file import written

    try:
        out.mkdir(parents=True, exist_ok=True)
        choices.to_parquet(out / "choices.parquet", index=False, compression="zstd")
        (out / FILE).write_bytes(written(facts))
    except OSError as error:
        raise BadRequest(f"{out} cannot be written: {error.strerror}. Choose another folder for --out") from None
    say(facts if as_json else facts["policies"], as_json, SHOWN)


def _grid(text: str) -> dict[str, Any]:
    return object_of(text, "--grid", '{"sizes": "0.5,1"}')


def _params(text: str) -> dict[str, Any]:
    return object_of(text, "--policy-params", '{"learned": {"depth": 3}}')


@app.command()
def value(
    policies: Annotated[Path, typer.Option(help="File policies.json of tidemark policy fit, or its folder.")], log: Annotated[Path, typer.Option(help="CSV of trades in the order of time: action (number), propensity, r, p [volatility side regime].")],
    policy: Annotated[str, typer.Option(help="Policy to evaluate.")] = "learned", as_json: Json = False,
) -> None:  # fmt: skip
    """Estimate what a policy would have earned, from logged trades alone: doubly robust, mean log growth a trade with a 95 % interval."""
    import numpy as np

    from domain.params import build
    from domain.training.actions import ActionGrid
    from domain.training.off_policy import Logged, doubly_robust
    from domain.training.policy import View, growth

    facts = _read(policies / FILE if is_folder(policies) else policies)
    if policy not in facts["fitted"]:
        raise unknown("policy in the file", policy, facts["fitted"])
    table, grid = _log(log), build(ActionGrid, facts["grid"])
    actions = grid.actions()
    acts = _policy(facts["fitted"][policy], actions, policies)
    number = table["action"].to_numpy()
    if (number != np.floor(number)).any() or (number < 0).any() or (number >= len(actions)).any():
        raise BadRequest(f"{log} names an action that the policy does not know; actions are 0 (skip) to {len(actions) - 1}, as policies.json lists them")
    rows, number = np.arange(len(table)), number.astype(np.int64)
    regime = table["regime"].fillna("").astype(str).to_numpy(object) if "regime" in table else np.full(len(table), "", object)
    view = View(table["p"].to_numpy(float), _column(table, "volatility", np.nan), _column(table, "side", 1.0), regime)
    r = np.zeros((len(table), len(actions)))
    r[rows, number] = table["r"].to_numpy(float)
    reward = growth(r, actions, grid.risk)[rows, number]
    logged = Logged(number, _column(table, "propensity", np.nan) if "propensity" in table else None, reward, np.column_stack([view.p, view.volatility]))
    chances = np.zeros((len(table), len(actions)))
    chances[rows, acts.act(view)] = 1.0
    estimate = doubly_robust(logged, chances)
    say(dict(policy=policy, **estimate.__dict__, logged=float(reward.mean())), as_json)


def _judged(question: Any, inputs: tuple[Any, ...], rules: Any, grid: Any, policies: Mapping[str, Any], watch: Any) -> Any:
    """Gate, samples, folds, and the policies; no trial of it is counted, as of any run on files."""
    from domain.training import train as training
    from domain.training.gate import gate_columns
    from domain.training.known_regimes import regimes_of
    from domain.training.pipeline import fit_fold
    from domain.training.policy_run import judge_policies
    from domain.training.signals import decided_of

    strategy = training.strategy_of(question)
    training.refuse_leak(gate_columns(inputs, strategy))
    samples = training.samples_of(question, inputs)
    folds = training.folds_of(question, samples)
    results = [fit_fold(samples, fold, question, training.part_of(watch, 0.5 * k / len(folds), 0.5 * (k + 1) / len(folds)), baselines=False) for k, fold in enumerate(folds)]
    return judge_policies(samples, decided_of(inputs, strategy), regimes_of(inputs, samples), folds, results, rules, grid, policies, lambda share: watch(0.5 + 0.5 * share))


def _policy(values: Mapping[str, Any], actions: Any, path: Path) -> Any:
    from domain.training.policy import policy_from

    try:
        return policy_from(dict(values), actions)
    except (KeyError, TypeError, ValueError):
        raise BadRequest(f"the policy in {path} cannot be read; give the policies.json that tidemark policy fit wrote") from None


def _read(path: Path) -> Any:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror}. Give policies.json of tidemark policy fit") from None
    except ValueError:
        facts = None
    if not isinstance(facts, dict) or not {"fitted", "grid"} <= set(facts):
        raise BadRequest(f"{path} is not a file of tidemark policy fit; give its policies.json")
    return facts


def _log(path: Path) -> Any:
    import pandas as pd

    try:
        table = pd.read_csv(path)
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror}. Give a CSV of logged trades") from None
    except ValueError:
        raise BadRequest(f"{path} is not a CSV; give columns {', '.join(COLUMNS)}") from None
    for name in NEEDED:
        if name not in table:
            raise BadRequest(f"the log {path} has no column {name!r}; it needs {', '.join(NEEDED)} and propensity")
    for name in ("action", "r", "p", "propensity", "volatility", "side"):
        if name in table:
            table[name] = pd.to_numeric(table[name], errors="coerce")
            if name in NEEDED and table[name].isna().any():
                raise BadRequest(f"row {int(table[name].isna().argmax()) + 1} of the log: {name} is no number; leave out trades that are still open")
    return table


def _column(table: Any, name: str, default: float) -> Any:
    import numpy as np

    return table[name].to_numpy(float) if name in table else np.full(len(table), default)
